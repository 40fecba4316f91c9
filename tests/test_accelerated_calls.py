"""accelerate_loggers(), and what it must not change: whoever replaces a part of logging finds it honoured."""

import asyncio
import collections.abc
import contextlib
import decimal
import gc
import inspect
import io
import logging
import multiprocessing
import os
import pickle
import queue
import re
import signal
import subprocess
import sys
import sysconfig
import threading
import time
import warnings
import weakref
from unittest import mock

import pytest

import cores

compiled_only = pytest.mark.skipif(
    "compiled" not in cores.available(), reason="the pure core accelerates nothing"
)


@pytest.fixture
def package():
    with cores.imported("compiled") as package:
        yield package
        package.restore_loggers()


@pytest.fixture
def records(package):
    """What a queue handler on the root logger got, with accelerated loggers."""
    handler = package.LocalQueueHandler(queue.SimpleQueue())
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.INFO)
    assert package.accelerate_loggers()

    def take():
        taken = []
        with contextlib.suppress(queue.Empty):
            while True:
                taken.append(handler.queue.get_nowait())
        return taken

    yield take
    logging.root.removeHandler(handler)


@pytest.fixture(autouse=True)
def own_logger(clean_logging):
    global logger
    logger = logging.getLogger("test.loggers")


FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def made_lean(record):
    return type(record) is not logging.LogRecord


# The switch.


def test_the_pure_core_changes_nothing():
    methods = dict(vars(logging.Logger))
    with cores.imported("pure") as package:
        assert package.accelerate_loggers() is False
        assert package.loggers_accelerated() is False
        package.restore_loggers()
    assert dict(vars(logging.Logger)) == methods


