"""Delivery: random batches, one after the other, and the bytes that the standard handler writes without a queue.

A turn of the listener's thread formats and writes plain records without the GIL, and has to notice where a record is
another kind, where a second begins, where the file is full, and what one batch leaves for the next.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import logging.handlers
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import hypothesis
import pytest
from hypothesis import strategies as st

import logflume
from helpers import files_in, needs_gil, stopped_clock, wait_until
from logflume._listener.pace import Pace

pytestmark = needs_gil


@pytest.fixture
def accelerated() -> Iterator[None]:
    # Not for each example: from 3.13 on a class that was changed a thousand times gets no version tag any more.
    if not logflume.accelerate_loggers():
        pytest.skip("the pure core takes no turns of its own")
    yield
    logflume.restore_loggers()


FORMATS = [
    ("%(asctime)s %(levelname)s %(name)s %(message)s", "%"),
    ("%(message)s", "%"),
    ("%(levelname)-8s|%(asctime)s,%(asctime)s|%(msecs)04d|%(message)s|%(lineno)5d %(levelno)d", "%"),
    (
        "%(name)s %(threadName)s \u6f22\u5b57\u6f22\u5b57 %(message)s %(processName)s %(module)s %(filename)s",
        "%",
    ),
    ("{asctime} {levelname:>9} {message} {process} {thread} {funcName:<12}", "{"),
    ("%(message)s %(created)f", "%"),
    ("%(user)s %(message)s", "%"),
]
DATEFMTS = [None, "%H:%M:%S", "%A"]
START = 1_700_000_000.95

texts = st.one_of(
    st.sampled_from(["", "a", "words of some length", "gr\u00fcn", "\u6f22\u5b57", "\U0001f600", "100%", "x\n"]),
    st.sampled_from(["\ud800", "\x00"]),
    st.text(max_size=40),
)
numbers = st.one_of(st.integers(-1000, 1000), st.sampled_from([2**31, -(2**63), 2**63 - 1, 2**63, 10**30]))
values = st.one_of(texts, numbers, st.floats(), st.sampled_from([None, True, b"x", ("t", 1), ["a list"]]))
messages = st.one_of(
    texts.map(lambda text: (text, ())),
    st.tuples(st.sampled_from(["%s", "%5s|", "%-5s|", "100%% of %s", "gr\u00fcn %s", "%r"]), st.tuples(values)),
    st.tuples(st.sampled_from(["%d", "%i.", "%5d|", "%05d|", "%-5d|", "%x", "%.2f"]), st.tuples(numbers)),
    st.tuples(st.sampled_from(["%f", "%.3f s", "%9.1f|", "%-9.0f|", "%s"]), st.tuples(st.floats())),
    st.tuples(
        st.sampled_from(["%s is %d of %s", "%s, %s and %s", "%(a)s %s %s", "%s %s"]),
        st.tuples(texts, numbers, texts),
    ),
)
calls = st.fixed_dictionaries(
    {
        "level": st.sampled_from([logging.INFO, logging.ERROR, 33]),
        "message": messages,
        "later": st.sampled_from([0.0, 0.0, 0.0, 0.0004, 0.001, 0.05, 0.7, -0.5]),
        "how": st.sampled_from(["", "", "", "", "", "", "looked at", "kept", "exc_info", "stack_info", "extra"]),
    }
)
# Mostly plain ones, of which a batch can be made as a whole.
plain = st.fixed_dictionaries(
    {
        "level": st.sampled_from([logging.INFO, logging.ERROR]),
        "message": st.tuples(st.sampled_from(["%s is %d", "%s has %d", "%5s %05d"]), st.tuples(texts, numbers)),
        "later": st.sampled_from([0.0, 0.001, 0.0004, 0.001, 0.6]),
        "how": st.sampled_from(["", "", "", "", "", "kept"]),
    }
)
plain_batches = st.lists(plain, min_size=1, max_size=8)
batches = st.lists(
    st.one_of(
        plain_batches,
        st.builds(lambda before, call, after: [*before, call, *after], plain_batches, calls, plain_batches),
        st.lists(calls, min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=5,
)
KINDS = [
    (logging.FileHandler, {}),
    (logging.handlers.WatchedFileHandler, {}),
    (logging.handlers.RotatingFileHandler, {"maxBytes": 300, "backupCount": 50}),
]


LEVELS = {"looked at": 33, "kept": 34}


class Looks(logging.Filter):
    def __init__(self) -> None:
        self.kept: list[logging.LogRecord] = []

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno == LEVELS["looked at"]:
            record.__dict__["user"] = "somebody"
            record.levelname = "LOOKED AT"
        elif record.levelno == LEVELS["kept"]:
            self.kept.append(record)
        return True


def log(logger: logging.Logger, clock: list[float], call: dict[str, Any]) -> None:
    clock[0] += call["later"]
    how: dict[str, Any] = {}
    if call["how"] in ("exc_info", "stack_info"):
        how[call["how"]] = True
    elif call["how"] == "extra":
        how["extra"] = {"user": "me"}
    text, arguments = call["message"]
    text = f".{text}"[1:]  # of its own, so that its place in memory becomes another's
    try:
        raise KeyError("no such key")
    except KeyError:
        logger.log(LEVELS.get(call["how"], call["level"]), text, *arguments, **how)


@contextlib.contextmanager
def attached(
    handler: logging.Handler, queued: bool, keeps_gil: bool
) -> Iterator[tuple[logging.Logger, Callable[[], None]]]:
    """A logger with the handler, directly or behind a queue; and what waits until all is handled."""
    logger: logging.Logger
    if not queued:
        logger = Stock("of.turns")
        logger.addHandler(handler)
        yield logger, lambda: None
        return
    logger = logging.Logger("of.turns")
    queue_handler = logflume.LocalQueueHandler()
    logger.addHandler(queue_handler)
    with contextlib.ExitStack() as undo:
        if keeps_gil:  # as it does while 100,000 records are queued
            kept = property(lambda pace: True, lambda pace, value: None)
            undo.enter_context(mock.patch.object(Pace, "keeps_gil", kept, create=True))
        listener = logflume.QueueListener(queue_handler.queue, handler, respect_handler_level=True)
        with listener:
            yield logger, lambda: wait_for(listener)


class Stock(logging.Logger):
    """A logger that is not accelerated."""

    log = inspect.unwrap(logging.Logger.log)


def wait_for(listener: logflume.QueueListener) -> None:
    assert wait_until(lambda: not listener.stats().pending)


def outcome(given: dict[str, Any], queued: bool) -> tuple[dict[str, bytes], list[Any], list[Any]]:
    """What the files hold after the calls, what was reported, and what was left on records that a filter kept."""
    cls, arguments = given["kind"]
    errors: list[Any] = []
    clock = [START]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as undo:
        undo.enter_context(stopped_clock(lambda: clock[0]))
        handler = cls(Path(folder, "log"), encoding=given["encoding"], **arguments)
        undo.callback(handler.close)
        handler.handleError = lambda record: errors.append((record.msg, record.args, record.exc_text))
        fmt, style = given["format"]
        handler.setFormatter(logging.Formatter(fmt, given["datefmt"], style))
        looks = Looks()
        with attached(handler, queued, given["keeps_gil"]) as (logger, wait):
            logger.addFilter(looks)
            for batch in given["batches"]:
                for call in batch:
                    log(logger, clock, call)
                wait()
        with contextlib.suppress(ValueError):
            handler.flush()
        # tracebacks tell the line of the call, and stacks all the callers
        found = {
            name: re.sub(rb"\nStack .*?\n    logger\.log[^\n]*", b"\nStack", content, flags=re.S)
            for name, content in files_in(Path(folder)).items()
        }
    # Of one whose message could change a copy is formatted.
    kept = [record for record in looks.kept if all(type(each) is not list for each in record.args or ())]
    return (
        found,
        errors,
        [[vars(record).get(name) for name in ("message", "asctime")] for record in kept],
    )


@hypothesis.settings(
    max_examples=600, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
@hypothesis.given(
    given=st.fixed_dictionaries(
        {
            "kind": st.sampled_from(KINDS),
            "encoding": st.sampled_from(["utf-8", "utf-8", "latin-1"]),
            "format": st.sampled_from([*FORMATS[:1] * 3, *FORMATS]),
            "datefmt": st.sampled_from(DATEFMTS),
            "batches": batches,
            "keeps_gil": st.sampled_from([False, False, True]),
        }
    )
)
def test_random_batches_write_the_bytes_of_the_stock_handler(accelerated: None, given: dict[str, Any]) -> None:
    assert outcome(given, queued=True) == outcome(given, queued=False)
