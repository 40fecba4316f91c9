"""Delivery: when and in which turns a listener's handlers get the records, flush(), flush_level and stats().

The files test_delivery_*.py have the rest: batches, formats, changes, failed writes, and random ones.
"""

import functools
import gc
import io
import logging
import logging.handlers
import multiprocessing
import queue
import signal
import sys
import threading
import time
import unittest.mock
import weakref

import pytest

from helpers import (
    Collect,
    Gate,
    messages_in,
    needs_nested_records,
    raising,
    repeated_in_threads,
    threads,
    wait_until,
)


def test_handler_levels_are_respected_if_asked_for(wired):
    low, high = Collect(), Collect(logging.ERROR)
    logger, listener = wired(low, high, respect_handler_level=True)
    logger.info("one")
    logger.error("two")
    listener.stop()
    assert (low.messages, high.messages) == (["one", "two"], ["two"])


def test_handler_levels_are_not_respected_by_default(wired):
    high = Collect(logging.ERROR)
    logger, listener = wired(high)
    logger.info("one")
    listener.stop()
    assert high.messages == ["one"]


def test_flush_waits_for_what_was_accepted_and_flushes_the_handlers(wired):
    class Flushed(Collect):
        def flush(self):
            self.messages.append("flush")

    collect = Flushed()
    logger, listener = wired(collect)
    for i in range(100):
        logger.info("%d", i)
    assert listener.flush() is True
    assert collect.messages == [*map(str, range(100)), "flush"]


def test_flush_times_out(wired):
    gate = Gate()
    logger, listener = wired(gate)
    logger.info("one")
    assert gate.entered.wait(10)
    started = time.monotonic()
    assert listener.flush(timeout=0.05) is False
    assert time.monotonic() - started < 10
    gate.open.set()
    assert listener.flush(timeout=10) is True


def test_flush_before_the_first_record_and_after_stop(wired):
    logger, listener = wired(Collect())
    assert listener.flush() is True
    listener.start()
    listener.stop()
    assert listener.flush() is True


def test_flush_from_a_handler_does_not_wait_for_itself(wired):
    answers = []

    class Flushes(Collect):
        def emit(self, record):
            answers.append(listener.flush())

    logger, listener = wired(Flushes())
    logger.info("one")
    listener.stop()
    assert answers == [False]


@pytest.mark.parametrize("busy", [False, True])
def test_a_critical_record_flushes_the_handlers_at_once(wired, busy):
    flushed = threading.Event()

    class Flushed(Collect):
        def flush(self):
            if "critical" in self.messages:
                flushed.set()

    logger, listener = wired(Flushed())
    if busy:
        logger.info("one")
        listener.flush()
    logger.critical("critical")
    assert flushed.wait(5)


def test_flush_level_behind_a_backlog(wired):
    class Flushed(Collect):
        done = 0
        flushed_after = None

        def emit(self, record):
            self.done += 1

        def flush(self):
            self.flushed_after = self.done

    handler = Flushed()
    logger, listener = wired(handler, flush_level=logging.ERROR)
    with handler.lock:
        for i in range(5000):
            logger.info("number %d", i)
        logger.error("urgent")
    assert wait_until(lambda: handler.flushed_after == 5001)


@pytest.mark.parametrize("ends", ["flush", "stop"])
def test_a_handler_waits_for_its_listener_in_its_flush(wired, ends):
    """The listener's thread calls it for a record of flush_level, and cannot wait for itself."""
    outcome = []

    class Waits(Collect):
        def flush(self):
            if not outcome:
                outcome.append(None)
                getattr(listener, ends)()
                outcome.append("returned")

    logger, listener = wired(Waits(), flush_level=logging.ERROR)
    logger.error("one")
    assert wait_until(lambda: outcome == [None, "returned"])


def test_a_record_at_flush_level_flushes_the_handlers(wired):
    flushed = threading.Event()

    class Flushed(Collect):
        def flush(self):
            if "error" in self.messages:
                flushed.set()

    logger, listener = wired(Flushed(), flush_level=logging.ERROR)
    logger.error("error")
    assert flushed.wait(5)


