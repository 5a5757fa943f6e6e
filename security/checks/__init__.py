"""One file a check of an image's configuration, files or Dockerfile; a new file is all that a new check takes."""
