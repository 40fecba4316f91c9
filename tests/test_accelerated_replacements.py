"""Parts of logging that are replaced are honoured by accelerated loggers, from the next call on, each on its own."""

import asyncio
import collections.abc
import decimal
import logging
import multiprocessing
import os
import queue
import sys
import threading
import time
from unittest import mock

import pytest

from helpers import FREE_THREADED, forget_thread, is_quick

METHODS = ["isEnabledFor", "_log", "findCaller", "makeRecord", "handle", "callHandlers", "filter"]


def wrapped(method, calls):
    def wrapper(*args, **kwargs):
        calls.append(method.__name__)
        return method(*args, **kwargs)

    return wrapper


def log_once(records, logger=None):
    (logger or logging.getLogger("test.loggers")).info("m")
    (record,) = records()
    assert record.msg == "m"
    # A wrapper around what looks for the caller is the caller: so it is in the standard library.
    assert record.funcName in ("log_once", "wrapper")
    return record


@pytest.mark.parametrize("name", METHODS)
def test_a_patched_method_of_Logger(records, monkeypatch, name):
    calls = []
    log_once(records)
    with monkeypatch.context() as patch:
        patch.setattr(logging.Logger, name, wrapped(getattr(logging.Logger, name), calls))
        log_once(records)
        assert calls == [name]
        log_once(records)
        assert calls == [name, name]
    assert is_quick(lambda: log_once(records))
    assert calls == [name, name]


def test_a_patched_filter_of_Filterer(records, monkeypatch):
    calls = []
    monkeypatch.setattr(logging.Filterer, "filter", wrapped(logging.Filterer.filter, calls))
    log_once(records)
    assert calls == ["filter", "filter"]  # the logger's and the handler's


@pytest.mark.parametrize("name", METHODS)
def test_a_method_replaced_on_one_logger(logger, records, name):
    calls = []
    setattr(logger, name, wrapped(getattr(logger, name), calls))
    try:
        log_once(records)
    finally:
        delattr(logger, name)
    assert calls == [name]
    assert is_quick(lambda: log_once(records))


def logger_of_a_subclass(name, calls, level=logging.NOTSET):
    """Return a logger whose class has a method of its own of this name."""
    own = type("Own", (logging.Logger,), {name: wrapped(getattr(logging.Logger, name), calls)})("own", level)
    own.parent = logging.root
    return own


@pytest.mark.parametrize("name", METHODS)
def test_a_method_overridden_in_a_subclass(records, name):
    calls = []
    own = logger_of_a_subclass(name, calls)
    log_once(records, own)
    assert calls == [name]


@pytest.mark.parametrize("name", METHODS)
def test_a_level_of_a_subclass_that_is_off_at_first(records, name):
    calls = []
    own = logger_of_a_subclass(name, calls, logging.ERROR)
    for _ in range(3):
        own.info("m")
    assert records() == []
    assert set(calls) <= {"isEnabledFor"}
    calls.clear()
    own.level = logging.INFO
    own._cache.clear()
    log_once(records, own)
    assert calls == [name]


def test_a_patched_error_is_called_by_exception(logger, records, monkeypatch):
    calls = []
    monkeypatch.setattr(logging.Logger, "error", wrapped(logging.Logger.error.__wrapped__, calls))
    logger.exception("m")
    assert calls == ["error"]


def test_a_subclass_without_overrides_is_accelerated(records):
    class Own(logging.Logger):
        def more(self):
            pass

    own = Own("own")
    own.parent = logging.root
    assert is_quick(lambda: log_once(records, own))


