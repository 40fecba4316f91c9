"""LocalQueueHandler against the standard QueueHandler."""

from __future__ import annotations

import asyncio
import copy
import logging
import logging.handlers
import pickle
import queue
import sys
import threading
import unittest.mock
import weakref
from typing import Any

import pytest

from helpers import Collect, drain


def record(message: object = "hello %s %d", args: tuple = ("x", 5), level: int = logging.INFO):
    return logging.LogRecord("a.b.c", level, "/srv/app.py", 7, message, args, None, "call")


class NoPrepare(logging.handlers.QueueHandler):
    """The standard class with prepare() cut out: what people write today."""

    def __init__(self, q=None):
        super().__init__(queue.SimpleQueue() if q is None else q)

    def prepare(self, record):
        return record


@pytest.fixture(params=["ours", "standard"])
def handler_class(request, lf):
    """LocalQueueHandler on either core, and the standard class that it has to behave like."""
    return lf.LocalQueueHandler if request.param == "ours" else NoPrepare


def test_is_a_standard_queue_handler(lf):
    handler = lf.LocalQueueHandler()
    assert isinstance(handler, logging.handlers.QueueHandler)
    assert type(handler.queue) is queue.SimpleQueue
    assert handler.listener is None


def test_enqueues_the_record_itself(handler_class):
    handler = handler_class()
    first, second = record(), record("plain", ())
    handler.handle(first)
    handler.emit(second)
    assert drain(handler.queue) == [first, second]


def test_keeps_exc_info_and_args(handler_class):
    handler = handler_class()
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        raised = logging.LogRecord("a", 40, "p", 1, "m %s", ("x",), sys.exc_info())
    handler.handle(raised)
    (item,) = drain(handler.queue)
    assert item.args == ("x",)
    assert item.exc_info[0] is ZeroDivisionError
    assert item.exc_text is None


def test_handle_returns_what_the_standard_class_returns(handler_class):
    handler = handler_class()
    r = record()
    assert handler.handle(r) is logging.NullHandler().handle(r) or handler.handle(r) is (
        r if sys.version_info >= (3, 12) else True
    )
    handler.addFilter(lambda record: False)
    assert handler.handle(r) is False


@pytest.mark.parametrize("make", [queue.Queue, queue.LifoQueue, queue.SimpleQueue])
def test_takes_any_queue(handler_class, make):
    q = make()
    handler = handler_class(q)
    assert handler.queue is q
    handler.handle(record())
    assert q.qsize() == 1


@pytest.mark.parametrize("wrong", [object(), [], "queue"])
def test_refuses_what_is_no_queue(lf, wrong):
    with pytest.raises(TypeError, match="put_nowait"):
        lf.LocalQueueHandler(wrong)


def test_queue_reassigned_on_the_instance(handler_class):
    handler = handler_class()
    old, new = handler.queue, queue.SimpleQueue()
    handler.queue = new
    handler.handle(record())
    assert (old.qsize(), new.qsize()) == (0, 1)


def test_filters_hold(handler_class):
    handler = handler_class()
    handler.addFilter(lambda r: r.levelno > logging.INFO)
    handler.handle(record())
    handler.handle(record(level=logging.ERROR))
    assert [item.levelno for item in drain(handler.queue)] == [logging.ERROR]
    handler.filters.clear()
    handler.handle(record())
    assert handler.queue.qsize() == 1


def test_filter_that_changes_the_record(handler_class):
    handler = handler_class()

    def change(r):
        r.user = "me"
        return True

    handler.addFilter(change)
    handler.handle(record())
    assert drain(handler.queue)[0].user == "me"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="filters replace records from 3.12 on")
def test_filter_that_replaces_the_record(handler_class):
    handler = handler_class()
    other = record("other", ())
    handler.addFilter(lambda r: other)
    assert handler.handle(record()) is other
    assert drain(handler.queue) == [other]


def test_filters_reassigned(handler_class):
    handler = handler_class()
    handler.filters = [lambda r: False]
    handler.handle(record())
    assert handler.queue.qsize() == 0


def test_filters_attribute_that_is_no_list(handler_class):
    handler = handler_class()
    handler.filters = (lambda r: False,)
    handler.handle(record())
    assert handler.queue.qsize() == 0


@pytest.mark.parametrize("name", ["filter", "emit", "enqueue", "prepare"])
def test_overriding_in_a_subclass(handler_class, name):
    calls = []

    def override(self, record):
        calls.append((name, self.lock._is_owned()))
        return getattr(super(subclass, self), name)(record)

    subclass = type("Sub", (handler_class,), {name: override})
    handler = subclass()
    r = record()
    handler.handle(r)
    # The standard handle() filters before it takes the handler's lock, and emits with it.
    assert calls == [(name, name != "filter")]
    assert drain(handler.queue) == [r]


