"""uvicorn's formatters write the same behind a queue, also where the compiled core does their work."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any
from unittest import mock

import pytest

from helpers import both_ways

uvicorn = pytest.importorskip("uvicorn.logging")

ACCESS = '%(asctime)s %(levelprefix)s %(client_addr)s - "%(request_line)s" %(status_code)s'
REQUEST = '%s - "%s %s HTTP/%s" %d'
DEFAULT = "%(levelprefix)s %(message)s"


class Derived(uvicorn.AccessFormatter):  # type: ignore[misc,name-defined]
    """Overrides nothing that matters."""

    default_msec_format = "%s.%03d"

    def more(self) -> None: ...


class OwnStatus(uvicorn.AccessFormatter):  # type: ignore[misc,name-defined]
    def get_status_code(self, status_code: int) -> str:
        return f"<{status_code}>"


def requests(logger: logging.Logger, flush: Callable[[], None]) -> None:
    for level in (5, 10, 20, 25, 30, 40, 50, 60):
        for code in (200, 404, 599, 99, 999, -1, True, 200.7):
            logger.log(level, REQUEST, "127.0.0.1:1", "GET", "/ä?x=%20", "1.1", code)
    for args in (("a", "b", "c", "d", 200, "more"), ("a",), (), ("a", "b", "c", "d", "no number")):
        logger.info("%s" * len(args), *args)
    logger.info("%s %s %s %s %s", "a", None, 1.5, ["b"], "204")
    extra = {"levelprefix": "mine", "status_code": "mine", "color_message": "coloured %s"}
    logger.info(REQUEST, "127.0.0.1:1", "POST", "/", "2", 201, extra=extra)
    flush()
    try:
        raise KeyError("k")
    except KeyError:
        logger.exception(REQUEST, "127.0.0.1:1", "POST", "/", "2", 500, stack_info=False)
    logger.handle(logging.LogRecord("name", 20, "/x.py", 1, REQUEST, ("a", "b", "c", "d", 200), None))
    for levelname in ("LONGER THAN EIGHT", "", None):
        record = logging.LogRecord("name", 20, "/x.py", 1, REQUEST, ("a", "b", "c", "d", 200), None)
        record.levelname = levelname  # type: ignore[assignment]
        logger.handle(record)


def messages(logger: logging.Logger, flush: Callable[[], None]) -> None:
    for level in (5, 10, 20, 25, 30, 40, 50, 60):
        logger.log(level, "Started %s", "ä")
        logger.log(level, "Started %s", 1, extra={"color_message": "Started \033[1m%s\033[0m", "other": 1})
        logger.log(level, "Started", extra={"color_message": 5})
        logger.log(level, "Started", extra={"color_message": "100 %"})
        logger.log(level, "Started %s", 1, extra={"color_message": "%d %d"})  # cannot be rendered
    flush()
    logger.handle(logging.makeLogRecord({"msg": "made", "levelname": "INFO", "levelno": 20}))


def handler_with(make: Callable[[], logging.Formatter]) -> Callable[[Any], logging.Handler]:
    def handler(folder: Any) -> logging.Handler:
        handler = logging.FileHandler(folder / "log", encoding="utf-8")
        handler.setFormatter(make())
        return handler

    return handler


@pytest.mark.parametrize("colors", [True, False, None])
@pytest.mark.parametrize("cls", ["AccessFormatter", Derived, OwnStatus])
@pytest.mark.parametrize(
    ("fmt", "style"), [(ACCESS, "%"), ("{levelprefix:>12}{request_line} {status_code} {message}", "{")]
)
def test_requests(lf: ModuleType, tmp_path: Any, cls: Any, fmt: str, style: Any, colors: bool | None) -> None:
    cls = getattr(uvicorn, cls) if isinstance(cls, str) else cls
    make = handler_with(lambda: cls(fmt, style=style, use_colors=colors))
    stock, queued = both_ways(lf, tmp_path, make, requests)
    assert stock == queued
    assert stock[0]["log"].count(b"\n") > 60
    assert len(stock[1]) > 3


@pytest.mark.parametrize("colors", [True, False, None])
@pytest.mark.parametrize("fmt", [DEFAULT, "%(message)s", "%(levelprefix)-15s%(name)s"])
def test_messages(lf: ModuleType, tmp_path: Any, fmt: str, colors: bool | None) -> None:
    make = handler_with(lambda: uvicorn.DefaultFormatter(fmt, use_colors=colors))
    stock, queued = both_ways(lf, tmp_path, make, messages)
    assert stock == queued
    assert stock[0]["log"].count(b"\n") > 20


@pytest.mark.parametrize("colors", [True, False])
def test_what_is_replaced_counts(lf: ModuleType, tmp_path: Any, colors: bool) -> None:
    def patched(self: logging.Formatter, argument: object) -> str:
        return "patched"

    def act(logger: logging.Logger, flush: Callable[[], None]) -> None:
        formatter: Any = logger.handlers[0].formatter or seen[-1]

        def some() -> None:
            for number in range(3):
                logger.info(REQUEST, "127.0.0.1:1", "GET", number, "1.1", 200)
            flush()

        some()
        with mock.patch.object(uvicorn.AccessFormatter, "get_status_code", patched):
            some()
        some()
        with mock.patch.object(uvicorn.ColourizedFormatter, "formatMessage", patched):
            some()
        with contextlib.ExitStack() as stack:
            if "ansi_style" in vars(uvicorn):
                stack.enter_context(mock.patch.object(uvicorn, "ansi_style", lambda text, **_: f"<{text}>"))
            some()
        formatter.use_colors = not colors
        some()
        formatter.get_status_code = lambda code: "own"
        some()
        del formatter.get_status_code
        formatter.formatMessage = lambda record: "own"
        some()

    seen: list[logging.Formatter] = []

    def make() -> logging.Formatter:
        seen.append(uvicorn.AccessFormatter(ACCESS, use_colors=colors))
        return seen[-1]

    stock, queued = both_ways(lf, tmp_path, handler_with(make), act)
    assert stock == queued
    assert stock[0]["log"].count(b"patched") == 6


def test_this_version_was_compared() -> None:
    """Else its formatters are called for each record, which is right, but slower."""
    from logflume._delivery.added_fields import fields_adder

    assert fields_adder(uvicorn.AccessFormatter(ACCESS)) is not None
    assert fields_adder(uvicorn.DefaultFormatter(DEFAULT)) is not None
    assert fields_adder(Derived(ACCESS)) is not None
    assert fields_adder(OwnStatus(ACCESS)) is None
