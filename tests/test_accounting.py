"""stats(): accepted == handled + dropped + failed + pending, whatever happened, and what it tells of each handler."""

from __future__ import annotations

import functools
import logging
import queue
import threading
import time
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cores
from helpers import (
    Collect,
    Gate,
    is_gone,
    needs_fork,
    needs_nested_records,
    raising,
    run_code,
    run_in_threads,
    wait_until,
)


def check(listener):
    stats = listener.stats()
    assert stats.accepted == stats.handled + stats.dropped + stats.failed + stats.pending
    return stats


def test_while_records_wait_and_are_handled(wired):
    gate = Gate()
    logger, listener = wired(gate)
    for i in range(3):
        logger.info("%d", i)
    assert gate.entered.wait(10)
    stats = check(listener)
    assert (stats.accepted, stats.handled, stats.pending) == (3, 0, 3)
    assert 0 <= stats.oldest_age < 1000
    time.sleep(0.01)
    assert listener.stats().oldest_age > stats.oldest_age
    gate.open.set()
    assert listener.flush(10)
    stats = check(listener)
    assert (stats.accepted, stats.handled, stats.pending, stats.oldest_age) == (3, 3, 0, 0.0)
    assert stats.high_water >= 1


def test_what_a_handler_fails_for_has_failed(wired):
    logger, listener = wired(raising("emit"), on_error=lambda *args: None)
    for i in range(1000):
        logger.info("%d", i)
    assert listener.flush(10)
    stats = check(listener)
    assert (stats.accepted, stats.handled, stats.failed, stats.errors) == (1000, 0, 1000, 1000)
    assert [(each.records, each.errors) for each in stats.handlers] == [(1000, 1000)]


def test_what_fails_for_the_listener_s_own_messages_is_no_record_s_failure(wired):
    class Fails(Collect):
        def emit(self, record):
            if record.name == "logflume":
                try:
                    raise ZeroDivisionError
                except ZeroDivisionError:
                    self.handleError(record)

    told = []
    logger, listener = wired(Fails(), on_error=lambda record, *rest: told.append(record.name), warn_at=1)
    for _ in range(2):
        for i in range(1000):
            logger.info("%d", i)
        assert listener.flush(10)
    stats = check(listener)
    assert (stats.handled, stats.failed) == (2000, 0)
    assert told == ["logflume"]


def test_a_record_that_fails_in_several_handlers_counts_once(wired):
    class OddsFail(Collect):
        def handle(self, record):
            if record.args[0] % 2:
                raise ZeroDivisionError
            return super().handle(record)

    good, first, second = Collect(), OddsFail(), OddsFail()
    logger, listener = wired(first, good, second, on_error=lambda *args: None)
    for i in range(100):
        logger.info("%d", i)
    assert listener.flush(10)
    stats = check(listener)
    assert (stats.handled, stats.failed, stats.errors) == (50, 50, 100)
    assert [(each.handler, each.records, each.errors) for each in stats.handlers] == [
        (first, 100, 50),
        (good, 100, 0),
        (second, 100, 50),
    ]
    assert all(each.seconds > 0 for each in stats.handlers)


def test_what_filters_and_levels_leave_out_is_handled(wired):
    filtering, high = Collect(), Collect(logging.ERROR)
    filtering.addFilter(lambda record: False)
    logger, listener = wired(filtering, high, respect_handler_level=True)
    logger.info("one")
    assert listener.flush(10)
    assert (filtering.messages, high.messages) == ([], [])
    assert check(listener).handled == 1
    assert [each.records for each in listener.stats().handlers] == [1, 0]


def test_what_a_moved_handler_s_filter_leaves_out_is_not_accepted(lf):
    collect = Collect()
    collect.addFilter(lambda record: record.getMessage() != "no")
    logging.root.addHandler(collect)
    with lf.setup_logging_queue() as listener:
        logging.warning("no")
        logging.warning("yes")
        assert listener.flush(10)
        assert check(listener).accepted == 1


