"""What runs inside a container under attack: standard library only, Python 3.7 or newer, sent over standard input."""