def test_a_flush_leaves_a_handler_its_collected_records(wired):
    """BufferingHandler.flush() forgets them, and no log call has asked for that."""

    class Collecting(logging.handlers.BufferingHandler):
        def shouldFlush(self, record):
            return False

    handler = Collecting(0)
    memory = logging.handlers.MemoryHandler(100, target=Collect())
    logger, listener = wired(handler, memory)
    logger.critical("one")
    assert listener.flush(10)
    assert [record.getMessage() for record in handler.buffer] == memory.target.messages == ["one"]


def test_a_flush_reaches_a_mock_of_a_handler(wired):
    handler = unittest.mock.MagicMock(level=1)
    logger, listener = wired(handler)
    logger.error("one")
    assert listener.flush(10)
    assert (handler.handle.call_count, handler.flush.call_count) == (1, 1)


def test_stats_count_records_errors_and_delays(wired):
    gate = Gate()
    logger, listener = wired(gate, raising("filter"), on_error=lambda *args: None)
    assert listener.stats()[:12] == (0, 0, 0, 0, 0, 0, 0.0, 0.0, 0, 0, 0, 0.0)
    for i in range(3):
        logger.info("%d", i)
    assert gate.entered.wait(10)
    assert listener.stats().pending == 3
    gate.open.set()
    assert listener.flush(10)
    stats = listener.stats()
    assert (stats.accepted, stats.handled, stats.failed, stats.errors) == (3, 0, 3, 3)
    assert (stats.dropped, stats.pending) == (0, 0)
    assert 0 < stats.batches <= stats.wakeups
    assert 0 < stats.delay <= stats.longest_delay


@pytest.mark.parametrize("created", ["2020-01-01", 5, None, [1]])
def test_records_from_elsewhere_may_have_no_time(wired, created):
    collect = Collect()
    logger, listener = wired(collect)
    logger.handle(logging.makeLogRecord({"msg": "one", "levelno": 20, "created": created}))
    assert listener.flush(10)
    assert collect.messages == ["one"]
    assert listener.stats()[:4] == (1, 0, 0, 0)


def test_records_that_do_not_tell_their_time(wired):
    class Mute(logging.LogRecord):
        mute = False

        def __getattribute__(self, name):
            if name == "created" and Mute.mute:
                raise ValueError(name)
            return super().__getattribute__(name)

    collect = Collect()
    logger, listener = wired(collect)
    record = Mute("name", 20, "path", 1, "one", None, None)
    Mute.mute = True
    logger.handle(record)
    assert listener.flush(10)
    assert collect.messages == ["one"]


def test_an_idle_listener_sleeps(wired):
    """It waits in the queue: no wake-up while nothing is logged."""
    logger, listener = wired(Collect())
    logger.info("one")
    deadline = time.monotonic() + 20
    before = -1
    while listener.stats().wakeups != before and time.monotonic() < deadline:
        before = listener.stats().wakeups
        time.sleep(0.5)
    assert listener.stats().wakeups == before
    logger.info("two")
    assert listener.flush(10)


def test_a_slow_handler_delays_others_for_a_turn_only(wired, tmp_path):
    """The file behind the slow handler is written while that one is still at work on the rest."""
    path = tmp_path / "log"
    seen_in_file = []

    class Slow(Collect):
        def emit(self, record):
            super().emit(record)
            time.sleep(0.002)
            seen_in_file.append(len(path.read_text().splitlines()))

    slow = Slow()
    file = logging.FileHandler(path)
    logger, listener = wired(slow, file)
    for i in range(200):
        logger.info("%d", i)
    assert listener.flush(30)
    file.close()
    assert path.read_text().split() == slow.messages == [str(i) for i in range(200)]
    assert max(seen_in_file) > 100