@pytest.mark.parametrize("name", ["filter", "emit", "enqueue", "prepare"])
def test_patching_on_the_instance(handler_class, name):
    calls = []
    handler = handler_class()
    original = getattr(handler, name)

    def patched(record):
        calls.append(name)
        return original(record)

    setattr(handler, name, patched)
    handler.handle(record())
    assert calls == [name]
    delattr(handler, name)
    handler.handle(record())
    assert calls == [name]
    assert handler.queue.qsize() == 2


@pytest.mark.parametrize("name", ["filter", "emit", "enqueue"])
def test_patching_on_a_class(lf, monkeypatch, name):
    calls = []
    handler = lf.LocalQueueHandler()
    handler.handle(record())  # so that it has looked already
    # filter() is found on a base: logging.Filterer.
    owner = next(cls for cls in lf.LocalQueueHandler.__mro__ if name in vars(cls))
    original = vars(owner)[name]

    def patched(self, record):
        calls.append(name)
        return original(self, record)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, patched)
        handler.handle(record())
        assert calls == [name]
    handler.handle(record())
    assert calls == [name]
    assert handler.queue.qsize() == 3


def test_errors_in_emit_go_to_handle_error(handler_class):
    handler = handler_class(queue.Queue(1))
    seen = []
    handler.handleError = lambda r: seen.append((r, sys.exc_info()[0]))
    first, second = record(), record()
    handler.handle(first)
    handler.handle(second)
    assert seen == [(second, queue.Full)]


def test_errors_of_an_overridden_emit_reach_the_caller(handler_class):
    # As in the standard class: only emit() itself calls handleError().
    class Broken(handler_class):
        def emit(self, record):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Broken().handle(record())


def test_full_queue_reports_on_stderr_and_not_to_the_caller(handler_class, capsys):
    handler = handler_class(queue.Queue(1))
    for _ in range(2):
        handler.handle(record())
    assert "Full" in capsys.readouterr().err


