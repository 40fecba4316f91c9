"""setup_logging_queue(): handlers go behind the queue and come back."""

from __future__ import annotations

import asyncio
import functools
import io
import logging
import logging.config
import logging.handlers
import queue
import threading

import pytest

from helpers import Collect, listener_threads, repeated_in_threads, state_of


class Named(logging.Handler):
    """Keeps its label, and the logger and the message of each record."""

    def __init__(self, seen=None, name="", level=logging.NOTSET):
        super().__init__(level)
        self.seen = [] if seen is None else seen
        self.label = name

    def emit(self, record):
        self.seen.append((self.label, record.name, record.getMessage()))


@pytest.fixture
def root():
    logger = logging.getLogger()
    logger.setLevel(logging.DEBUG)
    return logger


def test_moves_the_handlers_of_the_root_logger_and_back(lf, root):
    first, second = Named(), Named()
    root.handlers = [first, second]
    listener = lf.setup_logging_queue()
    (handler,) = root.handlers
    assert isinstance(handler, lf.LocalQueueHandler)
    assert listener.handlers == (first, second)
    assert handler.listener is listener
    logging.getLogger("a.b").info("one")
    assert listener.stop() == 0
    assert root.handlers == [first, second]
    assert first.seen == second.seen == [("", "a.b", "one")]


def test_a_with_block_moves_handlers_and_puts_them_back(lf, root):
    collect = Named()
    root.handlers = [collect]
    with lf.setup_logging_queue() as listener:
        assert state_of(listener) == "running"
        root.info("one")
    assert collect.seen == [("", "root", "one")]
    assert root.handlers == [collect]


def test_an_async_with_block_moves_handlers_and_puts_them_back(lf, root):
    collect = Named()
    root.handlers = [collect]

    async def main():
        async with lf.setup_logging_queue():
            root.info("one")

    asyncio.run(main())
    assert ("", "root", "one") in collect.seen
    assert root.handlers == [collect]


def test_starting_it_again_is_an_error(lf, root):
    root.handlers = [Named()]
    with lf.setup_logging_queue() as listener, pytest.raises(RuntimeError):
        listener.start()


def test_the_handlers_of_named_loggers_are_moved(lf, root):
    kept, moved = Named(), Named()
    root.handlers = [kept]
    access = logging.getLogger("uvicorn.access")
    access.handlers = [moved]
    with lf.setup_logging_queue("uvicorn.access") as listener:
        assert root.handlers == [kept]
        assert listener.handlers == (moved,)
        access.info("one")
    assert access.handlers == [moved]
    assert moved.seen == kept.seen == [("", "uvicorn.access", "one")]


def test_loggers_may_be_given_as_objects(lf):
    logger = logging.getLogger("x")
    logger.handlers = [collect := Named()]
    with lf.setup_logging_queue(logger, "x", logger):
        logger.warning("one")
    assert collect.seen == [("", "x", "one")]


def test_anything_else_is_a_type_error(lf):
    with pytest.raises(TypeError, match="loggers or their names"):
        lf.setup_logging_queue(3)


@pytest.mark.parametrize("how", ["all", "named"])
def test_several_loggers_keep_order_and_handlers(lf, root, how):
    seen = []
    root.handlers = [Named(seen, "root")]
    for name, propagate in (("a", True), ("a.b", True), ("c", False)):
        logger = logging.getLogger(name)
        logger.propagate = propagate
        logger.handlers = [Named(seen, f"{name}1"), Named(seen, f"{name}2")]
    calls = ["a", "c", "a.b", "c.d", "x", "a.b.c"] * 20

    def log():
        for i, name in enumerate(calls):
            logging.getLogger(name).info("%d", i)

    log()
    expected, seen[:] = seen[:], []
    before = {name: logging.getLogger(name).handlers[:] for name in ("", "a", "a.b", "c")}
    arguments = ((), {"all_loggers": True}) if how == "all" else (("", "a", "a.b", "c"), {})
    with lf.setup_logging_queue(*arguments[0], **arguments[1]):
        for name in before:
            assert [type(h) for h in logging.getLogger(name).handlers] == [lf.LocalQueueHandler]
        log()
    assert seen == expected
    assert before == {name: logging.getLogger(name).handlers for name in before}


def test_a_handler_shared_by_two_loggers(lf, root):
    shared = Named()
    root.handlers = [shared]
    logger = logging.getLogger("a")
    logger.handlers = [shared]
    with lf.setup_logging_queue(all_loggers=True) as listener:
        assert listener.handlers == (shared,)
        logger.info("twice")
        root.info("once")
    assert [m for _, _, m in shared.seen] == ["twice", "twice", "once"]