def test_a_class_that_was_changed_very_often(records):
    """From 3.13 a class gets a thousand version tags, and then no more."""

    class Base(logging.Logger):
        pass

    class Other(logging.Logger):
        def makeRecord(self, *args, **kwargs):
            calls.append("Other")
            return super().makeRecord(*args, **kwargs)

    class Own(Base):
        pass

    class Text:
        pass

    own = Own("own")
    own.parent = logging.root
    calls = []
    for i in range(1500):
        Own.more = Text.more = i
        own.info("m")
        own.info("%s", Text)
        own.info("%s", Text())
        own.debug("m")
    taken = records()
    assert len(taken) == 4500
    assert FREE_THREADED or is_quick(lambda: own.info("m"))
    records()
    for changed in (Own, Base):
        changed.makeRecord = wrapped(changed.makeRecord, calls)
        assert not is_quick(lambda: own.info("m"))
        assert calls.pop() == "makeRecord"
        del changed.makeRecord
        assert is_quick(lambda: own.info("m")) != FREE_THREADED
    Own.isEnabledFor = lambda self, level: False
    own.info("m")
    del Own.isEnabledFor
    Own.__bases__ = (Other,)
    own.info("m")
    assert calls == ["Other"]
    Own.__bases__ = (Base,)
    assert is_quick(lambda: own.info("m")) != FREE_THREADED
    assert calls == ["Other"]
    assert len(records()) == 6


def test_a_property_added_to_Filterer(logger, records, monkeypatch):
    logger.info("m")
    disabled = property(lambda logger: True, lambda logger, value: None)
    monkeypatch.setattr(logging.Filterer, "disabled", disabled, raising=False)
    logger.info("m")
    monkeypatch.undo()
    logger.info("m")
    assert len(records()) == 2


def test_a_class_that_becomes_a_mapping(logger, records):
    class Later:
        def __len__(self):
            return 1

        def __getitem__(self, key):
            return key

    for _ in range(3):
        logger.info("m", Later())
    collections.abc.Mapping.register(Later)
    logger.info("m", Later())
    assert [type(record.args) for record in records()] == [tuple, tuple, tuple, Later]


def test_a_record_factory(records):
    class Own(logging.LogRecord):
        pass

    logging.setLogRecordFactory(Own)
    try:
        assert type(log_once(records)) is Own
    finally:
        logging.setLogRecordFactory(logging.LogRecord)
    assert is_quick(lambda: log_once(records))


def test_a_patched_init_of_LogRecord(records, monkeypatch):
    standard = logging.LogRecord.__init__

    def init(self, *args, **kwargs):
        standard(self, *args, **kwargs)
        self.more = 1

    monkeypatch.setattr(logging.LogRecord, "__init__", init)
    assert log_once(records).more == 1


def test_a_property_added_to_LogRecord(records, monkeypatch):
    monkeypatch.setattr(logging.LogRecord, "funcName", property(lambda self: "log_once", lambda self, v: None), False)
    assert "funcName" not in vars(log_once(records))


def test_another_class_in_the_place_of_LogRecord(records, monkeypatch):
    monkeypatch.setattr(logging, "LogRecord", type("LogRecord", (logging.LogRecord,), {}))
    assert log_once(records).levelno == 20


@pytest.mark.parametrize("name", ["time", "time_ns"])
def test_a_patched_clock(records, monkeypatch, name):
    now = 1_000_000_000.25 if name == "time" else 1_000_000_000_250_000_000
    monkeypatch.setattr(time, name, lambda: now)
    taken = []
    quick = is_quick(lambda: taken.append(log_once(records)))
    (record,) = taken
    used = "time_ns" if isinstance(logging._startTime, int) else "time"
    assert (record.created == 1_000_000_000.25) == (name == used)
    # Without the GIL the replacement of a module's global leads to the standard method.
    assert quick or (FREE_THREADED and name == used)
    if name == used:
        assert record.msecs == 250.0


def test_a_patched_clock_that_returns_another_type(logger, records, monkeypatch):
    name = "time_ns" if isinstance(logging._startTime, int) else "time"
    monkeypatch.setattr(time, name, lambda: decimal.Decimal(5) if name == "time" else True)
    if name == "time":
        with pytest.raises(TypeError):  # as the standard record does: Decimal minus float
            logger.info("m")
    else:
        assert log_once(records).created == 1e-9


def test_a_patched_current_thread(records, monkeypatch):
    monkeypatch.setattr(threading, "current_thread", lambda: type("T", (), {"name": "green"})())
    assert log_once(records).threadName == "green"


def test_a_patched_get_ident(records, monkeypatch):
    monkeypatch.setattr(threading, "get_ident", lambda: 12345)
    record = log_once(records)
    assert record.thread == 12345
    del threading._active[12345]


def test_a_renamed_thread(records):
    thread = threading.current_thread()
    name = thread.name
    thread.name = "renamed"
    try:
        assert log_once(records).threadName == "renamed"
    finally:
        thread.name = name