def test_raise_exceptions_off_is_silent(handler_class, capsys, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    handler = handler_class(queue.Queue(1))
    for _ in range(2):
        handler.handle(record())
    assert capsys.readouterr().err == ""


def test_handler_lock_is_not_taken(lf):
    handler = lf.LocalQueueHandler()
    done = threading.Event()

    def log():
        handler.handle(record())
        done.set()

    with handler.lock:
        thread = threading.Thread(target=log)
        thread.start()
        assert done.wait(10)
        thread.join()


def test_level_and_name_work_as_in_any_handler(handler_class):
    handler = handler_class()
    handler.setLevel("ERROR")
    handler.set_name("q")
    assert (handler.level, handler.name) == (logging.ERROR, "q")
    logger = logging.getLogger("levels")
    logger.addHandler(handler)
    logger.setLevel(1)
    logger.warning("no")
    logger.error("yes")
    assert [r.msg for r in drain(handler.queue)] == ["yes"]
    assert "ERROR" in repr(handler)


def test_new_attributes_and_weak_references(handler_class):
    handler = handler_class()
    handler.anything = 1
    assert weakref.ref(handler)() is handler
    assert vars(handler)["anything"] == 1


def test_a_standard_listener_can_take_the_records(lf):
    handler = lf.LocalQueueHandler()
    seen = logging.handlers.BufferingHandler(1000)
    listener = logging.handlers.QueueListener(handler.queue, seen)
    listener.start()
    handler.handle(record())
    listener.stop()
    assert [r.getMessage() for r in seen.buffer] == ["hello x 5"]


def test_a_queue_of_asyncio(lf):
    async def main():
        handler = lf.LocalQueueHandler(asyncio.Queue())
        handler.handle(record())
        return await handler.queue.get()

    assert asyncio.run(main()).getMessage() == "hello x 5"


class Text:
    def __init__(self, text):
        self.text = text

    def __str__(self):
        return self.text


@pytest.mark.parametrize(
    ("message", "args", "change"),
    [
        ("%s", ([1],), lambda m, a: a[0].append(2)),
        ("%s", (Text("1"),), lambda m, a: setattr(a[0], "text", "2")),
        (Text("1"), (), lambda m, a: setattr(m, "text", "2")),
        ("%(a)s", ({"a": 1},), lambda m, a: a[0].update(a=2)),
        ("%s %s", ("x", ("y", [1])), lambda m, a: a[1][1].append(2)),
    ],
)
def test_arguments_changed_after_the_call(lf, message, args, change):
    """A handler attached directly would have written the values of the call; so must one behind the queue."""
    message, args = copy.deepcopy((message, args))
    handler = lf.LocalQueueHandler()
    r = record(message, args)
    expected = r.getMessage()
    handler.handle(r)
    change(message, args)
    (queued,) = drain(handler.queue)
    assert queued.getMessage() == expected
    assert queued.args is r.args
    assert queued.msg == (r.msg if isinstance(r.msg, str) else expected)
    assert type(queued) is logging.LogRecord
    assert list(vars(queued)) == list(vars(r))


class Own(logging.LogRecord):
    def getMessage(self):
        return "own " + super().getMessage()


@pytest.fixture(params=[logging.LogRecord, Own])
def cls(request):
    return request.param


@pytest.fixture
def prepare(lf):
    return lf.LocalQueueHandler().prepare


def test_prepare_returns_a_record_that_cannot_change(prepare, cls):
    record = cls("n", 10, "p", 1, "m %s %s %s", ("a", 1, (None, 2.0, b"", True)), None)
    assert prepare(record) is record


@pytest.mark.parametrize("argument", [[1], {"a": 1}, type("S", (str,), {})("s")], ids=repr)
def test_prepare_keeps_a_message_that_could_change(prepare, cls, argument):
    record = cls("n", 10, "p", 1, "m %s", (argument, 1), None)
    record.msg = "m %s %s"
    kept = prepare(record)
    expected = record.getMessage()
    if isinstance(argument, list):
        argument.append(2)
    assert kept is not record
    assert type(kept) is cls
    assert kept.getMessage() == expected
    assert vars(kept) == vars(record)
    assert copy.copy(kept).getMessage() == expected


def test_what_prepare_returns_pickles_as_the_class_of_the_record(prepare, cls):
    kept = prepare(cls("n", 10, "p", 1, "m %s", ([1],), None))
    new = pickle.loads(pickle.dumps(kept))
    assert type(new) is cls
    assert vars(new) == vars(kept)
    assert type(copy.deepcopy(kept)) is cls


def test_what_prepare_returns_goes_by_new_arguments(prepare, cls):
    kept = prepare(cls("n", 10, "p", 1, "m %s", ([1],), None))
    kept.args = ("new",)
    assert kept.getMessage().endswith("m new")


def test_prepare_leaves_a_record_that_cannot_be_rendered(prepare, cls):
    record = cls("n", 10, "p", 1, "m %d", ([1],), None)
    assert prepare(record) is record


# ---- what a logger takes as a handler: anything with a level and handle() ----


class Duck:
    level = 0

    def __init__(self) -> None:
        self.messages: list[str] = []

    def handle(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


class SlotsOnly:
    __slots__ = ("level", "messages")
    __init__ = Duck.__init__
    handle = Duck.handle


def _mock(**given: Any) -> Any:
    handler = unittest.mock.MagicMock(level=0, **given)
    handler.messages = []
    handler.handle.side_effect = lambda record: handler.messages.append(record.getMessage())
    return handler


def _slots_only() -> Any:
    handler = SlotsOnly()
    handler.level = 0
    return handler


@pytest.mark.parametrize(
    "make",
    [Duck, _slots_only, _mock, lambda: _mock(spec=logging.StreamHandler)],
    ids=["duck", "slots only", "mock", "mock of a handler"],
)
@pytest.mark.parametrize("filter_in_call", [True, False, None])
@pytest.mark.parametrize("accelerate", [True, False])
def test_what_is_no_handler_but_handles(lf, clean_logging, capfd, make, filter_in_call, accelerate):
    logger = logging.getLogger("ducks")
    handler, other = make(), Collect()
    logger.handlers = [handler, other]
    if filter_in_call is None:
        queue_handler = lf.LocalQueueHandler()
        queue_handler.listener = listener = lf.QueueListener(queue_handler.queue, handler, other)
        logger.handlers = [queue_handler]
        if accelerate:
            lf.accelerate_loggers()
    else:
        listener = lf.setup_logging_queue(logger, filter_in_call=filter_in_call, accelerate=accelerate)
    for i in range(5):
        logger.error("%d %s", i, "x")
        logger.error("%s", [i])
    assert listener.flush(10)
    assert listener.stop(10) == 0
    lf.restore_loggers()
    logger.handlers = []
    assert handler.messages == other.messages == [text for i in range(5) for text in (f"{i} x", f"[{i}]")]
    if hasattr(handler, "mock_calls"):
        assert {name for name, _, _ in handler.mock_calls} - {"__hash__", "__eq__"} <= {"handle", "flush"}
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("moved", [False, True])
def test_a_copy_is_a_handler_for_the_same_queue(lf, clean_logging, moved):
    logger = logging.Logger("shop")
    logger.addHandler(collect := Collect(logging.WARNING))
    with lf.setup_logging_queue(logger) as listener:
        handler = logger.handlers[0]
        if not moved:
            handler = lf.LocalQueueHandler(listener.queue)
            handler.listener = listener
            handler.setLevel(logging.WARNING)
        other = copy.copy(handler)
        other.name = "copy"
        other.setLevel(logging.ERROR)
        assert (type(other), other.queue, other.listener) == (type(handler), handler.queue, listener)
        assert (handler.name, handler.level) == (None, logging.WARNING)
        logger.handlers = [other]
        logger.warning("one")
        logger.error("two")
    assert collect.messages == ["two"]