def test_levels_and_filters_of_the_handlers_hold(lf, root):
    errors, named, everything = Named(level=logging.ERROR), Named(), Named()
    named.addFilter(logging.Filter("a"))
    root.handlers = [errors, named, everything]
    with lf.setup_logging_queue():
        logging.getLogger("a").info("one")
        logging.getLogger("b").error("two")
    assert errors.seen == [("", "b", "two")]
    assert named.seen == [("", "a", "one")]
    assert everything.seen == [("", "a", "one"), ("", "b", "two")]


def test_levels_can_be_ignored(lf, root):
    errors = Named(level=logging.ERROR)
    root.handlers = [errors]
    with lf.setup_logging_queue(respect_handler_level=False):
        root.info("one")
    assert errors.seen == [("", "root", "one")]


def test_without_handlers_nothing_is_moved(lf, root):
    with pytest.warns(UserWarning, match="moved nothing: these loggers have no handlers yet"):
        nothing = lf.setup_logging_queue()
    with nothing as listener:
        assert root.handlers == []
        assert listener.handlers == ()
        collect = Named()
        root.addHandler(collect)
        root.info("one")
        assert collect.seen == [("", "root", "one")]
    assert root.handlers == [collect]


def test_without_handlers_the_last_resort_still_speaks(lf, root, capsys, monkeypatch):
    monkeypatch.setattr(logging, "lastResort", logging.StreamHandler(stream := io.StringIO()))
    with pytest.warns(UserWarning, match="moved nothing"):
        listener = lf.setup_logging_queue()
    with listener:
        root.warning("one")
    assert stream.getvalue() == "one\n"


def test_a_second_call_returns_the_running_listener(lf, root):
    collect = Named()
    root.handlers = [collect]
    with lf.setup_logging_queue() as outer:
        with pytest.warns(UserWarning, match="was called before"):
            inner = lf.setup_logging_queue()
        assert inner is outer
        with inner:
            root.info("one")
        assert collect.seen == [("", "root", "one")]
        assert len(root.handlers) == 1
        assert state_of(outer) == "running"
        root.info("two")
    assert root.handlers == [collect]
    assert [m for _, _, m in collect.seen] == ["one", "two"]


def test_an_async_block_in_another_leaves_it_running(lf, root):
    root.handlers = [collect := Named()]

    async def main():
        async with lf.setup_logging_queue() as outer:
            with pytest.warns(UserWarning, match="was called before"):
                inner = lf.setup_logging_queue()
            async with inner:
                root.info("one")
            assert collect.seen[-1] == ("", "root", "one")
            assert state_of(outer) == "running"

    asyncio.run(main())
    assert root.handlers == [collect]


def test_a_block_with_the_second_call_alone_stops_it(lf, root):
    root.handlers = [collect := Named()]
    lf.setup_logging_queue()
    with pytest.warns(UserWarning, match="was called before"):
        listener = lf.setup_logging_queue()
    with listener:
        root.info("one")
    assert root.handlers == [collect]
    with lf.setup_logging_queue() as other:
        assert other is not listener
    assert root.handlers == [collect]


def test_twice_moves_what_was_added_between(lf, root):
    seen = []
    first, second = Named(seen, "1"), Named(seen, "2")
    root.handlers = [first]
    outer = lf.setup_logging_queue()
    root.info("before")
    root.addHandler(second)
    assert lf.setup_logging_queue() is outer
    assert outer.handlers == (first, second)
    (handler,) = root.handlers
    assert handler.listener is outer
    root.info("one")
    outer.stop()
    assert root.handlers == [first, second]
    assert seen == [("1", "root", "before"), ("1", "root", "one"), ("2", "root", "one")]


def test_twice_moves_the_handlers_of_other_loggers(lf, root):
    seen = []
    root.handlers = [first := Named(seen, "1")]
    outer = lf.setup_logging_queue()
    logger = logging.getLogger("a")
    logger.handlers = [own := Named(seen, "2")]
    assert lf.setup_logging_queue(all_loggers=True) is outer
    logger.info("one")
    root.info("two")
    outer.stop()
    assert (root.handlers, logger.handlers) == ([first], [own])
    assert seen == [("2", "a", "one"), ("1", "a", "one"), ("1", "root", "two")]


def test_twice_keeps_the_levels_and_what_was_changed_on_the_listener(lf, root):
    first, second, gone, added = Named(), Named(level=logging.ERROR), Named(), Named()
    root.handlers = [first, gone]
    with lf.setup_logging_queue() as listener:
        listener.removeHandler(gone)
        listener.addHandler(added)
        root.addHandler(second)
        assert lf.setup_logging_queue() is listener
        root.info("one")
        root.error("two")
    assert root.handlers == [first, second]
    messages = [[m for _, _, m in handler.seen] for handler in (first, gone, second, added)]
    assert messages == [["one", "two"], [], ["two"], ["one", "two"]]


