"""The calls of accelerated loggers: levels, handlers along the tree, and calls in the middle of others.

What the calls look like from outside is what the standard methods do, also where a part of logging is replaced (see
test_accelerated_replacements.py).
"""

import collections
import contextlib
import gc
import io
import logging
import queue
import re
import signal
import sys
from unittest import mock

import pytest

from helpers import FREE_THREADED, needs_compiled, run_code

# Levels.


def test_disabled_levels_log_nothing(logger, records):
    logger.debug("m", bogus=1)
    assert records() == []


def test_setLevel_counts_at_once(logger, records):
    for level, expected in [(logging.DEBUG, 1), (logging.ERROR, 0), (logging.NOTSET, 0)]:
        logger.setLevel(level)
        logger.debug("m")
        assert len(records()) == expected


@pytest.mark.parametrize(
    "enable",
    [
        lambda logger: logger.setLevel(logging.DEBUG),
        lambda logger: logger.parent.setLevel(logging.DEBUG),
        lambda logger: logger._cache.update({logging.DEBUG: True}),
        lambda logger: setattr(logger, "_cache", {logging.DEBUG: True}),
        lambda logger: setattr(logger, "__dict__", {**vars(logger), "_cache": {logging.DEBUG: True}}),
        lambda logger: setattr(logger, "isEnabledFor", lambda level: True),
    ],
)
def test_a_level_that_was_off_for_long_counts_at_once(logger, records, enable):
    for _ in range(100):
        logger.debug("off")
    assert records() == []
    kept = vars(logger)  # an old dictionary that lives on must not be taken for the new one
    enable(logger)
    logger.debug("on")
    assert [record.msg for record in records()] == ["on"]
    assert kept["name"] == logger.name


def test_loggers_that_come_and_go(records):
    """One may have the address of another one that is gone."""
    for i in range(2000):
        own = logging.Logger("own", logging.DEBUG if i % 3 == 0 else logging.INFO)
        own.parent = logging.root
        for _ in range(3):
            own.debug("m")
        assert len(records()) == (3 if i % 3 == 0 else 0)


def test_a_level_changed_while_it_is_looked_up(logger, records, monkeypatch):
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


def test_disable_counts_at_once(logger, records):
    logging.disable(logging.INFO)
    try:
        logger.info("m")
        assert records() == []
    finally:
        logging.disable(logging.NOTSET)
    logger.info("m")
    assert len(records()) == 1


def test_a_disabled_logger_logs_nothing(logger, records):
    logger.disabled = True
    try:
        logger.error("m")
    finally:
        logger.disabled = False
    assert records() == []


def test_the_handler_level_counts_at_once(logger, records):
    (handler,) = logging.root.handlers
    handler.setLevel(logging.ERROR)
    logger.warning("m")
    assert records() == []
    handler.setLevel(logging.WARNING)
    logger.warning("m")
    assert len(records()) == 1


def test_level_names_added_later(logger, records, monkeypatch):
    monkeypatch.setitem(logging._levelToName, 25, "NOTICE")
    logger.log(25, "m")
    logger.log(26, "m")
    assert [record.levelname for record in records()] == ["NOTICE", "Level 26"]


def test_a_patched_getLevelName_names_the_level(logger, records, monkeypatch):
    monkeypatch.setattr(logging, "getLevelName", lambda level: f"<{level}>")
    logger.info("m")
    assert records()[0].levelname == "<20>"


def test_log_refuses_what_is_no_level(logger, records, monkeypatch):
    with pytest.raises(TypeError):
        logger.log("INFO", "m")
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logger.log("INFO", "m")
    assert records() == []


# The way through the tree.


def test_without_propagation_the_root_s_handlers_get_nothing(logger, records):
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


def test_lastResort_writes_what_no_handler_takes(logger, package):
    package.accelerate_loggers()
    with contextlib.redirect_stderr(io.StringIO()) as err:
        logger.error("the last")
    assert err.getvalue() == "the last\n"


def test_handlers_beside_get_the_same_record_in_order(logger, records):
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


def test_each_of_several_queue_handlers_gets_the_record(logger, package, records):
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


def test_filters_of_the_logger_hold(logger, records):
    def even(record):
        return record.args[0] % 2 == 0

    logger.addFilter(even)
    try:
        for i in range(4):
            logger.info("%d", i)
    finally:
        logger.removeFilter(even)
    assert [record.args[0] for record in records()] == [0, 2]


def test_handlers_see_the_standard_frames(logger, package, records):
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


def test_logging_in_the_middle_of_a_log_call(logger, records):
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


@needs_compiled
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
        done = run_code(script, mode)
        assert done.returncode == 0, done.stderr
        outputs.append(
            (
                re.sub("0x[0-9A-Fa-f]+", "", done.stdout),
                [line for line in done.stderr.splitlines() if "Error" in line],
            )
        )
    assert outputs[0] == outputs[1]
