"""Random sequences of calls: the handlers behind the queue write the bytes that they write when attached directly."""

from __future__ import annotations

import datetime
import decimal
import io
import logging
import sys
import threading
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

NAMES = ["", "a", "a.b", "c"]
LEVELS = [logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL, 15]
FORMATS = [
    None,
    "%(levelname)s:%(name)s:%(message)s",
    "%(message)s %(lineno)d %(funcName)s %(threadName)s %(module)s",
    "{levelname:>8} {message!r}",
    "%(user)s %(message)s",  # most records have none: an error, which the handler reports
]
HANDLERS = 4


class Counter:
    """Its text changes while the record is in the queue, unless it is rendered before."""

    def __init__(self) -> None:
        self.count = 0

    def __str__(self) -> str:
        return f"<{self.count}>"

    __repr__ = __str__


class Unprintable:
    def __str__(self) -> str:
        raise LookupError("unprintable")

    __repr__ = __str__


class Logs(logging.StreamHandler[io.StringIO]):
    """Logs from within emit, to a logger whose handlers are others."""

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        if record.name != "c" and not hasattr(logging.Logger, "_is_disabled"):  # 3.13.4 and 3.13.5 ignore it
            logging.getLogger("c").warning("caused by %s", record.name)


class Strict(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return "secret" not in str(record.msg)


class World:
    """Handlers that write to memory, and a logger tree to hang them on; with or without a queue between."""

    def __init__(self, lf: ModuleType | None) -> None:
        self.lf = lf
        self.listener: Any = None
        self.streams = [io.StringIO() for _ in range(HANDLERS)]
        self.handlers: list[logging.Handler] = []
        for index, stream in enumerate(self.streams):
            self.handlers.append((Logs if index == 0 else logging.StreamHandler)(stream))
        self.counter = Counter()
        root = logging.getLogger()
        root.setLevel(logging.DEBUG)
        root.addHandler(self.handlers[1])
        logging.getLogger("a").addHandler(self.handlers[0])
        logging.getLogger("a.b").addHandler(self.handlers[2])
        logging.getLogger("c").addHandler(self.handlers[3])
        logging.getLogger("c").propagate = False

    # What a step does in a world of either kind.

    def log(self, name: str, level: int, msg: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.settle_before(name)
        args = tuple(self.counter if arg is Counter else arg for arg in args)
        logging.getLogger(name).log(level, msg, *args, **kwargs)
        self.counter.count += 1

    def settle_before(self, name: str) -> None:
        """What handlers cause is logged to c on the listener's thread: one added there later has that in any order."""
        if name == "c" and any(handler in self.handlers for handler in logging.getLogger(name).handlers):
            self.settle()

    def log_in_threads(self, name: str, level: int, msg: str) -> None:
        self.settle_before(name)
        for number in range(2):  # one after the other, or the order would not be known
            thread = threading.Thread(target=lambda: logging.getLogger(name).log(level, msg), name=f"other {number}")
            thread.start()
            thread.join()

    def log_exception(self, name: str, msg: str) -> None:
        self.settle_before(name)
        try:
            raise ValueError(msg)
        except ValueError:
            logging.getLogger(name).exception("failed: %s", msg)

    def set_logger_level(self, name: str, level: int) -> None:
        self.settle()
        logging.getLogger(name).setLevel(level)

    def set_handler_level(self, index: int, level: int) -> None:
        self.settle()
        self.handlers[index].setLevel(level)

    def set_format(self, index: int, fmt: str | None) -> None:
        self.settle()
        if index == 3 and fmt is not None:
            fmt = fmt.replace("%(threadName)s", "")  # of what a handler logs: that is the listener's
        style: Any = "{" if fmt is not None and fmt.startswith("{") else "%"
        self.handlers[index].setFormatter(None if fmt is None else logging.Formatter(fmt, style=style))

    def set_filter(self, index: int | None) -> None:
        self.settle()
        place = logging.getLogger("a") if index is None else self.handlers[index]
        if place.filters:
            place.removeFilter(place.filters[0])
        else:
            place.addFilter(Strict())

    def set_disable(self, level: int) -> None:
        self.settle()
        logging.disable(level)

    def add_to_logger(self, name: str, index: int) -> None:
        """A handler that is added later stays there, and writes in the call: in its own order."""
        self.settle()
        attached = any(self.handlers[index] in logging.getLogger(other).handlers for other in NAMES)
        moved = self.listener is not None and self.handlers[index] in self.listener.handlers
        if not attached and not moved:
            logging.getLogger(name).addHandler(self.handlers[index])

    def remove_from_logger(self, name: str) -> None:
        self.settle()
        index = NAMES.index(name)
        handler = self.handlers[(1, 0, 2, 3)[index]]
        logging.getLogger(name).removeHandler(handler)
        if self.listener is not None and not any(handler in logging.getLogger(other).handlers for other in NAMES):
            self.listener.removeHandler(handler)

    # What only a world with a queue can do; nothing may come of it.

    def settle(self) -> None:
        if self.listener is not None:
            assert self.listener.flush(20)

    def set_up(self) -> None:
        if self.lf is not None and self.listener is None:
            self.listener = self.lf.setup_logging_queue(*NAMES[1:], logging.root)

    def set_up_again(self) -> None:
        if self.lf is not None and self.listener is not None:
            with warnings.catch_warnings(record=True):  # if there is nothing more to move
                warnings.simplefilter("always")
                assert self.lf.setup_logging_queue(all_loggers=True) is self.listener

    def stop(self) -> None:
        if self.listener is not None:
            assert self.listener.stop(20) == 0
            self.listener = None

    def pause(self) -> None:
        """Stop the thread and go on: what is logged then is handled in the call."""
        if self.listener is not None:
            assert self.lf is not None
            assert self.lf.QueueListener.stop(self.listener, 20) == 0

    def go_on(self) -> None:
        if self.listener is not None:
            try:
                self.listener.start()
            except RuntimeError:
                pass  # it runs

    def close_queue_handlers(self) -> None:
        """As logging.shutdown() does, without the handlers behind them."""
        if self.listener is not None:
            assert self.lf is not None
            for name in NAMES:
                for handler in logging.getLogger(name).handlers:
                    if isinstance(handler, self.lf.LocalQueueHandler):
                        handler.flush()

    def texts(self) -> list[str]:
        self.stop()
        return [stream.getvalue() for stream in self.streams]


def with_step(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, tuple[Any, ...]]]:
    return st.tuples(st.just(name), st.tuples(*arguments))


names = st.sampled_from(NAMES)
levels = st.sampled_from(LEVELS)
indexes = st.integers(0, HANDLERS - 1)
values: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=4),
    st.binary(max_size=3),
    st.sampled_from([decimal.Decimal("1.50"), datetime.date(2026, 11, 22), (1, "two"), [1, 2], {"k": 1}, Counter]),
    st.just(Unprintable()),
)
messages = st.one_of(
    st.sampled_from(["plain", "%s", "%s and %r", "%d", "%(k)s", "secret", "two\nlines", "100 %", "%5.1f|"]),
    st.text(max_size=6),
    st.sampled_from([7, ValueError("as a message"), None]),
)
keywords = st.one_of(
    st.just({}),
    st.sampled_from(
        [
            {"extra": {"user": "me"}},
            {"exc_info": ValueError("given")},
            {"stacklevel": 2},
            {"extra": {"message": 1}, "level": "refused"},
        ]
    ).filter(lambda keywords: "level" not in keywords),
)
logs = with_step("log", names, levels, messages, st.lists(values, max_size=3).map(tuple), keywords)
steps = st.one_of(
    logs,
    logs,
    logs,
    logs,
    with_step("log_in_threads", names, levels, st.sampled_from(["x", "100 %"])),
    with_step("log_exception", names, st.text(max_size=4)),
    with_step("set_logger_level", names, levels),
    with_step("set_handler_level", indexes, levels),
    with_step("set_format", indexes, st.sampled_from(FORMATS)),
    with_step("set_filter", st.one_of(st.none(), indexes)),
    with_step("set_disable", st.sampled_from([0, logging.INFO])),
    with_step("add_to_logger", names, indexes),
    with_step("remove_from_logger", names),
    st.sampled_from(["settle", "set_up", "set_up_again", "stop", "pause", "go_on", "close_queue_handlers"]).flatmap(
        with_step
    ),
)