def test_overrides_of_handle_prepare_and_dequeue(lf):
    calls = []

    class Custom(lf.QueueListener):
        def dequeue(self, block):
            calls.append("dequeue")
            return super().dequeue(block)

        def prepare(self, record):
            calls.append("prepare")
            return super().prepare(record)

        def handle(self, record):
            calls.append("handle")
            super().handle(record)

    collect = Collect()
    handler = lf.LocalQueueHandler()
    handler.listener = Custom(handler.queue, collect)
    handler.handle(logging.makeLogRecord({"msg": "one"}))
    handler.listener.stop()
    assert collect.messages == ["one"]
    assert calls[:3] == ["dequeue", "handle", "prepare"]


@pytest.mark.parametrize("make", [queue.Queue, lambda: queue.Queue(2), queue.LifoQueue])
def test_queues_of_other_classes(lf, make):
    q = make()
    collect = Collect()
    handler = lf.LocalQueueHandler(q)
    handler.listener = lf.QueueListener(q, collect)
    for i in range(2):
        handler.handle(logging.makeLogRecord({"msg": str(i)}))
    assert handler.listener.flush(10)
    handler.listener.stop()
    assert sorted(collect.messages) == ["0", "1"]
    q.join()  # task_done() was called for each


def test_add_and_remove_handlers_while_it_runs(wired):
    first, second = Collect(), Collect()
    logger, listener = wired(first)
    logger.info("one")
    listener.flush()
    listener.addHandler(second)
    listener.addHandler(second)
    logger.info("two")
    listener.flush()
    listener.removeHandler(first)
    logger.info("three")
    listener.stop()
    assert (first.messages, second.messages) == (["one", "two"], ["two", "three"])


def test_handlers_assigned(wired):
    first, second = Collect(), Collect()
    logger, listener = wired(first)
    listener.handlers = (second,)
    logger.info("one")
    listener.stop()
    assert (first.messages, second.messages) == ([], ["one"])


def test_handler_flush_delivers(wired):
    collect = Collect()
    logger, listener = wired(collect)
    logger.info("one")
    logger.handlers[0].flush()
    assert collect.messages == ["one"]


def test_a_handled_record_is_let_go(wired):
    logger, listener = wired(Collect())
    r = logging.makeLogRecord({"msg": "one", "levelno": logging.INFO})
    gone = weakref.ref(r)
    logger.handle(r)
    del r
    listener.flush()

    def is_gone():
        gc.collect()
        return gone() is None

    assert wait_until(is_gone)


def test_stats_while_others_flush_and_log(wired):
    logger, listener = wired(Collect())
    listener.start()
    calls = [lambda: logger.info("one"), lambda: listener.flush(10), listener.stats, lambda: repr(listener)]
    with repeated_in_threads(*calls * 2):
        time.sleep(0.5)
    assert listener.flush(60)
    assert listener.stats().pending == 0
    listener.queue.put(None)  # not counted
    assert listener.stop() == 0
    gate = Gate()
    listener.addHandler(gate)
    listener.start()
    for _ in range(3):
        logger.info("one")
    assert gate.entered.wait(10)
    assert listener.stats().pending == 3, "sentinels and flush requests are counted out as often as in"
    gate.open.set()


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="SimpleQueue's lock is not re-entrant there")
@needs_nested_records
def test_sixteen_threads_and_a_signal_handler_that_logs(wired):
    if sys.platform == "win32":
        pytest.skip("no interval timer")
    collect = Collect()
    logger, listener = wired(collect)
    signals = 0

    def on_signal(number, frame):
        nonlocal signals
        signals += 1
        logger.info("signal %d", signals)

    def log(name):
        for i in range(300):
            logger.info("%s %d", name, i)

    before = signal.signal(signal.SIGALRM, on_signal)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        with threads(functools.partial(log, k) for k in range(16)):
            log("main")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    listener.stop()
    expected = [f"{k} {i}" for k in range(16) for i in range(300)]
    expected += [f"main {i}" for i in range(300)] + [f"signal {i + 1}" for i in range(signals)]
    assert sorted(collect.messages) == sorted(expected)