def test_calls_for_different_loggers_have_listeners_of_their_own(lf, root):
    root.handlers = [Named()]
    logging.getLogger("a").handlers = [Named()]
    with lf.setup_logging_queue("") as first, lf.setup_logging_queue("a") as second:
        assert first is not second


def test_queue_handlers_stay_where_they_are(lf, root):
    first, second = Named(), Named()
    other = logging.handlers.QueueHandler(queue.SimpleQueue())
    root.handlers = [first, other, second]
    with lf.setup_logging_queue() as listener:
        assert listener.handlers == (first, second)
        assert [type(h) for h in root.handlers] == [lf.LocalQueueHandler, logging.handlers.QueueHandler]
        root.info("one")
    assert root.handlers == [first, other, second]
    assert other.queue.qsize() == 1


def test_caplog_and_assert_logs_go_on(lf, root):
    import unittest

    from _pytest.logging import (
        LogCaptureHandler,  # caplog's, without the plugin, which these tests run without
    )

    collect = Named()
    caplog = LogCaptureHandler()
    root.handlers = [caplog, collect]
    case = unittest.TestCase()
    with lf.setup_logging_queue() as listener:
        assert listener.handlers == (collect,)
        root.warning("one")
        assert [record.getMessage() for record in caplog.records] == ["one"]
        with case.assertLogs("a") as captured, lf.setup_logging_queue("a"):
            logging.getLogger("a").warning("two")
            assert captured.output == ["WARNING:a:two"]
    assert root.handlers == [caplog, collect]


def test_the_handler_of_log_capture_stays(lf, root):
    class LoggingHandler(Named):
        __module__ = "testfixtures.logcapture"

    capture, collect = LoggingHandler(), Named()
    root.handlers = [capture, collect]
    with lf.setup_logging_queue() as listener:
        assert listener.handlers == (collect,)
        root.warning("one")
        assert capture.seen == [("", "root", "one")]
    assert root.handlers == [capture, collect]


def test_handlers_added_later_stay(lf, root):
    first, later = Named(), Named()
    root.handlers = [first]
    with lf.setup_logging_queue():
        root.addHandler(later)
        root.info("one")
        assert later.seen == [("", "root", "one")]
    assert root.handlers == [first, later]


def test_handlers_removed_from_the_listener_do_not_come_back(lf, root):
    first, second = Named(), Named()
    root.handlers = [first, second]
    with lf.setup_logging_queue() as listener:
        listener.removeHandler(first)
        root.info("one")
    assert root.handlers == [second]
    assert first.seen == []


def test_handlers_added_to_the_listener_of_several_loggers(lf, root):
    root.handlers = [Named()]
    logging.getLogger("a").handlers = [own := Named()]
    extra = Named()
    with lf.setup_logging_queue(all_loggers=True) as listener:
        listener.addHandler(extra)
        listener.removeHandler(own)
        logging.getLogger("b").info("one")
    assert [m for _, _, m in extra.seen] == ["one"]
    assert own.seen == []
    assert logging.getLogger("a").handlers == []


def test_basic_config_afterwards_configures_a_root_logger_without_handlers(lf, root, tmp_path):
    with pytest.warns(UserWarning, match="moved nothing"):
        listener = lf.setup_logging_queue()
    with listener:
        logging.basicConfig(filename=tmp_path / "log", format="%(message)s")
        root.warning("one")
    root.handlers[0].close()
    assert (tmp_path / "log").read_text() == "one\n"


def test_handlers_of_basic_config_are_moved(lf, root, tmp_path):
    logging.basicConfig(filename=tmp_path / "log", format="%(message)s")
    target = root.handlers[0]
    with lf.setup_logging_queue():
        logging.basicConfig(filename=tmp_path / "other")  # has handlers already: changes nothing
        root.warning("one")
    assert root.handlers == [target]
    target.close()
    assert (tmp_path / "log").read_text() == "one\n"


def test_basic_config_by_force_takes_over(lf, root, tmp_path):
    logging.basicConfig(filename=tmp_path / "log", format="%(message)s")
    listener = lf.setup_logging_queue()
    root.warning("one")
    logging.basicConfig(filename=tmp_path / "other", format="%(message)s", force=True)
    assert (tmp_path / "log").read_text() == "one\n"
    root.warning("two")
    assert listener_threads() == []
    listener.stop()
    assert [type(h) for h in root.handlers] == [logging.FileHandler]
    root.handlers[0].close()
    assert (tmp_path / "log").read_text() == "one\n"
    assert (tmp_path / "other").read_text() == "two\n"