@compiled_only
class TestSwitch:
    def test_restoring_puts_the_originals_back(self, package):
        methods = dict(vars(logging.Logger))
        assert package.accelerate_loggers() is True
        assert package.loggers_accelerated() is True
        assert package.accelerate_loggers() is True
        assert dict(vars(logging.Logger)) != methods
        package.restore_loggers()
        assert package.loggers_accelerated() is False
        assert dict(vars(logging.Logger)) == methods
        package.restore_loggers()
        assert dict(vars(logging.Logger)) == methods

    def test_a_bound_method_taken_before_restoring_still_works(self, package, records):
        info = logger.info
        package.restore_loggers()
        info("after")
        (record,) = records()
        assert record.msg == "after"
        assert record.funcName == "test_a_bound_method_taken_before_restoring_still_works"
        assert not made_lean(record)

    def test_patches_over_ours_stay_and_can_be_undone_in_any_order(self, package, records):
        ours = logging.Logger.info
        calls = []

        def patched(self, msg, *args, **kwargs):
            calls.append(msg)
            return ours(self, msg, *args, **kwargs)

        logging.Logger.info = patched
        try:
            logger.info("one")
            package.restore_loggers()
            assert logging.Logger.info is patched
            logger.info("two")
        finally:
            logging.Logger.info = ours  # as whoever patched would do it, now that we are gone
        logger.info("three")
        assert calls == ["one", "two"]
        assert [record.msg for record in records()] == ["one", "two", "three"]
        package.restore_loggers()
        assert inspect.isfunction(logging.Logger.info)

    def test_a_method_patched_before_stays(self, package):
        standard = logging.Logger.info

        def patched(self, msg, *args, **kwargs):
            return standard(self, msg, *args, **kwargs)

        with mock.patch.object(logging.Logger, "info", patched):
            package.accelerate_loggers()
            assert logging.Logger.info is patched
            package.restore_loggers()
            assert logging.Logger.info is patched

    def test_methods_look_like_the_standard_ones(self, package):
        names = ["debug", "info", "warning", "error", "critical", "exception", "log"]
        standard = {name: getattr(logging.Logger, name) for name in names}
        package.accelerate_loggers()
        for name in names:
            method = getattr(logging.Logger, name)
            assert method is not standard[name]
            assert inspect.signature(method) == inspect.signature(standard[name])
            assert inspect.unwrap(method) is standard[name]
            assert inspect.getsource(method) == inspect.getsource(standard[name])
            for attribute in ("__name__", "__qualname__", "__doc__", "__module__"):
                assert getattr(method, attribute) == getattr(standard[name], attribute)
            assert pickle.loads(pickle.dumps(method)) is method
        assert logger.info == logger.info
        assert inspect.ismethod(logger.info)
        assert logger.info.__self__ is logger

    def test_autospec(self, package):
        package.accelerate_loggers()
        with mock.patch.object(logging.Logger, "info", autospec=True) as info:
            logger.info("a", 1)
        info.assert_called_once_with(logger, "a", 1)

    def test_a_class_that_borrows_a_method(self, records):
        class Borrower:
            seen = None

            def isEnabledFor(self, level):
                return True

            def _log(self, level, msg, args, **kwargs):
                self.seen = level, msg, args, kwargs

            info = logging.Logger.info

        borrower = Borrower()
        borrower.info("m", 1, a=2)
        assert borrower.seen == (20, "m", (1,), {"a": 2})

    @pytest.mark.parametrize("args", [(), (1, 2, 3)])
    def test_wrong_arguments_are_the_standard_error(self, package, args):
        def error():
            with pytest.raises(TypeError) as caught:
                logger.info(*args, nothing=1) if args else logger.info()
            return str(caught.value)

        logger.setLevel(logging.INFO)
        standard = error()
        package.accelerate_loggers()
        assert error() == standard
        logger.setLevel(logging.NOTSET)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_in_a_forked_child(self, records):
        logger.info("parent")
        child = os.fork()
        if child == 0:
            logger.info("child")
            pid = [record.process for record in records()][-1]
            os._exit(0 if pid == os.getpid() else 1)
        assert os.waitpid(child, 0)[1] == 0

    def test_in_a_running_loop(self, package, records):
        async def main():
            package.accelerate_loggers()
            asyncio.current_task().set_name("the task")
            logger.info("in a task")

        asyncio.run(main())
        (record,) = records()
        assert getattr(record, "taskName", "the task") == "the task"

    def test_restoring_while_others_log(self, package, records):
        stop = threading.Event()
        errors = []

        def log():
            count = 0
            try:
                while not stop.is_set():
                    logger.info("m %d", count)
                    count += 1
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=log) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(100):
            package.restore_loggers()
            package.accelerate_loggers()
            records()
        stop.set()
        for thread in threads:
            thread.join()
        assert errors == []

    def test_no_thread_sees_torn_loggers(self, package, records):
        """Eight threads log while another adds and removes handlers and changes levels."""
        stop = threading.Event()
        errors = []
        extra = package.LocalQueueHandler(queue.SimpleQueue())

        def log():
            try:
                while not stop.is_set():
                    logger.info("m %s", "x", extra={"a": 1})
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=log) for _ in range(8)]
        for thread in threads:
            thread.start()
        for i in range(300):
            logger.addHandler(extra)
            logger.setLevel(logging.WARNING if i % 2 else logging.INFO)
            logger.removeHandler(extra)
            records()
        stop.set()
        for thread in threads:
            thread.join()
        logger.setLevel(logging.NOTSET)
        assert errors == []


# Levels.


