"""Records that a handler logs while it handles one: handled inside that call, as with handlers attached directly."""

from __future__ import annotations

import io
import logging
import logging.handlers
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cores
from helpers import run_code

pytestmark = pytest.mark.skipif(
    cores.IGNORES_NESTED, reason="this Python ignores what is logged while a record is handled"
)


def both_ways(
    lf: Any,
    make: Callable[[], tuple[list[logging.Handler], Callable[[], Any]]],
    accelerate: bool,
    count: int = 6,
) -> tuple[Any, Any]:
    """What `make()`'s outcome is after `count` records, attached, and behind the queue."""
    outcomes = []
    for queued in (False, True):
        logging.root.handlers.clear()
        logging.root.setLevel(logging.DEBUG)
        handlers, outcome = make()
        for handler in handlers:
            logging.root.addHandler(handler)
        listener = lf.setup_logging_queue(accelerate=accelerate) if queued else None
        for i in range(count):
            logging.getLogger("app").warning("record %d", i)
        if listener:
            assert listener.flush(20)
            assert listener.stats().pending == 0
            listener.stop()
        outcomes.append(outcome())
    return outcomes[0], outcomes[1]


client = logging.getLogger("client")


class Guarded(logging.Handler):
    """Posts over HTTP, say: what its client logs meanwhile is not posted."""

    def __init__(self, nested: int, seen: list[str]) -> None:
        super().__init__()
        self.nested = nested
        self.seen = seen
        self.local = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(self.local, "busy", False):
            return
        self.local.busy = True
        try:
            for i in range(self.nested):
                client.debug("connection %d for %s", i, record.getMessage())
            self.seen.append(record.getMessage())
        finally:
            self.local.busy = False


class Plain(logging.Handler):
    def __init__(self, seen: list[str]) -> None:
        super().__init__()
        self.seen = seen

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(record.getMessage())


class File(logging.FileHandler):
    """A subclass, which gets its records one at a time."""

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)


@pytest.mark.parametrize("nested", [1, 3, 30])
def test_a_guard_against_reentrance_holds(lf: Any, clean_logging: None, nested: int, accelerate: bool) -> None:
    def make() -> Any:
        seen: list[str] = []
        return [Guarded(nested, seen)], lambda: seen

    attached, queued = both_ways(lf, make, accelerate)
    assert queued == attached == [f"record {i}" for i in range(6)]


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("kind", ["plain", "exact file", "subclass"])
def test_the_order_at_all_handlers_is_the_same(
    lf: Any, clean_logging: None, tmp_path: Path, place: int, kind: str, accelerate: bool
) -> None:
    """Whether they come before or after the handler that logs."""
    turn = iter("ab")

    def make() -> Any:
        folder = tmp_path / next(turn)
        folder.mkdir()
        others: list[Any] = []
        for i in range(2):
            if kind == "plain":
                others.append(Plain([]))
            else:
                others.append((logging.FileHandler if kind == "exact file" else File)(folder / f"log{i}"))
        handlers: list[logging.Handler] = [*others[:place], Guarded(2, []), *others[place:]]

        def outcome() -> Any:
            for other in others:
                other.close()
            if kind == "plain":
                return [other.seen for other in others]
            return [path.read_text() for path in sorted(folder.iterdir())]

        return handlers, outcome

    attached, queued = both_ways(lf, make, accelerate, 40)
    assert queued == attached


