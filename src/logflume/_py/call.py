"""The log call of the pure core is the standard library's."""

from __future__ import annotations


def accelerate() -> bool:
    """Return False: nothing is accelerated."""
    return False


def restore() -> None:
    """Do nothing: nothing was replaced."""


def is_accelerated() -> bool:
    """Return False."""
    return False
