"""What once lost a record, or never ended: full and broken queues, errors that report errors, forks, nested calls."""

from __future__ import annotations

import io
import logging
import logging.handlers
import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest


class Calls(logging.Handler):
    """Calls `function` with each record, and keeps the messages."""

    def __init__(self, function: Callable[[logging.LogRecord], object] = lambda record: None) -> None:
        super().__init__()
        self.messages: list[str] = []
        self.function = function

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
        self.function(record)


@pytest.fixture
def attach(lf: ModuleType) -> Iterator[Callable[..., Any]]:
    """Put handlers behind a queue, on the root logger, and return the listener."""
    listeners = []

    def attach(*handlers: logging.Handler, queue: Any = None, **options: Any) -> Any:
        handler = lf.LocalQueueHandler(queue)
        handler.listener = lf.QueueListener(handler.queue, *handlers, **options)
        logging.root.addHandler(handler)
        listeners.append(handler.listener)
        return handler.listener

    yield attach
    for listener in listeners:
        listener.stop(5)


def test_stop_tells_the_thread_again_if_the_queue_was_full(attach: Callable[..., Any]) -> None:
    inside, go = threading.Event(), threading.Event()
    handler = Calls(lambda record: (inside.set(), go.wait(5)))
    listener = attach(handler, queue=queue.Queue(1))
    logging.error("1")
    assert inside.wait(5)
    logging.error("2")
    assert listener.stop(0.05)
    go.set()
    assert listener.stop(5) == 0
    assert handler.messages == ["1", "2"]


def test_handlers_may_change_the_listener_while_stop_waits_for_room(attach: Callable[..., Any]) -> None:
    inside = threading.Event()

    def function(record: logging.LogRecord) -> None:
        inside.set()
        time.sleep(0.05)
        listener.addHandler(other)

    handler, other = Calls(function), Calls()
    listener = attach(handler, queue=queue.Queue(1))
    logging.error("1")
    assert inside.wait(5)
    logging.error("2")
    assert listener.stop(5) == 0
    assert handler.messages == ["1", "2"]
    assert other.messages == ["2"]


def test_a_handler_may_stop_a_listener_whose_queue_is_full(attach: Callable[..., Any]) -> None:
    inside, go = threading.Event(), threading.Event()

    def function(record: logging.LogRecord) -> None:
        inside.set()
        go.wait(5)
        listener.stop()

    handler = Calls(function)
    listener = attach(handler, queue=queue.Queue(2))
    logging.error("1")
    assert inside.wait(5)
    logging.error("2")
    logging.error("3")
    go.set()
    assert listener.stop(5) == 0
    assert handler.messages == ["1", "2", "3"]
    assert listener.queue.unfinished_tasks == 0


def test_who_delivers_in_the_call_does_not_take_the_sentinel_from_the_thread(
    attach: Callable[..., Any],
) -> None:
    inside, go = threading.Event(), threading.Event()
    handler = Calls(lambda record: (inside.set(), go.wait(5)))
    listener = attach(handler, queue=queue.Queue())
    listener.stop()
    listener.queue.put(logging.makeLogRecord({"msg": "1"}))
    caller = threading.Thread(target=logging.error, args=("2",))
    caller.start()
    assert inside.wait(5)
    listener.start()
    deadline = time.monotonic() + 5
    while listener.queue.qsize() and time.monotonic() < deadline:
        time.sleep(0.01)  # until the thread has the second record
    stopper = threading.Thread(target=listener.stop)
    stopper.start()
    while not listener.queue.qsize() and time.monotonic() < deadline:
        time.sleep(0.01)  # until the sentinel is in the queue
    go.set()
    caller.join()
    stopper.join(5)
    assert not stopper.is_alive()
    assert handler.messages == ["1", "2"]


def test_stop_ends_if_a_handler_feeds_its_own_queue(lf: ModuleType) -> None:
    records: queue.SimpleQueue[Any] = queue.SimpleQueue()
    listener = lf.QueueListener(records, lf.LocalQueueHandler(records))
    listener.start()
    records.put(logging.makeLogRecord({"msg": "again and again"}))
    assert listener.stop(5) == 1


