# The app under gunicorn, on Alpine.
# The context holds `app/` and `wheels/` (from `pip download -r app/requirements.txt -d wheels`), so that the build needs
# no network: docker build --network none -f images/alpine-gunicorn.Dockerfile .
ARG BASE=python:3.13-alpine3.23

FROM ${BASE} AS build
WORKDIR /opt/app
# Dependencies first: they change less often than the app, so their layers mostly come from the cache.
COPY app/requirements.txt ./
COPY wheels/ /wheels/
# A plain folder and not a virtual environment, which would hold this stage's interpreter by its path.
RUN ["python3", "-m", "pip", "--disable-pip-version-check", "install", "--no-cache-dir", "--no-compile", \
     "--no-index", "--find-links", "/wheels", "--require-hashes", "--target", "lib", "-r", "requirements.txt"]
COPY app/ app/
# Bytecode now, since a read-only root can never keep any. Unchecked, so that it holds whatever a copy does to file times.
RUN ["python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "lib", "app"]

FROM ${BASE}
WORKDIR /opt/app
ENV PYTHONPATH=/opt/app/lib
COPY --from=build /opt/app/lib lib
COPY --from=build /opt/app/app app
# Importing all once leaves bytecode of the standard library's modules too, which public images ship without.
RUN ["python3", "-c", "import app.wsgi, gunicorn.app.wsgiapp, gunicorn.workers.gthread"]
# Numbers and not a name, so that Kubernetes can verify `runAsNonRoot`. The user owns no file here.
USER 10001:10001
ENV PYTHONDONTWRITEBYTECODE=1
EXPOSE 5000
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python3", "-I", "-S", "/opt/app/app/healthcheck.py"]
ENTRYPOINT ["python3", "-m", "gunicorn", "--config", "/opt/app/app/gunicorn.conf.py", "app.wsgi:app"]
# What it was really made from, also where BASE was overridden.
ARG BASE
LABEL org.opencontainers.image.title="seatrial-alpine-gunicorn" \
      org.opencontainers.image.description="Seatrial's sample Flask app: Alpine, gunicorn" \
      org.opencontainers.image.base.name="${BASE}"