def test_logging_in_del_during_collection(wired):
    collect = Collect()
    logger, listener = wired(collect)

    class Logs:
        def __init__(self):
            self.me = self

        def __del__(self):
            logger.info("deleted")

    for _ in range(100):
        Logs()
    gc.collect()
    listener.stop()
    assert collect.messages == ["deleted"] * 100


@pytest.mark.parametrize("same", ["stream", "file", "file behind two streams"])
def test_handlers_that_share_an_output_take_turns(lf, clean_logging, tmp_path, same):
    """As those for sys.stdout and sys.stderr in a terminal."""

    def make():
        if same == "file behind two streams":
            return [logging.StreamHandler(open(tmp_path / "app.log", "a")) for _ in range(2)]
        if same == "file":
            return [logging.FileHandler(tmp_path / "app.log") for _ in range(2)]
        stream = io.StringIO()
        return [logging.StreamHandler(stream) for _ in range(2)]

    def text():
        if same != "stream":
            return (tmp_path / "app.log").read_text()
        return handlers[0].stream.getvalue()

    logging.root.setLevel(logging.INFO)
    handlers = make()
    for number, handler in enumerate(handlers):
        handler.setFormatter(logging.Formatter(f"{number} %(message)s"))
        logging.root.addHandler(handler)
    with lf.setup_logging_queue():
        for number in range(50):
            logging.info("record %d", number)
    assert text() == "".join(f"{handler} record {number}\n" for number in range(50) for handler in range(2))
    for handler in handlers:
        handler.close()
        if handler.stream is not None:
            handler.stream.close()


def test_handle_and_prepare_may_be_patched_later(lf, wired, monkeypatch):
    handler = Collect()
    logger, listener = wired(handler)
    seen = []

    def watched(name, original):
        def method(*args):
            seen.append(name)
            return original(*args)

        return method

    monkeypatch.setattr(lf.QueueListener, "handle", watched("class", lf.QueueListener.handle))
    logger.error("1")
    assert listener.flush(5)
    monkeypatch.undo()
    monkeypatch.setattr(
        logging.handlers.QueueListener, "prepare", watched("base", logging.handlers.QueueListener.prepare)
    )
    logger.error("2")
    assert listener.flush(5)
    monkeypatch.undo()
    listener.handle = watched("instance", listener.handle)
    logger.error("3")
    assert listener.flush(5)
    assert seen == ["class", "base", "instance"]
    assert handler.messages == ["1", "2", "3"]


@pytest.mark.skipif(sys.platform == "darwin", reason="its queues between processes do not tell their length")
def test_a_queue_between_processes_whose_feeder_is_late(lf):
    """Without a thread of the listener's the records are handled in flush() and stop(), and none is left."""
    for finish in ("flush", "stop") * 5:
        handler, records = Collect(), multiprocessing.Queue()
        listener = lf.QueueListener(records, handler)
        for i in range(3):
            records.put(logging.makeLogRecord({"msg": str(i)}))
        getattr(listener, finish)(30)
        assert handler.messages == ["0", "1", "2"]
        records.close()
        records.join_thread()


@pytest.mark.parametrize("make", ["multiprocessing.Queue()", "multiprocessing.Manager().Queue()"])
def test_flush_of_a_queue_between_processes(run, make):
    code, lines, stderr = run(
        f"""
        def main():
            queue = {make}
            file = logging.FileHandler(PATH)
            file.setFormatter(logging.Formatter("0 %(message)s"))
            listener = logflume.QueueListener(queue, file)
            logging.root.addHandler(logging.handlers.QueueHandler(queue))
            logging.root.setLevel(logging.INFO)
            with listener:
                for i in range(3):
                    logging.info("%d", i)
                    assert listener.flush(30)
                    assert open(PATH).read().splitlines()[-1] == f"0 {{i}}"

        if __name__ == "__main__":
            main()
        """
    )
    assert messages_in(lines) == ["0", "1", "2"], stderr
    assert code == 0, stderr
