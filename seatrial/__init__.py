"""The command: one file a verb, and the only place where the rooms are joined."""

__version__ = "0.1.0"