@needs_nested_records
def test_nested_records(wired):
    def log(record):
        if record.getMessage() == "outer":
            logger.info("inner")
        elif record.getMessage() == "bad":
            logger.info("raises")
        elif record.getMessage() == "raises":
            raise ZeroDivisionError

    class Lets(Collect):
        def handle(self, record):
            self.emit(record)

    logger, listener = wired(Lets(function=log), on_error=lambda *args: None)
    logger.info("outer")
    assert listener.flush(10)
    stats = check(listener)
    assert (stats.accepted, stats.handled) == (2, 2)
    logger.info("bad")
    assert listener.flush(10)
    stats = check(listener)
    assert (stats.accepted, stats.handled, stats.failed) == (4, 2, 2)


def test_a_record_that_cannot_be_enqueued_has_failed(wired, capsys):
    logger, listener = wired(Collect())
    (handler,) = logger.handlers

    def prepare(record):
        raise ZeroDivisionError

    handler.prepare = prepare
    logger.info("one")
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert check(listener).failed == 1


def test_records_that_others_put_into_the_queue(lf):
    records = queue.SimpleQueue()
    standard = logging.handlers.QueueHandler(records)
    with lf.QueueListener(records, Collect()) as listener:
        standard.handle(logging.makeLogRecord({"msg": "one"}))
        records.put(logging.makeLogRecord({"msg": "two"}))
        assert listener.flush(10)
        assert check(listener).accepted == 2


def test_stop_start_and_close(wired):
    collect = Collect()
    logger, listener = wired(collect)
    for _ in range(3):
        logger.info("running")
        listener.stop()
        logger.info("stopped")
        listener.start()
    logger.handlers[0].close()
    logger.info("closed")
    stats = check(listener)
    assert (stats.accepted, stats.handled, stats.pending) == (7, 7, 0)


def test_an_interrupt_in_the_log_call_of_a_stopped_listener(wired):
    def interrupt(record):
        raise KeyboardInterrupt

    logger, listener = wired(Collect(function=interrupt))
    listener.stop()
    with pytest.raises(KeyboardInterrupt):
        logger.info("one")
    stats = check(listener)
    assert (stats.accepted, stats.failed, stats.pending) == (1, 1, 0)


def test_a_sink_that_hangs_keeps_memory_bounded(wired):
    gate = Gate()
    logger, listener = wired(gate, capacity=100, overflow="drop_oldest")
    for i in range(20_000):
        logger.info("%d", i)
    assert gate.entered.wait(10)
    stats = check(listener)
    assert stats.pending <= 201
    assert listener.queue.qsize() <= 100
    gate.open.set()
    assert listener.flush(10)
    assert check(listener).accepted == 20_000


@needs_fork
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of threads, from 3.12 on
def test_a_forked_child_begins_at_zero(lf):
    code = """
import logging, os, logflume
logging.root.addHandler(logging.NullHandler())
handler = logging.StreamHandler(open(os.devnull, "w"))
logging.root.addHandler(handler)
listener = logflume.setup_logging_queue(capacity=5)
for i in range(10): logging.warning("%d", i)
listener.flush()
child = os.fork()
if not child:
    first = listener.stats()
    logging.warning("child")
    listener.flush()
    stats = listener.stats()
    print(first[:12], first.drops, stats.accepted, stats.handled, stats.pending, flush=True)
    os._exit(0)
os.waitpid(child, 0)
stats = listener.stats()
print(stats.accepted, stats.handled + stats.dropped)
"""
    done = run_code(code)
    assert done.stdout.splitlines() == [
        "(0, 0, 0, 0, 0, 0, 0.0, 0.0, 0, 0, 0, 0.0) {} 1 1 0",
        "10 10",
    ], done.stderr


def test_handlers_that_come_and_go(wired):
    logger, listener = wired()
    for i in range(100):
        handler = Collect()
        listener.addHandler(handler)
        logger.info("%d", i)
        assert listener.flush(10)
        assert [(each.handler, each.records) for each in listener.stats().handlers] == [(handler, 1)]
        listener.removeHandler(handler)
        reference = weakref.ref(handler)
        del handler
        is_gone(reference)
    assert check(listener).accepted == 100
    assert len(listener._dispatcher.accounts._by_id) < 10


