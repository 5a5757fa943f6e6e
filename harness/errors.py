"""Every error that a user can see: what happened, what to do about it, and its exit code."""

from __future__ import annotations


class SeatrialError(Exception):
    """A failure that is told to the user in one line and a hint, never as a traceback.

    Args:
        message: what happened, and where.
        hint: what to do about it.

    """

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class BudgetExceeded(SeatrialError):
    """A budget or a regression threshold is exceeded."""

    exit_code = 1


class UsageError(SeatrialError):
    """The command line, a settings file or a profile cannot be used as it is."""

    exit_code = 2


class EngineMissing(SeatrialError):
    """No container engine could be reached or started."""

    exit_code = 3


class ToolMissing(SeatrialError):
    """A program that this step needs is not installed."""

    exit_code = 3


class BuildFailed(SeatrialError):
    """A base or a variant's image could not be built."""

    exit_code = 4


class ContractBroken(SeatrialError):
    """The app under test answers wrongly, so no figure of it would mean anything."""

    exit_code = 5


class NoValidMeasurement(SeatrialError):
    """Every trial of what was asked for broke a guard."""

    exit_code = 6


class UnreadableOutput(SeatrialError):
    """A results folder, or what an outside program printed, is not what it should be."""

    exit_code = 7


class ToolFailed(UnreadableOutput):
    """An outside program ended with an error, or took longer than it may."""


class Interrupted(SeatrialError):
    """The user stopped the run."""

    exit_code = 130
