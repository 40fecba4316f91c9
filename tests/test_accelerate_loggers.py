"""accelerate_loggers() and restore_loggers(): what they put on logging.Logger, and that they take it away again."""

import asyncio
import inspect
import logging
import os
import pickle
import queue
from unittest import mock

import pytest

import cores
from helpers import is_quick, needs_fork, repeated_in_threads


def test_the_pure_core_changes_nothing():
    methods = dict(vars(logging.Logger))
    with cores.imported("pure") as package:
        assert package.accelerate_loggers() is False
        assert package.loggers_accelerated() is False
        package.restore_loggers()
    assert dict(vars(logging.Logger)) == methods


def test_restoring_puts_the_originals_back(package):
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


def test_a_bound_method_taken_before_restoring_still_works(logger, package, records):
    info = logger.info
    package.restore_loggers()
    assert not is_quick(lambda: info("before"))
    info("after")
    record = records()[-1]
    assert record.msg == "after"
    assert record.funcName == "test_a_bound_method_taken_before_restoring_still_works"


def test_patches_over_ours_stay_and_can_be_undone_in_any_order(logger, package, records):
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
        logging.Logger.info = ours  # as the code that patched would do it, now that ours is gone
    logger.info("three")
    assert calls == ["one", "two"]
    assert [record.msg for record in records()] == ["one", "two", "three"]
    package.restore_loggers()
    assert inspect.isfunction(logging.Logger.info)


def test_a_method_patched_before_stays(package):
    standard = logging.Logger.info

    def patched(self, msg, *args, **kwargs):
        return standard(self, msg, *args, **kwargs)

    with mock.patch.object(logging.Logger, "info", patched):
        package.accelerate_loggers()
        assert logging.Logger.info is patched
        package.restore_loggers()
        assert logging.Logger.info is patched


def test_methods_look_like_the_standard_ones(logger, package):
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


def test_autospec_of_an_accelerated_method(logger, package):
    package.accelerate_loggers()
    with mock.patch.object(logging.Logger, "info", autospec=True) as info:
        logger.info("a", 1)
    info.assert_called_once_with(logger, "a", 1)


def test_a_class_that_borrows_a_method(records):
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
def test_wrong_arguments_are_the_standard_error(logger, package, args):
    def error():
        with pytest.raises(TypeError) as caught:
            logger.info(*args, nothing=1) if args else logger.info()
        return str(caught.value)

    logger.setLevel(logging.INFO)
    standard = error()
    package.accelerate_loggers()
    assert error() == standard
    logger.setLevel(logging.NOTSET)


@needs_fork
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_accelerated_loggers_in_a_forked_child(logger, records):
    logger.info("parent")
    child = os.fork()
    if child == 0:
        logger.info("child")
        pid = [record.process for record in records()][-1]
        os._exit(0 if pid == os.getpid() else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_accelerating_in_a_running_event_loop(logger, package, records):
    async def main():
        package.accelerate_loggers()
        asyncio.current_task().set_name("the task")
        logger.info("in a task")

    asyncio.run(main())
    (record,) = records()
    assert getattr(record, "taskName", "the task") == "the task"


def test_restoring_while_others_log(logger, package, records):
    with repeated_in_threads(*[lambda: logger.info("m %d", 1)] * 3):
        for _ in range(100):
            package.restore_loggers()
            package.accelerate_loggers()
            records()


def test_no_thread_sees_torn_loggers(logger, package, records):
    """Eight threads log while another adds and removes handlers and changes levels."""
    extra = package.LocalQueueHandler(queue.SimpleQueue())
    with repeated_in_threads(*[lambda: logger.info("m %s", "x", extra={"a": 1})] * 8):
        for i in range(300):
            logger.addHandler(extra)
            logger.setLevel(logging.WARNING if i % 2 else logging.INFO)
            logger.removeHandler(extra)
            records()