def test_accepted_only_grows(wired):
    logger, listener = wired(Collect(), raising("filter"), capacity=50, on_error=lambda *args: None)
    seen = []
    end = threading.Event()

    def log():
        for i in range(3000):
            logger.info("%d", i)

    def poll():
        while not end.is_set():
            seen.append(check(listener).accepted)
            time.sleep(0)

    poller = threading.Thread(target=poll)
    poller.start()
    try:
        run_in_threads(*[log] * 4)
        assert listener.flush(10)
    finally:
        end.set()
        poller.join()
    assert seen == sorted(seen)
    assert check(listener).accepted == 12_000


# Random sequences.


class Fails(Collect):
    """Raises for each seventh record, in handle() or in a filter."""

    def handle(self, record):
        if record.args and record.args[0] % 7 == 0:
            raise ZeroDivisionError
        return super().handle(record)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("log"), st.integers(1, 30), st.sampled_from([10, 20, 30, 40, 50])),
        st.tuples(st.just("threads"), st.integers(2, 4), st.integers(1, 40)),
        st.tuples(st.sampled_from(["flush", "stop", "start", "add", "remove", "nested", "broken", "gate", "open"])),
    ),
    max_size=14,
)


@pytest.mark.parametrize("core", cores.available())
@settings(max_examples=40, deadline=None)
@given(
    steps=STEPS,
    policy=st.sampled_from(["block", "drop_newest", "drop_oldest", "direct"]),
    capacity=st.one_of(st.none(), st.integers(1, 20)),
    accelerated=st.booleans(),
)
def test_random_sequences(core, steps, policy, capacity, accelerated):
    with cores.imported(core) as lf:
        run_steps(lf, steps, policy, capacity, accelerated)


def run_steps(lf, steps, policy, capacity, accelerated):
    gate = Gate()
    gate.open.set()
    handler = lf.LocalQueueHandler()
    listener = lf.QueueListener(
        handler.queue,
        gate,
        Fails(),
        capacity=capacity,
        overflow=policy,
        block_timeout=0.002,
        on_error=lambda *args: None,
    )
    handler.listener = listener
    logger = logging.Logger("random")
    logger.addHandler(handler)
    logged = [0]
    added = []
    nests = cores.IGNORES_NESTED is False

    def nest(record):
        if nests and record.msg == "nests %d" and threading.get_ident() == listener.delivering_thread:
            logged[0] += 1
            logger.info("nested")

    gate.function = nest

    def log(count, level, text="%d"):
        for i in range(count):
            logger.log(level, text, i)

    if accelerated:
        lf.accelerate_loggers()
    try:
        for step, *values in steps:
            if step == "log":
                log(*values)
                logged[0] += values[0]
            elif step == "threads":
                run_in_threads(*[functools.partial(log, values[1], 20)] * values[0])
                logged[0] += values[0] * values[1]
            elif step == "nested":
                log(1, 20, "nests %d")
                logged[0] += 1
            elif step == "broken":
                logger.info("%d", "no number")
                logged[0] += 1
            elif step == "gate":
                if listener.is_running:
                    gate.open.clear()
            elif step == "open":
                gate.open.set()
            elif step == "add":
                added.append(Collect())
                listener.addHandler(added[-1])
            elif step == "remove" and added:
                listener.removeHandler(added.pop())
            elif step in ("flush", "stop"):
                gate.open.set()
                getattr(listener, step)(30)
            elif step == "start" and not listener.is_running:
                listener.start()

            def is_complete():  # a record that was just taken may be in no list
                stats = check(listener)
                return stats.pending or stats.accepted == logged[0]

            assert wait_until(is_complete)
    finally:
        gate.open.set()
        assert listener.stop(30) == 0
        if accelerated:
            lf.restore_loggers()
    stats = check(listener)
    assert stats.pending == 0
    assert stats.accepted == logged[0] == stats.handled + stats.dropped + stats.failed
    if capacity is None:
        assert stats.dropped == 0
