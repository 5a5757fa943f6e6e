"""From an image to findings: what is inside it, what is wrong with it, how it was made."""