@compiled_only
class TestLevels:
    def test_disabled_levels_log_nothing(self, records):
        logger.debug("m", bogus=1)
        assert records() == []

    def test_setLevel_counts_at_once(self, records):
        for level, expected in [(logging.DEBUG, 1), (logging.ERROR, 0), (logging.NOTSET, 0)]:
            logger.setLevel(level)
            logger.debug("m")
            assert len(records()) == expected

    @pytest.mark.parametrize(
        "enable",
        [
            lambda: logger.setLevel(logging.DEBUG),
            lambda: logger.parent.setLevel(logging.DEBUG),
            lambda: logger._cache.update({logging.DEBUG: True}),
            lambda: setattr(logger, "_cache", {logging.DEBUG: True}),
            lambda: setattr(logger, "__dict__", {**vars(logger), "_cache": {logging.DEBUG: True}}),
            lambda: setattr(logger, "isEnabledFor", lambda level: True),
        ],
    )
    def test_a_level_that_was_off_for_long_counts_at_once(self, records, enable):
        for _ in range(100):
            logger.debug("off")
        assert records() == []
        kept = vars(logger)  # an old dictionary that lives on must not be taken for the new one
        enable()
        logger.debug("on")
        assert [record.msg for record in records()] == ["on"]
        assert kept["name"] == logger.name

    def test_loggers_that_come_and_go(self, records):
        """One may have the address of another one that is gone."""
        for i in range(2000):
            own = logging.Logger("own", logging.DEBUG if i % 3 == 0 else logging.INFO)
            own.parent = logging.root
            for _ in range(3):
                own.debug("m")
            assert len(records()) == (3 if i % 3 == 0 else 0)

    def test_a_level_changed_while_it_is_looked_up(self, records, monkeypatch):
        class Lock:
            """Has another thread's setLevel() come right after the level was looked up."""

            def __init__(self, lock):
                self.lock = lock
                self.changed = False

            def acquire(self):
                self.lock.acquire()

            def release(self):
                self.lock.release()
                if not self.changed:
                    self.changed = True
                    logger.setLevel(logging.DEBUG)

            def __enter__(self):
                self.acquire()

            def __exit__(self, *_):
                self.release()

        monkeypatch.setattr(logging, "_lock", Lock(logging._lock))
        logger.debug("off")
        for _ in range(3):
            logger.debug("on")
        assert [record.msg for record in records()] == ["on"] * 3

    def test_disable_counts_at_once(self, records):
        logging.disable(logging.INFO)
        try:
            logger.info("m")
            assert records() == []
        finally:
            logging.disable(logging.NOTSET)
        logger.info("m")
        assert len(records()) == 1

    def test_disabled_logger(self, records):
        logger.disabled = True
        try:
            logger.error("m")
        finally:
            logger.disabled = False
        assert records() == []

    def test_the_handler_level_counts_at_once(self, records):
        (handler,) = logging.root.handlers
        handler.setLevel(logging.ERROR)
        logger.warning("m")
        assert records() == []
        handler.setLevel(logging.WARNING)
        logger.warning("m")
        assert len(records()) == 1

    def test_level_names_added_later(self, records, monkeypatch):
        monkeypatch.setitem(logging._levelToName, 25, "NOTICE")
        logger.log(25, "m")
        logger.log(26, "m")
        assert [record.levelname for record in records()] == ["NOTICE", "Level 26"]

    def test_getLevelName_patched(self, records, monkeypatch):
        monkeypatch.setattr(logging, "getLevelName", lambda level: f"<{level}>")
        logger.info("m")
        assert records()[0].levelname == "<20>"

    def test_log_refuses_what_is_no_level(self, records, monkeypatch):
        with pytest.raises(TypeError):
            logger.log("INFO", "m")
        monkeypatch.setattr(logging, "raiseExceptions", False)
        logger.log("INFO", "m")
        assert records() == []


# The way through the tree.


@compiled_only
class TestTree:
    def test_propagate_off(self, records):
        logger.propagate = False
        try:
            with (
                mock.patch.object(logging, "lastResort", None),
                mock.patch.object(logging, "raiseExceptions", False),
            ):
                logger.error("m")
        finally:
            logger.propagate = True
        assert records() == []

    def test_lastResort(self, package):
        package.accelerate_loggers()
        with contextlib.redirect_stderr(io.StringIO()) as err:
            logger.error("the last")
        assert err.getvalue() == "the last\n"

    def test_handlers_beside_get_the_same_record_in_order(self, records):
        seen = []
        (queue_handler,) = logging.root.handlers

        class Before(logging.Handler):
            def emit(self, record):
                seen.append(("before", queue_handler.queue.qsize(), record))

        class After(logging.Handler):
            def emit(self, record):
                seen.append(("after", queue_handler.queue.qsize(), record))

        before, after = Before(), After()
        logger.addHandler(before)
        logging.root.addHandler(after)
        try:
            logger.info("m")
        finally:
            logger.removeHandler(before)
            logging.root.removeHandler(after)
        (record,) = records()
        assert seen == [("before", 0, record), ("after", 1, record)]

    def test_several_queue_handlers(self, package, records):
        other = package.LocalQueueHandler(queue.SimpleQueue())
        other.setLevel(logging.ERROR)
        logger.addHandler(other)
        try:
            logger.info("m")
            logger.error("m")
        finally:
            logger.removeHandler(other)
        assert len(records()) == 2
        assert other.queue.qsize() == 1

    def test_logger_filters(self, records):
        def even(record):
            return record.args[0] % 2 == 0

        logger.addFilter(even)
        try:
            for i in range(4):
                logger.info("%d", i)
        finally:
            logger.removeFilter(even)
        assert [record.args[0] for record in records()] == [0, 2]

    def test_handlers_see_the_standard_frames(self, package, records):
        """Some handlers take the frame at a fixed distance for the caller's."""
        seen = []

        class Depth(logging.Handler):
            def emit(self, record):
                seen.append(sys._getframe(6).f_code.co_name)

        handler = Depth()
        logger.addHandler(handler)
        try:
            logger.info("m")
            package.restore_loggers()
            logger.info("m")
        finally:
            logger.removeHandler(handler)
        assert seen == ["test_handlers_see_the_standard_frames"] * 2


