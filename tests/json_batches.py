"""Records that go through a queue as JSON: what handlers write of them, one at a time and in batches."""

from __future__ import annotations

import logging
import sys
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

import deliveries
from deliveries import deliver_compiled, unexpected
from json_records import extras, messages, record_of


def written(
    folder: Path, formatter: logging.Formatter, encoding: str, deliver: Any, batch: list[logging.LogRecord]
) -> tuple[bytes, list[str]]:
    errors: list[str] = []
    handler = logging.FileHandler(folder / "app.log", "w", encoding)
    handler.setFormatter(formatter)
    handler.handleError = lambda record: errors.append(repr(sys.exc_info()[1]))  # type: ignore[method-assign]
    deliver(handler, batch)
    handler.close()
    return (folder / "app.log").read_bytes(), errors


OWN = {*vars(record_of()), "message", "asctime", "taskName"}


def calls_with(extra: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "message": messages,
            "extra": extra.map(lambda extra: {key: extra[key] for key in extra if key not in OWN}),
            "level": st.sampled_from([20, 35, 50]),
        }
    )


calls = calls_with(extras)


def logged(
    given_calls: list[dict[str, Any]], formatter: logging.Formatter
) -> tuple[list[logging.LogRecord], list[Any]]:
    """As deliveries.logged(), of these calls of one logger."""
    logger = logging.getLogger("caf\xe9")
    return deliveries.logged(
        [
            (logger, partial(logger.log, call["level"], call["message"][0], *call["message"][1], extra=call["extra"]))
            for call in given_calls
        ],
        formatter,
    )


def one_by_one(handler: logging.Handler, batch: list[Any]) -> None:
    for record in batch:
        handler.handle(record)


def together(handler: logging.Handler, batch: list[Any]) -> None:
    deliver_compiled(handler, batch[:1], unexpected)
    deliver_compiled(handler, batch[1:], unexpected)  # with a plan that is there


def calls_of_format(deliver: Any) -> int:
    """How often deliver() calls a format() in Python."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call" and frame.f_code.co_name == "format"

    sys.setprofile(note)
    try:
        deliver()
    finally:
        sys.setprofile(None)
    return count