@pytest.mark.parametrize("stopped", [False, True])
def test_what_a_text_logs_while_it_is_formatted_arrives(attach: Callable[..., Any], stopped: bool) -> None:
    class Talkative(Exception):
        def __str__(self) -> str:
            logging.error("nested")
            return "text"

    stream = io.StringIO()
    listener = attach(logging.StreamHandler(stream))
    if stopped:
        if hasattr(logging.Logger, "_is_disabled"):
            pytest.skip("3.13.4 and 3.13.5 ignore what a handler logs in the call")
        listener.stop()
    logging.error("outer", exc_info=Talkative())
    assert listener.flush(5)
    assert {"nested", "outer"} < set(stream.getvalue().splitlines())
    assert listener.stop(5) == 0


def test_what_on_error_logs_arrives(attach: Callable[..., Any]) -> None:
    class Failing(logging.Handler):
        def flush(self) -> None:
            raise ZeroDivisionError

        def handle(self, record: logging.LogRecord) -> bool:
            raise ZeroDivisionError

    stream = io.StringIO()
    failing = Failing()

    def on_error(record: logging.LogRecord | None, handler: logging.Handler, error: BaseException) -> None:
        listener.removeHandler(failing)
        logging.error("%s in %s", type(error).__name__, "flush" if record is None else "handle")

    for records in (1, 0):
        listener = attach(failing, logging.StreamHandler(stream), on_error=on_error)
        logging.root.setLevel(logging.ERROR)
        for _ in range(records):
            logging.error("record")
        assert listener.flush(5)
        assert listener.stop(5) == 0
        logging.root.handlers.clear()
    assert "ZeroDivisionError in handle" in stream.getvalue()