# Who replaced what: each on its own, then undone.


METHODS = ["isEnabledFor", "_log", "findCaller", "makeRecord", "handle", "callHandlers", "filter"]


def forget_dummy(ident):
    if sys.version_info < (3, 13):  # it would stay there for ever
        threading._active.pop(ident, None)


def wrapped(method, calls):
    def wrapper(*args, **kwargs):
        calls.append(method.__name__)
        return method(*args, **kwargs)

    return wrapper


@compiled_only
class TestReplacements:
    def log(self, records, log=None):
        (log or logger).info("m")
        (record,) = records()
        assert record.msg == "m"
        # A wrapper around what looks for the caller is the caller: so it is in the standard library.
        assert record.funcName in ("log", "wrapper")
        return record

    @pytest.mark.parametrize("name", METHODS)
    def test_method_of_Logger(self, records, monkeypatch, name):
        calls = []
        self.log(records)
        with monkeypatch.context() as patch:
            patch.setattr(logging.Logger, name, wrapped(getattr(logging.Logger, name), calls))
            self.log(records)
            assert calls == [name]
            self.log(records)
            assert calls == [name, name]
        assert made_lean(self.log(records))
        assert calls == [name, name]

    def test_filter_of_Filterer(self, records, monkeypatch):
        calls = []
        monkeypatch.setattr(logging.Filterer, "filter", wrapped(logging.Filterer.filter, calls))
        self.log(records)
        assert calls == ["filter", "filter"]  # the logger's and the handler's

    @pytest.mark.parametrize("name", METHODS)
    def test_attribute_of_one_logger(self, records, name):
        calls = []
        setattr(logger, name, wrapped(getattr(logger, name), calls))
        try:
            self.log(records)
        finally:
            delattr(logger, name)
        assert calls == [name]
        assert made_lean(self.log(records))

    @pytest.mark.parametrize("name", METHODS)
    def test_method_of_a_subclass(self, records, name):
        calls = []

        class Own(logging.Logger):
            pass

        setattr(Own, name, wrapped(getattr(logging.Logger, name), calls))
        own = Own("own")
        own.parent = logging.root
        self.log(records, own)
        assert calls == [name]

    def test_error_under_exception(self, records, monkeypatch):
        calls = []
        monkeypatch.setattr(logging.Logger, "error", wrapped(logging.Logger.error.__wrapped__, calls))
        logger.exception("m")
        assert calls == ["error"]

    def test_subclass_without_overrides_is_fast(self, records):
        class Own(logging.Logger):
            def more(self):
                pass

        own = Own("own")
        own.parent = logging.root
        assert made_lean(self.log(records, own))

    def test_callHandlers_gets_a_fast_record(self, records, monkeypatch):
        seen = []
        standard = logging.Logger.callHandlers

        def callHandlers(self, record):
            seen.append(record)
            standard(self, record)

        monkeypatch.setattr(logging.Logger, "callHandlers", callHandlers)
        assert made_lean(self.log(records))
        assert made_lean(seen[0])

    def test_a_class_that_was_changed_very_often(self, records):
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
        assert FREE_THREADED or all(map(made_lean, taken[-3:]))
        for changed in (Own, Base):
            changed.makeRecord = wrapped(changed.makeRecord, calls)
            own.info("m")
            assert calls.pop() == "makeRecord"
            del changed.makeRecord
            own.info("m")
        Own.isEnabledFor = lambda self, level: False
        own.info("m")
        del Own.isEnabledFor
        Own.__bases__ = (Other,)
        own.info("m")
        assert calls == ["Other"]
        Own.__bases__ = (Base,)
        own.info("m")
        taken = records()
        assert calls == ["Other"]
        unpatched = not FREE_THREADED
        assert [made_lean(record) for record in taken] == [False, unpatched] * 3

    def test_a_property_of_filterer(self, records, monkeypatch):
        logger.info("m")
        disabled = property(lambda logger: True, lambda logger, value: None)
        monkeypatch.setattr(logging.Filterer, "disabled", disabled, raising=False)
        logger.info("m")
        monkeypatch.undo()
        logger.info("m")
        assert len(records()) == 2

    def test_a_class_that_becomes_a_mapping(self, records):
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

    def test_record_factory(self, records):
        class Own(logging.LogRecord):
            pass

        logging.setLogRecordFactory(Own)
        try:
            assert type(self.log(records)) is Own
        finally:
            logging.setLogRecordFactory(logging.LogRecord)
        assert made_lean(self.log(records))

    def test_record_init(self, records, monkeypatch):
        standard = logging.LogRecord.__init__

        def init(self, *args, **kwargs):
            standard(self, *args, **kwargs)
            self.more = 1

        monkeypatch.setattr(logging.LogRecord, "__init__", init)
        assert self.log(records).more == 1

    def test_record_class_attribute(self, records, monkeypatch):
        monkeypatch.setattr(
            logging.LogRecord, "funcName", property(lambda self: "log", lambda self, v: None), False
        )
        assert "funcName" not in vars(self.log(records))

    def test_record_class_replaced(self, records, monkeypatch):
        monkeypatch.setattr(logging, "LogRecord", type("LogRecord", (logging.LogRecord,), {}))
        assert self.log(records).levelno == 20

    @pytest.mark.parametrize("name", ["time", "time_ns"])
    def test_time(self, records, monkeypatch, name):
        now = 1_000_000_000.25 if name == "time" else 1_000_000_000_250_000_000
        monkeypatch.setattr(time, name, lambda: now)
        record = self.log(records)
        used = "time_ns" if isinstance(logging._startTime, int) else "time"
        assert (record.created == 1_000_000_000.25) == (name == used)
        # Without the GIL whoever replaces a module's global gets the standard method.
        assert made_lean(record) or (FREE_THREADED and name == used)
        if name == used:
            assert record.msecs == 250.0

    def test_time_of_another_type(self, records, monkeypatch):
        name = "time_ns" if isinstance(logging._startTime, int) else "time"
        monkeypatch.setattr(time, name, lambda: decimal.Decimal(5) if name == "time" else True)
        if name == "time":
            with pytest.raises(TypeError):  # as the standard record does: Decimal minus float
                logger.info("m")
        else:
            assert self.log(records).created == 1e-9

    def test_current_thread(self, records, monkeypatch):
        monkeypatch.setattr(threading, "current_thread", lambda: type("T", (), {"name": "green"})())
        assert self.log(records).threadName == "green"

    def test_get_ident(self, records, monkeypatch):
        monkeypatch.setattr(threading, "get_ident", lambda: 12345)
        record = self.log(records)
        assert record.thread == 12345
        del threading._active[12345]

    def test_thread_renamed(self, records):
        thread = threading.current_thread()
        name = thread.name
        thread.name = "renamed"
        try:
            assert self.log(records).threadName == "renamed"
        finally:
            thread.name = name

    def test_thread_class_with_its_own_name(self, records):
        class Named(threading.Thread):
            name = property(lambda self: "own", lambda self, value: None)

        thread = Named(target=logger.info, args=("m",))
        thread.start()
        thread.join()
        assert [record.threadName for record in records()] == ["own"]

    def test_thread_that_threading_does_not_know(self, records):
        import _thread

        done = threading.Event()
        _thread.start_new_thread(lambda: (logger.info("m"), done.set()), ())
        assert done.wait(10)
        (record,) = records()
        assert record.threadName.startswith("Dummy-")
        forget_dummy(record.thread)

    def test_getpid(self, records, monkeypatch):
        monkeypatch.setattr(os, "getpid", lambda: 77)
        assert self.log(records).process == 77

    def test_no_getpid(self, records, monkeypatch):
        monkeypatch.delattr(os, "getpid")
        assert self.log(records).process is None

    def test_process_name(self, records, monkeypatch):
        monkeypatch.setattr(multiprocessing.current_process(), "_name", "worker")
        assert self.log(records).processName == "worker"

    def test_current_process_that_fails(self, records, monkeypatch):
        monkeypatch.setattr(multiprocessing, "current_process", lambda: 1 / 0)
        assert self.log(records).processName == "MainProcess"

    def test_multiprocessing_not_loaded(self, records, monkeypatch):
        monkeypatch.delitem(sys.modules, "multiprocessing")
        assert self.log(records).processName == "MainProcess"

    @pytest.mark.parametrize(
        ("flag", "names"),
        [
            ("logThreads", ["thread", "threadName"]),
            ("logMultiprocessing", ["processName"]),
            ("logProcesses", ["process"]),
        ],
    )
    def test_flags(self, records, monkeypatch, flag, names):
        monkeypatch.setattr(logging, flag, False)
        record = self.log(records)
        assert [getattr(record, name) for name in names] == [None] * len(names)

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="new in 3.12")
    def test_no_asyncio_tasks(self, records, monkeypatch):
        monkeypatch.setattr(logging, "logAsyncioTasks", False)

        async def main():
            logger.info("m")

        asyncio.run(main())
        assert records()[0].taskName is None

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="new in 3.12")
    def test_current_task_patched(self, records, monkeypatch):
        task = mock.Mock()
        task.get_name.return_value = "mocked"
        monkeypatch.setattr(asyncio, "current_task", lambda: task)
        assert self.log(records).taskName == "mocked"

    def test_srcfile_None(self, records, monkeypatch):
        monkeypatch.setattr(logging, "_srcfile", None)
        logger.info("m")
        assert records()[0].pathname == "(unknown file)"

    def test_setLoggerClass(self, records):
        class Own(logging.Logger):
            def _log(self, level, msg, args, **kwargs):
                super()._log(level, "own " + msg, args, **kwargs)

        logging.setLoggerClass(Own)
        try:
            logging.getLogger("test.loggers.own").info("m")
        finally:
            logging.setLoggerClass(logging.Logger)
        assert records()[0].msg == "own m"

    def test_queue_handler_emit_patched(self, records, monkeypatch):
        calls = []
        handler = logging.root.handlers[0]
        monkeypatch.setattr(type(handler), "emit", wrapped(type(handler).emit, calls))
        self.log(records)
        assert calls == ["emit"]

    @compiled_only
    def test_handlers_replaced_while_the_record_is_made(self, records):
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


