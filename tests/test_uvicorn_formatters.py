"""uvicorn's formatters write the same behind a queue, also where the compiled core does their work."""

from __future__ import annotations

import contextlib
import http
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


class Text(str):
    def __format__(self, spec: str) -> str:
        return "formatted"


class Number(int):
    def __int__(self) -> int:
        return 404


texts = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["", "ä", "\N{SNAKE}", "\udc80", Text("own")]),
    st.none(),
    st.just(["a"]),
)
statuses = st.one_of(
    st.sampled_from([200, 404, 599, 600, 99, True, 200.5, "404", Number(200), http.HTTPStatus.CREATED, 10**20, None]),
    st.integers(100, 599),
)
arguments = st.one_of(
    st.tuples(texts, texts, texts, texts, statuses),
    st.lists(st.one_of(texts, statuses), max_size=6).map(tuple),
    st.dictionaries(st.text(max_size=1), texts, min_size=5, max_size=5).map(lambda given: (given,)),
)
calls = st.tuples(
    st.sampled_from([5, 10, 20, 25, 50]),
    st.sampled_from([REQUEST, "%s %s %s %s %s", "%s" * 4 + "%d", "%.3s%s%s%s%s", "no arguments", 5]),
    arguments,
)
FORMATS = (
    "%(levelprefix)s %(client_addr)s %(request_line)s %(status_code)s",
    "%(client_addr)-9s|%(status_code)12s|%(message)s",
    "%(levelprefix)12s%(levelname)s",
    "%(request_line).5s %(status_code)r",
    "%(levelprefix)s",
)


@pytest.mark.parametrize("cls", ["AccessFormatter", "DefaultFormatter"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    fmt=st.sampled_from(FORMATS),
    encoding=st.sampled_from(["utf-8", "ascii"]),
    given_calls=st.lists(calls, min_size=1, max_size=6),
    colors=st.sampled_from([False, False, True]),
)
def test_any_arguments(lf: ModuleType, cls: str, fmt: str, encoding: str, given_calls: list[Any], colors: bool) -> None:
    extra = {"client_addr": "e", "status_code": "e"} if cls == "DefaultFormatter" else None

    def act(logger: logging.Logger, flush: Callable[[], None]) -> None:
        for level, message, args in given_calls:
            logger.log(level, message, *args, extra=extra)

    def make(folder: Path) -> logging.Handler:
        handler = logging.FileHandler(folder / "log", encoding=encoding)
        handler.setFormatter(getattr(uvicorn, cls)(fmt, use_colors=colors))
        return handler

    with tempfile.TemporaryDirectory() as folder:
        stock, queued = both_ways(lf, Path(folder), make, act)
    assert stock == queued


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
    from logflume._delivery.added_fields import added_fields

    assert "request_line" in added_fields(uvicorn.AccessFormatter(ACCESS, use_colors=False))
    assert added_fields(uvicorn.DefaultFormatter(DEFAULT, use_colors=False)) == ("levelprefix",)
    assert "request_line" in added_fields(Derived(ACCESS, use_colors=False))
    assert added_fields(OwnStatus(ACCESS, use_colors=False)) == ()
    assert added_fields(uvicorn.DefaultFormatter(DEFAULT, use_colors=True)) == ()
