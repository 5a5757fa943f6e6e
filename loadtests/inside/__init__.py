"""What runs inside the generator's image: standard library, Locust and hdrhistogram only; nothing of the harness."""