# findCaller.


def helper(level):
    logger.info("m", stacklevel=level)


@compiled_only
class TestCaller:
    def test_called_while_a_C_function_ends_a_frame(self, records):
        class Watched:
            pass

        def call(references):
            watched = Watched()
            references.append(weakref.ref(watched, logger.warning))

        list(map(call, [[]]))
        (record,) = records()
        assert (record.pathname, record.funcName) == (__file__, "test_called_while_a_C_function_ends_a_frame")

    def where(self, package, records, log):
        """Return what the accelerated and the standard call say, from the same line."""
        package.accelerate_loggers()
        places = []
        for _ in range(2):
            log()
            (record,) = records()
            places.append((record.pathname, record.filename, record.module, record.lineno, record.funcName))
            package.restore_loggers()
        assert places[0] == places[1]
        return places[0]

    @pytest.mark.parametrize("level", [-1, 0, 1, 2, 3, 100])
    def test_stacklevel(self, package, records, level):
        self.where(package, records, lambda: helper(level))

    def test_adapter(self, package, records):
        adapter = logging.LoggerAdapter(logger, {})
        assert self.where(package, records, lambda: adapter.info("m"))[4] == "<lambda>"

    def test_module_level(self, package, records):
        assert self.where(package, records, lambda: logging.info("m"))[4] == "<lambda>"

    def test_generator(self, package, records):
        def generate():
            yield logger.info("m")

        assert self.where(package, records, lambda: next(generate()))[4] == "generate"

    def test_coroutine(self, package, records):
        async def work():
            await asyncio.sleep(0)
            logger.info("m")

        assert self.where(package, records, lambda: asyncio.run(work()))[4] == "work"

    def test_class_body(self, package, records):
        def define():
            class Body:
                logger.info("m")

        assert self.where(package, records, define)[4] == "Body"

    def test_names_of_another_type(self, package, records):
        class Name(str):
            __slots__ = ()

        code = (lambda: logger.info("m")).__code__
        code = code.replace(co_filename=Name("/made/up.py"), co_name=Name("made_up"))
        assert self.where(package, records, lambda: exec(code))[:3] == ("/made/up.py", "up.py", "up")

    def test_executed_code(self, package, records):
        code = compile("\n\nlogger.info('m')", "<made up>", "exec")
        assert self.where(package, records, lambda: exec(code, {"logger": logger}))[:4] == (
            "<made up>",
            "<made up>",
            "<made up>",
            3,
        )

    def test_called_from_C(self, package, records):
        assert self.where(package, records, lambda: list(map(logger.info, ["m"])))[4] == "<lambda>"

    def test_several_lines(self, package, records):
        self.where(
            package,
            records,
            lambda: logger.info("m"),
        )

    def test_two_calls_on_one_line_of_a_loop(self, records):
        for _ in range(3):
            _ = logger.info("a"), logger.info("b")
            logger.info("c")
        lines = [record.lineno for record in records()]
        assert lines == [lines[0], lines[0], lines[0] + 1] * 3

    def test_bottom_of_a_thread(self, package, records):
        import _thread

        logger.setLevel(logging.INFO)
        found = []
        for _ in range(2):
            _thread.start_new_thread(logger.info, ("m",))
            deadline = time.monotonic() + 10
            while not (taken := records()) and time.monotonic() < deadline:
                time.sleep(0.001)
            found.append((taken[0].pathname, taken[0].funcName))
            forget_dummy(taken[0].thread)
            package.restore_loggers()
        assert found[0] == found[1]

    def test_tracing(self, package, records):
        events = []
        previous = sys.gettrace()
        sys.settrace(lambda frame, event, arg: events.append(event))
        try:
            place = self.where(package, records, lambda: logger.info("m"))
        finally:
            sys.settrace(previous)
        assert place[4] == "<lambda>"

    def test_profiling(self, package, records):
        previous = sys.getprofile()
        sys.setprofile(lambda frame, event, arg: None)
        try:
            self.where(package, records, lambda: logger.info("m"))
        finally:
            sys.setprofile(previous)

    def test_warnings_capture(self, package, records):
        logging.captureWarnings(True)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                logging.captureWarnings(True)
                self.where(package, records, lambda: warnings.warn("w", stacklevel=1))
        finally:
            logging.captureWarnings(False)

    def test_the_file_name_cache_forgets(self, records):
        for i in range(3000):
            exec(compile("logger.info('m')", f"/made/up/{i}.py", "exec"), {"logger": logger})
        for i, record in enumerate(records()):
            assert (record.pathname, record.filename, record.module) == (
                f"/made/up/{i}.py",
                f"{i}.py",
                str(i),
            )


