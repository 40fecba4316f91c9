"""The log call of the pure core is the standard library's."""

from __future__ import annotations


def accelerate() -> bool:
    return False


def restore() -> None:
    pass


def is_accelerated() -> bool:
    return False