class LogsWhileItFormats(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(message)s")
        self.busy = False

    def format(self, record: logging.LogRecord) -> str:
        if not self.busy and record.getMessage().endswith(("1", "4")):
            self.busy = True
            client.info("formatting %s", record.getMessage())
            self.busy = False
        return super().format(record)


def test_what_a_formatter_logs_comes_before_its_record(lf: Any, clean_logging: None, accelerate: bool) -> None:
    def make() -> Any:
        handler = logging.StreamHandler(io.StringIO())
        handler.setFormatter(LogsWhileItFormats())
        return [handler], handler.stream.getvalue

    attached, queued = both_ways(lf, make, accelerate, 12)
    assert queued == attached


def test_what_is_logged_below_a_handler_s_level_is_not_for_it(lf: Any, clean_logging: None, accelerate: bool) -> None:
    def make() -> Any:
        seen: list[str] = []
        quiet, loud = Plain([]), Plain(seen)
        quiet.setLevel(logging.ERROR)
        return [quiet, Guarded(2, []), loud], lambda: (quiet.seen, seen)

    attached, queued = both_ways(lf, make, accelerate)
    assert queued == attached


class NeverEnds(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.depth = self.deepest = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.depth += 1
        self.deepest = max(self.depth, self.deepest)
        try:
            client.info("again")
        finally:
            self.depth -= 1


def test_recursion_ends_at_the_interpreter_s_limit_and_is_reported_once(
    lf: Any, clean_logging: None, capsys: pytest.CaptureFixture[str], accelerate: bool
) -> None:
    handler = NeverEnds()
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.DEBUG)
    with lf.setup_logging_queue(accelerate=accelerate) as listener:
        for _ in range(3):
            logging.getLogger("app").warning("record")
        assert listener.flush(20)
        assert listener.stats().pending == 0
    assert 10 < handler.deepest < sys.getrecursionlimit()
    errors = capsys.readouterr().err
    assert errors.count("--- Logging error ---") == 3
    assert errors.count("RecursionError:") == 3


def test_what_a_nested_handler_raises_is_raised_in_the_handler_that_logs(lf: Any, clean_logging: None) -> None:
    caught: list[str] = []

    class Raises(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name == "client":
                raise KeyError("nested")

    class Catches(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name == "app":
                try:
                    client.info("nested")
                except KeyError as error:
                    caught.append(str(error))

    def make() -> Any:
        caught.clear()
        return [Catches(), Raises()], lambda: list(caught)

    attached, queued = both_ways(lf, make, accelerate=False)
    assert queued == attached == ["'nested'"] * 6


FULL_DISK = """
import logging, os, sys, threading
import logflume

class ToLogger:
    local = threading.local()
    def __init__(self, log):
        self.log = log
    def write(self, text):
        if getattr(self.local, "busy", False):
            return
        self.local.busy = True
        try:
            for line in text.rstrip().splitlines():
                self.log.error(line.rstrip())
        finally:
            self.local.busy = False
    def flush(self):
        pass

class Disk:
    writes = 0
    def write(self, text):
        Disk.writes += 1
        raise OSError(28, "No space left on device")
    def flush(self):
        pass

logging.basicConfig(level=logging.INFO, stream=Disk())
listener = logflume.setup_logging_queue(accelerate=True)
sys.stderr = ToLogger(logging.getLogger("STDERR"))
for _ in range(20):
    logging.getLogger("app").info("one record")
flushed = listener.flush(15)
print(flushed, listener.stats().pending, Disk.writes < 20 * 200)
"""


def test_a_full_disk_with_stderr_redirected_to_a_logger(lf: Any) -> None:
    """The reports of errors are logged, and fail as well: it ends, as it does without a queue."""
    done = run_code(FULL_DISK)
    assert done.stdout.strip() == "True 0 True"


def test_a_record_that_no_handler_can_compare_takes_no_other_with_it(lf: Any, clean_logging: None) -> None:
    seen: list[str] = []
    handler = Plain(seen)
    handler.setLevel(logging.INFO)
    source = lf.LocalQueueHandler()
    errors: list[Any] = []
    listener = lf.QueueListener(
        source.queue, handler, respect_handler_level=True, on_error=lambda *given: errors.append(given)
    )
    for i in range(3):
        record = logging.makeLogRecord({"msg": f"record {i}", "levelno": 20})
        if i == 1:
            del record.levelno
        source.queue.put(record)
    with listener:
        assert listener.flush(10)
    assert seen == ["record 0", "record 2"]
    [(record, failed, error)] = errors
    assert (record.msg, failed, type(error)) == ("record 1", handler, AttributeError)
