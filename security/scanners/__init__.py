"""One file an outside program: it is started, and what it printed is parsed by a pure function."""
