"""Logbook: its handler for files, in the call or on a thread of its own."""

from __future__ import annotations

from .contender import Contender, Running

CALLS = {
    "plain": 'log.info("order {} of {}", i, "x")',
    "extra": 'log.info("order {} of {}", i, "x", extra={"user": "abc", "basket": 5})',
    "exception": 'log.exception("order {} of {}", i, "x")',
    "disabled": 'log.debug("order {} of {}", i, "x")',
}
FORMAT = "{record.time:%Y-%m-%d %H:%M:%S,%f} {record.level_name} {record.channel} {record.message}"


def start(path: str) -> Running:
    import logbook

    handler = logbook.FileHandler(path, level="INFO", format_string=FORMAT)
    handler.push_application()
    return Running(logbook.Logger("a.b.c", level=logbook.INFO), handler.close)


def threaded(path: str) -> Running:
    import logbook
    from logbook.queues import ThreadedWrapperHandler

    handler = ThreadedWrapperHandler(logbook.FileHandler(path, level="INFO", format_string=FORMAT))
    handler.push_application()
    return Running(logbook.Logger("a.b.c", level=logbook.INFO), handler.close)


CONTENDERS = [
    Contender("Logbook", start, "logbook", CALLS),
    Contender("Logbook, threaded", threaded, "logbook", CALLS),
]
