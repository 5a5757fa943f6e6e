"""From a running container to numbers: the load, what a correct answer is, trials and their order."""