@compiled_only
def test_nothing_leaks(records):
    """The same work again and again leaves no more objects than before."""

    def work():
        values = [1]
        for _ in range(200):
            logger.info("m %s", values, extra={"a": values})
            logger.info("m %s %d", "x", 1)
            logger.debug("m")
            logger.log(25, "m", stacklevel=2)
            try:
                raise ValueError
            except ValueError:
                logger.exception("m")
        for record in records():
            record.getMessage()
            vars(record)

    def blocks():
        gc.collect()
        return sys.getallocatedblocks()

    for _ in range(3):
        work()
    before = blocks()
    for _ in range(5):
        work()
    assert blocks() - before < 100


@compiled_only
def test_who_logs_in_the_middle_of_a_call(records):
    """The collector runs at nearly every allocation, and a signal comes now and then; both log."""

    class Cycle:
        def __init__(self):
            self.cycle = self

        def __del__(self):
            logger.info("ended %s", self, extra={"a": [self.cycle]})

        def __str__(self):
            logger.info("nested %d", 1)
            return "cycle"

    def on_collection(phase, info):
        logger.info("%s %s", phase, info)

    def on_signal(number, frame):
        logger.warning("signal %s", [number], stacklevel=2)

    def calls(i):
        logger.info("m %d", i)
        logger.info("m %s %s", [i], Cycle())
        logger.debug("m %s", Cycle())
        logger.error("m", extra={"b": Cycle()})
        logger.log(25, "m %(c)s", {"c": i}, stack_info=True)
        try:
            raise ValueError(i)
        except ValueError:
            logger.exception("m")

    threshold = gc.get_threshold()
    signals = hasattr(signal, "setitimer")
    if signals:
        before = signal.signal(signal.SIGALRM, on_signal)
    gc.freeze()  # else each collection would take long
    gc.callbacks.append(on_collection)
    gc.set_threshold(1, 1, 1)
    try:
        for i in range(20):
            if signals:
                # One: more might come faster than they are handled.
                signal.setitimer(signal.ITIMER_REAL, 0.0005)
            calls(i)
    finally:
        gc.set_threshold(*threshold)
        gc.unfreeze()
        gc.callbacks.remove(on_collection)
        if signals:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    messages = collections.Counter(record.getMessage().split()[0] for record in records())
    assert messages["m"] == 100
    if not FREE_THREADED:  # there the collector comes when it thinks fit
        assert messages["ended"] > 10
        assert messages["start"] > 10
    gc.collect()
    records()


