"""From a Dockerfile to a built image: variants, their bases and contexts, builds and what they come to."""