def test_a_thread_class_with_a_name_of_its_own(logger, records):
    class Named(threading.Thread):
        name = property(lambda self: "own", lambda self, value: None)

    thread = Named(target=logger.info, args=("m",))
    thread.start()
    thread.join()
    assert [record.threadName for record in records()] == ["own"]


def test_a_thread_that_threading_does_not_know(logger, records):
    import _thread

    done = threading.Event()
    _thread.start_new_thread(lambda: (logger.info("m"), done.set()), ())
    assert done.wait(10)
    (record,) = records()
    assert record.threadName.startswith("Dummy-")
    forget_thread(record.thread)


def test_a_patched_getpid(records, monkeypatch):
    monkeypatch.setattr(os, "getpid", lambda: 77)
    assert log_once(records).process == 77


def test_os_without_getpid(records, monkeypatch):
    monkeypatch.delattr(os, "getpid")
    assert log_once(records).process is None


def test_a_renamed_process(records, monkeypatch):
    monkeypatch.setattr(multiprocessing.current_process(), "_name", "worker")
    assert log_once(records).processName == "worker"


def test_a_current_process_that_raises(records, monkeypatch):
    monkeypatch.setattr(multiprocessing, "current_process", lambda: 1 / 0)
    assert log_once(records).processName == "MainProcess"


def test_multiprocessing_not_loaded(records, monkeypatch):
    monkeypatch.delitem(sys.modules, "multiprocessing")
    assert log_once(records).processName == "MainProcess"


@pytest.mark.parametrize(
    ("flag", "names"),
    [
        ("logThreads", ["thread", "threadName"]),
        ("logMultiprocessing", ["processName"]),
        ("logProcesses", ["process"]),
    ],
)
def test_what_logging_is_told_not_to_collect(records, monkeypatch, flag, names):
    monkeypatch.setattr(logging, flag, False)
    record = log_once(records)
    assert [getattr(record, name) for name in names] == [None] * len(names)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="new in 3.12")
def test_without_names_of_asyncio_tasks(logger, records, monkeypatch):
    monkeypatch.setattr(logging, "logAsyncioTasks", False)

    async def main():
        logger.info("m")

    asyncio.run(main())
    assert records()[0].taskName is None


@pytest.mark.skipif(sys.version_info < (3, 12), reason="new in 3.12")
def test_a_patched_current_task(records, monkeypatch):
    task = mock.Mock()
    task.get_name.return_value = "mocked"
    monkeypatch.setattr(asyncio, "current_task", lambda: task)
    assert log_once(records).taskName == "mocked"


def test_without_a_search_for_the_caller(logger, records, monkeypatch):
    monkeypatch.setattr(logging, "_srcfile", None)
    logger.info("m")
    assert records()[0].pathname == "(unknown file)"


def test_a_logger_class_that_overrides_log(records):
    class Own(logging.Logger):
        def _log(self, level, msg, args, **kwargs):
            super()._log(level, "own " + msg, args, **kwargs)

    logging.setLoggerClass(Own)
    try:
        logging.getLogger("test.loggers.own").info("m")
    finally:
        logging.setLoggerClass(logging.Logger)
    assert records()[0].msg == "own m"


def test_a_patched_emit_of_the_queue_handler(records, monkeypatch):
    calls = []
    handler = logging.root.handlers[0]
    monkeypatch.setattr(type(handler), "emit", wrapped(type(handler).emit, calls))
    log_once(records)
    assert calls == ["emit"]


def test_handlers_replaced_while_the_record_is_made(logger, records):
    """What takes their place need not be a list; nor need it be there before the clock is read."""
    (queue_handler,) = logging.root.handlers
    logging.root.addHandler(other := type(queue_handler)(queue.SimpleQueue()))
    clock = "time_ns" if isinstance(logging._startTime, int) else "time"
    read = getattr(time, clock)

    def replace():
        logging.root.handlers = {other: 1}
        return read()

    with mock.patch.object(time, clock, replace):
        logger.info("m")
    assert records() == []
    assert other.queue.qsize() == 1
    logging.root.handlers = [queue_handler, other]
    with mock.patch.object(time, clock, replace):
        logger.info("m", extra={"a": 1})
    assert other.queue.qsize() == 2