@compiled_only
@pytest.mark.parametrize("configuration", ["isolated", "legacy"])
@pytest.mark.parametrize("first", ["main", "sub"])
def test_a_subinterpreter_gets_the_pure_core(configuration, first):
    """The compiled core is for one interpreter of a process: the first that imports it."""
    script = """
import sys
try:
    import _interpreters as interpreters
    make = {"isolated": lambda: interpreters.create("isolated"), "legacy": lambda: interpreters.create("legacy")}
except ImportError:
    import _xxsubinterpreters as interpreters
    make = {
        "isolated": lambda: interpreters.create(isolated=True),
        "legacy": lambda: interpreters.create(isolated=False),
    }
configuration, first = sys.argv[1:]
code = '''
import logging, queue
import logflume
logger = logging.getLogger("a")
handler = logflume.LocalQueueHandler(queue.SimpleQueue())
logging.root.addHandler(handler)
assert logflume.accelerate_loggers() is logflume.loggers_accelerated() is (logflume.IMPLEMENTATION == "compiled")
logger.error("m %s", 1)
assert handler.queue.get_nowait().getMessage() == "m 1"
print(logflume.IMPLEMENTATION, flush=True)
'''
if first == "main":
    exec(code)
interpreter = make[configuration]()
failure = interpreters.run_string(interpreter, code)
assert failure is None, failure
if first == "sub":
    interpreters.destroy(interpreter)
    exec(code)
"""
    environment = {**os.environ, "LOGFLUME_REQUIRE_EXTENSIONS": ""}
    done = subprocess.run(
        [sys.executable, "-c", script, configuration, first],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if "No module named" in done.stderr and "interpreters" in done.stderr:
        pytest.skip("no sub-interpreters here")
    assert done.returncode == 0, done.stderr
    cores_used = done.stdout.split()
    if first == "main":
        assert cores_used == ["compiled", "pure"]
    else:
        assert "pure" in cores_used


@compiled_only
def test_del_at_the_end_of_the_interpreter():
    """What logs while modules go away does what it does without us."""
    script = """
import logging, logging.handlers, sys, threading
import logflume
if sys.argv[1] == "accelerated":
    assert logflume.accelerate_loggers()
logging.basicConfig(level=20, stream=sys.stdout, format="%(message)s %(filename)s %(funcName)s %(threadName)s")

class Logs:
    def __init__(self, name):
        self.name = name
        self.logger = logging.getLogger("x")
    def __del__(self):
        self.logger.info("%s", self.name)
        self.logger.info("%s", self, extra={"a": 1})

value = Logs("global")
cycle = [Logs("cycle")]
cycle.append(cycle)
for module in (sys, logging, logging.handlers, threading, logflume):
    module.kept = Logs(module.__name__)
"""
    outputs = []
    for mode in ("standard", "accelerated"):
        done = subprocess.run(
            [sys.executable, "-c", script, mode], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        outputs.append(
            (
                re.sub("0x[0-9a-f]+", "", done.stdout),
                [line for line in done.stderr.splitlines() if "Error" in line],
            )
        )
    assert outputs[0] == outputs[1]


@compiled_only
def test_accelerated_and_restored_very_often():
    """From 3.13 logging.Logger gets no more version tags then; without the GIL each call is a standard one then."""
    script = """
import logging, queue
import logflume
records = queue.SimpleQueue()
logging.root.addHandler(logflume.LocalQueueHandler(records))
for _ in range(1200):
    logging.warning("m")
    logflume.accelerate_loggers()
    logging.warning("m")
    logflume.restore_loggers()
taken = [records.get() for _ in range(records.qsize())]
lean = [type(record) is not logging.LogRecord for record in taken]
print(len(lean), lean[:2], lean[-2:])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == f"2400 [False, True] [False, {not FREE_THREADED}]\n"