@pytest.mark.parametrize("exit", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_on_error_cannot_end_the_thread(attach: Callable[..., Any], exit: type[BaseException]) -> None:
    def fail(record: logging.LogRecord) -> None:
        if record.getMessage() == "1":
            raise ZeroDivisionError

    def on_error(*args: object) -> None:
        raise exit

    handler = Calls(fail)
    listener = attach(handler, on_error=on_error)
    for message in ("1", "2"):
        logging.error(message)
    assert listener.flush(5)
    logging.error("3")
    assert listener.stop(5) == 0
    assert handler.messages == ["1", "2", "3"]


def test_an_error_while_an_error_is_told_does_not_end_the_thread(lf: ModuleType) -> None:
    class Listener(lf.QueueListener):  # type: ignore[name-defined, misc]
        lacking = 2

        def _handle_taken(self) -> bool:
            if self.lacking:
                raise MemoryError
            return super()._handle_taken()  # type: ignore[no-any-return]

        def _report_error(self, *given: object) -> None:
            self.lacking -= 1
            raise MemoryError

    handler = Calls()
    queue_handler = lf.LocalQueueHandler()
    with Listener(queue_handler.queue, handler) as listener:
        queue_handler.handle(logging.makeLogRecord({"msg": "one"}))
        assert listener.flush(10)
    assert handler.messages == ["one"]


def test_without_memory_no_record_is_lost_between_the_queue_and_the_handlers(lf: ModuleType) -> None:
    class Full(deque):  # type: ignore[type-arg]
        def append(self, item: Any) -> None:
            if len(self) == 1:
                raise MemoryError
            super().append(item)

    take = sys.modules[lf.QueueListener.__module__].take
    records: queue.SimpleQueue[Any] = queue.SimpleQueue()
    taken = Full()
    for name in ("a", "b", None, "c"):
        records.put(None if name is None else logging.makeLogRecord({"msg": name}))
    with pytest.raises(MemoryError):
        take(records, 10, taken)
    assert [record.msg for record in taken[0].records] == ["a", "b"]
    left = [records.get(), records.get()]
    assert left[0].msg == "c"
    assert left[1] is None


def test_a_broken_queue_is_reported_now_and_then_and_can_be_stopped(lf: ModuleType) -> None:
    class Broken(queue.Queue[Any]):
        broken = True

        def get(self, block: bool = True, timeout: float | None = None) -> Any:
            if self.broken:
                raise OSError("closed")
            return super().get(block, timeout)

    errors: list[BaseException] = []
    records = Broken()
    listener = lf.QueueListener(records, on_error=lambda record, handler, error: errors.append(error))
    listener.start()
    deadline = time.monotonic() + 5
    while not errors and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert 1 <= len(errors) < 50
    assert all(type(error) is OSError for error in errors)
    with pytest.raises(OSError, match="closed"):
        listener.stop(5)
    records.broken = False
    listener.stop(5)


def test_handle_and_prepare_may_be_patched_later(
    lf: ModuleType, attach: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = Calls()
    listener = attach(handler)
    seen: list[str] = []

    def watched(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def method(*args: Any) -> Any:
            seen.append(name)
            return original(*args)

        return method

    monkeypatch.setattr(lf.QueueListener, "handle", watched("class", lf.QueueListener.handle))
    logging.error("1")
    assert listener.flush(5)
    monkeypatch.undo()
    monkeypatch.setattr(
        logging.handlers.QueueListener, "prepare", watched("base", logging.handlers.QueueListener.prepare)
    )
    logging.error("2")
    assert listener.flush(5)
    monkeypatch.undo()
    listener.handle = watched("instance", listener.handle)
    logging.error("3")
    assert listener.flush(5)
    assert seen == ["class", "base", "instance"]
    assert handler.messages == ["1", "2", "3"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_fork_while_a_handler_does_not_come_to_an_end(lf: ModuleType, attach: Callable[..., Any]) -> None:
    """The first thread of the child may get the identifier that the listener's had."""
    parent = os.getpid()
    inside, go = threading.Event(), threading.Event()
    reader, writer = os.pipe()

    class Stuck(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:  # the lock may be held for ever, in the child
            if os.getpid() == parent:
                inside.set()
                go.wait(10)
            else:
                os.write(writer, record.getMessage().encode())
            return True

    listener = attach(Stuck())
    logging.error("parent")
    assert inside.wait(5)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            thread = threading.Thread(target=lambda: (logging.error("child"), listener.flush(5)))
            thread.start()
            thread.join()
            code = 0
        finally:
            os._exit(code)
    go.set()
    assert os.waitpid(child, 0)[1] == 0
    os.close(writer)
    with open(reader) as pipe:
        assert pipe.read() == "child"


@pytest.mark.skipif(sys.platform == "emscripten", reason="needs processes")
def test_the_number_left_in_a_queue_that_does_not_know_its_length(lf: ModuleType) -> None:
    class Unknowing:
        """As multiprocessing's queues on macOS."""

        def __init__(self) -> None:
            self.items: queue.SimpleQueue[Any] = queue.SimpleQueue()
            self.put_nowait = self.items.put_nowait
            self.get = self.items.get
            self.get_nowait = self.items.get_nowait

        def qsize(self) -> int:
            raise NotImplementedError

    handler = Calls()
    records = Unknowing()
    listener = lf.QueueListener(records, handler)
    records.put_nowait(logging.makeLogRecord({"msg": "before"}))
    assert "0 records left" in repr(listener)
    assert listener.stop() == 0
    assert handler.messages == ["before"]
    listener.start()
    records.put_nowait(logging.makeLogRecord({"msg": "while it runs"}))
    assert listener.stop(5) == 0
    assert handler.messages == ["before", "while it runs"]


def test_one_broken_listener_does_not_keep_the_others_from_delivering_at_exit(tmp_path: Any) -> None:
    code = """
import logging, queue, sys
import logflume

class Broken(queue.Queue):
    def get(self, *args, **kwargs):
        raise OSError("closed")

for records in (Broken(), queue.SimpleQueue(), Broken()):
    handler = logflume.LocalQueueHandler(records)
    handler.listener = logflume.QueueListener(records, logging.FileHandler("log"), on_error=lambda *args: None)
    logging.root.addHandler(handler)
    logging.error("%s", type(records).__name__)
    if type(records) is queue.SimpleQueue:
        handler.listener.stop()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, timeout=60, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "SimpleQueue" in (tmp_path / "log").read_text()