def outcome(
    lf: ModuleType | None,
    accelerate: bool,
    sequence: list[tuple[str, tuple[Any, ...]]],
    clean: Callable[[], None],
) -> tuple[list[str], list[str]]:
    """Return what each handler wrote, and the errors that handlers reported."""
    clean()
    errors: list[str] = []

    def handle_error(handler: logging.Handler, record: logging.LogRecord) -> None:
        errors.append(f"{record.levelname} {type(sys.exc_info()[1]).__name__}")

    world = World(lf)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.Handler, "handleError", handle_error)
        patch.setattr(logging, "lastResort", None)  # does not come in while there is a queue handler
        patch.setattr(logging, "raiseExceptions", False)  # nor is its absence told of
        try:
            if lf is not None:
                if accelerate:
                    lf.accelerate_loggers()
                world.set_up()
            for name, arguments in sequence:
                getattr(world, name)(*arguments)
            return world.texts(), sorted(errors)
        finally:
            world.stop()
            if lf is not None:
                lf.restore_loggers()
            clean()


def clean() -> None:
    logging.disable(logging.NOTSET)
    for name in NAMES:
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.filters[:] = []
        logger.setLevel(logging.NOTSET)
        logger.propagate = True


@pytest.mark.parametrize("accelerate", [False, True], ids=["standard calls", "accelerated"])
@hypothesis.settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=list(hypothesis.HealthCheck),
)
@hypothesis.given(sequence=st.lists(steps, min_size=3, max_size=25))
def test_random_sequences_write_the_bytes_of_attached_handlers(
    lf: ModuleType, accelerate: bool, sequence: list[tuple[str, tuple[Any, ...]]]
) -> None:
    if accelerate and lf.IMPLEMENTATION == "pure":
        return
    assert outcome(lf, accelerate, sequence, clean) == outcome(None, False, sequence, clean)