def test_dict_config_afterwards_takes_over(lf, root, tmp_path):
    logging.basicConfig(filename=tmp_path / "log", format="%(message)s")
    listener = lf.setup_logging_queue()
    root.warning("one")
    logging.config.dictConfig(
        {
            "version": 1,
            "handlers": {"file": {"class": "logging.FileHandler", "filename": tmp_path / "other"}},
            "root": {"handlers": ["file"], "level": "INFO"},
        }
    )
    assert (tmp_path / "log").read_text() == "one\n"
    root.warning("two")
    listener.stop()
    assert [type(h) for h in root.handlers] == [logging.FileHandler]
    root.handlers[0].close()
    assert (tmp_path / "other").read_text() == "two\n"


def test_dict_config_that_leaves_the_root_logger_alone(lf, root, tmp_path, pass_time):
    """uvicorn's own does: what was moved stays behind the queue."""
    file = logging.FileHandler(tmp_path / "log")
    root.handlers = [file]
    threads = []
    file.emit = lambda record: (
        threads.append(threading.current_thread()),
        logging.FileHandler.emit(file, record),
    )
    with lf.setup_logging_queue() as listener:
        root.info("before")
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
        pass_time(1.1)
        for i in range(10):
            root.info("after %d", i)
        assert listener.flush(10)
        assert len((tmp_path / "log").read_text().splitlines()) == 11
        assert threading.current_thread() not in threads
    assert root.handlers == [file]
    file.close()


def test_null_handlers_stay_where_they_are(lf, root):
    """Libraries hang them on their loggers, and some look for loggers that have nothing else."""
    null, collect = logging.NullHandler(), Named()
    root.handlers = [collect, null]
    library = logging.getLogger("library")
    library.addHandler(logging.NullHandler())
    with lf.setup_logging_queue(all_loggers=True) as listener:
        assert listener.handlers == (collect,)
        assert null in root.handlers
        assert [type(h) for h in library.handlers] == [logging.NullHandler]


def test_handlers_of_dict_config_are_moved(lf, root, tmp_path):
    logging.config.dictConfig(
        {
            "version": 1,
            "handlers": {"file": {"class": "logging.FileHandler", "filename": tmp_path / "log"}},
            "root": {"handlers": ["file"], "level": "INFO"},
        }
    )
    with lf.setup_logging_queue():
        root.warning("one")
    root.handlers[0].close()
    assert (tmp_path / "log").read_text() == "one\n"


@pytest.mark.parametrize("twice", [False, True])
def test_moving_and_back_while_others_log(lf, root, twice):
    """Each record is handled once by the handler that is there all the time, wherever it meets the move."""
    collect = Named()
    root.handlers = [collect]
    counts = [0] * 4

    def log(k):
        root.info("%d %d", k, counts[k])
        counts[k] += 1

    with repeated_in_threads(*[functools.partial(log, k) for k in range(4)]):
        other = Named()
        for _ in range(15):
            with lf.setup_logging_queue():
                if twice:
                    root.addHandler(other)
                    lf.setup_logging_queue()
            root.removeHandler(other)
    assert sorted(m for _, _, m in collect.seen) == sorted(f"{k} {i}" for k in range(4) for i in range(counts[k]))


def test_accelerate_lasts_until_stop(lf, root):
    compiled = lf.IMPLEMENTATION == "compiled"
    root.handlers = [collect := Named()]
    with lf.setup_logging_queue(accelerate=True):
        assert lf.loggers_accelerated() is compiled
        root.info("one")
    assert lf.loggers_accelerated() is False
    assert collect.seen == [("", "root", "one")]


def test_accelerate_leaves_what_was_accelerated_before(lf, root):
    root.handlers = [Named()]
    before = lf.accelerate_loggers()
    with lf.setup_logging_queue(accelerate=True):
        pass
    assert lf.loggers_accelerated() is before
    lf.restore_loggers()


def test_direct_in_the_environment_handles_in_the_call(lf, root, monkeypatch):
    monkeypatch.setenv("LOGFLUME_DIRECT", "1")
    root.handlers = [collect := Named()]
    before = threading.active_count()
    with lf.setup_logging_queue(accelerate=True):
        for i in range(3):
            root.info("%d", i)
            assert len(collect.seen) == i + 1
        assert threading.active_count() == before
    assert [message for _, _, message in collect.seen] == ["0", "1", "2"]


@pytest.mark.parametrize("accelerate", [False, True])
def test_a_log_call_that_a_second_set_up_interrupts(lf, clean_logging, accelerate):
    """Its record goes to the handlers that it would have gone to."""
    first, second = Collect(), Collect()
    logging.getLogger().addHandler(first)
    listener = lf.setup_logging_queue(accelerate=accelerate)

    class Slow:
        def __str__(self) -> str:
            other = logging.getLogger("other")
            if not other.handlers:
                other.addHandler(second)
                lf.setup_logging_queue(logging.getLogger(), other)
            return "slow"

    logging.getLogger("shop").error("%s", Slow())
    listener.stop()
    assert (first.messages, second.messages) == (["slow"], [])
