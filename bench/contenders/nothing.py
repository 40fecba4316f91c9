"""No logging at all: what the other rows are compared with."""

from __future__ import annotations

from .contender import Contender, Running

NONE = Contender(
    "no logging",
    lambda path: Running(None, lambda: None),
    calls=dict.fromkeys(("plain", "extra", "exception", "disabled"), "pass"),
    logs=False,
)
CONTENDERS = [NONE]
