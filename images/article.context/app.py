"""The app, started as the article starts it."""

from app import create_app

app = create_app()

if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)  # noqa: S104
