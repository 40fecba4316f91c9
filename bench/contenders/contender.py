"""The interface of a contender."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

CALLS = {
    "plain": 'log.info("order %d of %s", i, "x")',
    "extra": 'log.info("order %d of %s", i, "x", extra={"user": "abc", "basket": 5})',
    "exception": 'log.exception("order %d of %s", i, "x")',
    "disabled": 'log.debug("order %d of %s", i, "x")',
}


@dataclass(frozen=True)
class Running:
    """A contender that is set up. `close` returns when every record should be at the sink; it may be a coroutine."""

    log: Any
    close: Callable[[], Any]


@dataclass(frozen=True)
class Contender:
    """How a package is set up, and how a call of it is written.

    `start` is given the path of its sink: a file, or a named pipe. The level is INFO, the logger a.b.c; a line has the
    time with milliseconds, the level, the logger and the message, as text or as JSON.
    """

    label: str
    start: Callable[[str], Running]
    package: str = ""  # the distribution; none is the standard library
    calls: Mapping[str, str] = field(default_factory=lambda: CALLS)  # statements with `log` and the number `i`
    style: str = "text"  # one of lines.STYLES
    logs: bool = True
    in_loop: bool = False  # `start` needs the running event loop, and the calls are awaited
    environment: Mapping[str, str] = field(default_factory=dict)
