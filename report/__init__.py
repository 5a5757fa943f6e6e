"""From results to something a person reads: HTML, Markdown and a table for the terminal, all from one view."""
