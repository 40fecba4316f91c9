"""The same calls through standard and through accelerated loggers make the same records and the same text."""

import collections
import contextlib
import decimal
import enum
import io
import logging
import queue
import re
import sys
import threading

import hypothesis
import pytest
from hypothesis import strategies as st

import cores
from helpers import drain, needs_compiled

pytestmark = needs_compiled
TIMES = {"created", "msecs", "relativeCreated"}
FORMAT = "%(levelname)s %(levelno)s %(name)s %(filename)s %(module)s %(lineno)s %(funcName)s %(threadName)s %(message)s"


@pytest.fixture(scope="module")
def logflume():
    with cores.imported("compiled") as package:
        yield package


class Text:
    def __str__(self):
        return "text"

    def __repr__(self):
        return "Text()"


class Level(enum.IntEnum):
    NOTICE = 25


class Str(str):
    __slots__ = ()


class FalseError(Exception):
    def __bool__(self):
        return False


def raised():
    try:
        raise ValueError("bad")
    except ValueError as error:
        return error


ERROR = raised()
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.sampled_from([Text(), Str("s"), decimal.Decimal("1.5"), (), (1, "a"), (1, [2]), [], [1], {}, {"a": 1}]),
    st.sampled_from([collections.OrderedDict(a=2), collections.UserDict(a=3), collections.UserDict()]),
)
messages = st.one_of(
    st.sampled_from(["plain", "%s", "%s %s", "%d", "%(a)s", "%r", "100%", "", "%"]),
    st.text(max_size=8),
    values,
)
exc_infos = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        1,
        "yes",
        "",
        (),
        ERROR,
        FalseError(),
        (None, None, None),
        (ValueError, ERROR, None),
    ]
)
extras = st.one_of(
    st.none(),
    st.dictionaries(st.text(max_size=3), values, max_size=3),
    st.sampled_from(
        [
            {"message": 1},
            {"name": "x"},
            {"taskName": "t"},
            {"asctime": 1},
            {1: 2},
            {Str("k"): 1},
            {"getMessage": 1},
        ]
    ),
    st.just(collections.UserDict(user=1)),
)
keywords = st.fixed_dictionaries(
    {},
    optional={
        "exc_info": exc_infos,
        "extra": extras,
        "stack_info": st.sampled_from([True, False, None, 0, 1]),
        "stacklevel": st.sampled_from([-1, 0, 1, 2, 3, 4, 100, True, 2.0, Level.NOTICE]),
        "bogus": st.just(1),
    },
)
methods = st.sampled_from(["debug", "info", "warning", "error", "critical", "exception", "fatal", "warn"])
levels = st.sampled_from([0, 5, 10, 20, 25, 30, 50, -3, 10**12, True, Level.NOTICE, "INFO", 2.5, None])
calls = st.tuples(
    st.one_of(st.tuples(methods), st.tuples(st.just("log"), levels)),
    messages,
    st.lists(values, max_size=3),
    keywords,
)
shapes = st.sampled_from(["plain", "wrapped", "in an except block", "adapter", "module", "in a thread"])


def perform(logger, shape, call):
    """Make the call; each shape has one line for both kinds of loggers."""
    (name, *level), msg, args, kwargs = call
    if shape == "adapter":
        logger = logging.LoggerAdapter(logger, {"from": "adapter"})
    elif shape == "module":
        logger = logging

    def log():
        getattr(logger, name)(*level, msg, *args, **kwargs)

    if shape == "wrapped":
        (lambda: log())()
    elif shape == "in an except block":
        try:
            raise KeyError("k")
        except KeyError:
            log()
    else:
        log()


class Listed(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)


def outcomes(package, accelerate, cases):
    # Not for each call: from 3.13 a class that was changed a thousand times gets no version tag any more.
    if accelerate:
        assert package.accelerate_loggers()
    try:
        return [outcome(package, *case) for case in cases]
    finally:
        package.restore_loggers()


def outcome(package, shape, call, others, root_level):
    """Return the records that the handlers got, and what was raised."""
    with tree(root_level) as (root, logger):
        handler = package.LocalQueueHandler(queue.SimpleQueue())
        root.addHandler(handler)
        listed = Listed()
        if others:
            root.addHandler(listed)
            logger.addHandler(handler)
        stream = io.StringIO()
        error = None
        try:
            with contextlib.redirect_stderr(stream):
                if shape == "in a thread":
                    errors = []

                    def run():
                        try:
                            perform(logger, shape, call)
                        except Exception as caught:
                            errors.append(caught)

                    thread = threading.Thread(target=run, name="other")
                    thread.start()
                    thread.join()
                    error = errors[0] if errors else None
                else:
                    perform(logger, shape, call)
        except Exception as caught:
            error = caught
        return listed.records + drain(handler.queue), error


@contextlib.contextmanager
def tree(root_level):
    """Have a root logger and a logger under it with no handlers but those that the test adds."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []
    root.setLevel(root_level)
    logger = logging.getLogger("differential.a.b")
    logger.handlers[:] = []
    try:
        yield root, logger
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logger.handlers[:] = []


def attributes(record):
    found = []
    for key, value in record.__dict__.items():
        kind = type(value)
        if key in TIMES or (key == "thread" and record.threadName == "other"):
            value = None
        if isinstance(value, tuple):
            value = [(type(item), repr(item)) for item in value]
        found.append((key, kind, re.sub("0x[0-9A-Fa-f]+", "", repr(value))))
    return found


def text(record):
    try:
        return logging.Formatter(FORMAT).format(record)
    except Exception as error:
        return repr(error)


def described(records):
    # One record may be there twice, and formatting adds to it: so all attributes first.
    return [attributes(record) for record in records], [text(record) for record in records]


cases = st.tuples(shapes, calls, st.booleans(), st.sampled_from([0, 10, 30, 60])).filter(
    lambda case: not (case[0] == "module" and case[1][0][0] == "warn" and sys.version_info >= (3, 13))
)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@hypothesis.settings(deadline=None, max_examples=100, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(st.lists(cases, min_size=1, max_size=10))
def test_random_calls_make_the_same_records_as_standard_loggers(logflume, cases):
    # One line for both, because it is in the stack that stack_info shows.
    standard, compiled = (outcomes(logflume, accelerate, cases) for accelerate in (False, True))
    for (records, error), (compiled_records, compiled_error) in zip(standard, compiled, strict=True):
        assert described(compiled_records) == described(records)
        assert type(compiled_error) is type(error)
        assert str(compiled_error) == str(error)
