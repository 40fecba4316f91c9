"""QueueListener: start, stop, flush, errors, handlers that log, closing."""

from __future__ import annotations

import gc
import io
import logging
import logging.handlers
import queue
import sys
import threading
import time

import pytest

import cores


class Collect(logging.Handler):
    """Keeps the messages it handles."""

    def __init__(self, level=logging.NOTSET):
        super().__init__(level)
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


class Gate(Collect):
    """Handles nothing until it is opened."""

    def __init__(self):
        super().__init__()
        self.open = threading.Event()
        self.entered = threading.Event()

    def emit(self, record):
        self.entered.set()
        assert self.open.wait(30)
        super().emit(record)


@pytest.fixture
def wired(lf):
    """A logger with a LocalQueueHandler whose listener, made by wired(*handlers), hangs on it."""
    made = []

    def wire(*handlers, **options):
        handler = lf.LocalQueueHandler()
        handler.listener = lf.QueueListener(handler.queue, *handlers, **options)
        logger = logging.getLogger("wired")
        logger.setLevel(1)
        logger.propagate = False
        logger.handlers = [handler]
        made.append(handler.listener)
        return logger, handler.listener

    yield wire
    for listener in made:
        listener.stop(10)


def test_is_a_standard_listener(lf):
    collect = Collect()
    q = queue.SimpleQueue()
    listener = lf.QueueListener(q, collect, respect_handler_level=True)
    assert isinstance(listener, logging.handlers.QueueListener)
    assert (listener.queue, listener.handlers, listener.respect_handler_level) == (q, (collect,), True)


def test_starts_by_itself_at_the_first_record(wired):
    collect = Collect()
    logger, listener = wired(collect)
    assert listener._thread is None
    logger.info("one")
    assert listener.flush(10)
    assert collect.messages == ["one"]
    assert listener._thread.is_alive()


def test_start_after_it_started_by_itself(wired):
    collect = Collect()
    logger, listener = wired(collect)
    logger.info("one")
    listener.start()
    with pytest.raises(RuntimeError, match="running already"):
        listener.start()


def test_start_twice(lf):
    listener = lf.QueueListener(queue.SimpleQueue())
    listener.start()
    with pytest.raises(RuntimeError, match=r"stop\(\)"):
        listener.start()
    listener.stop()
    listener.start()
    listener.stop()


def test_stop_is_idempotent(lf):
    listener = lf.QueueListener(queue.SimpleQueue())
    assert listener.stop() == 0
    listener.start()
    assert listener.stop() == 0
    assert listener.stop() == 0


def test_stop_drains(wired):
    collect = Collect()
    logger, listener = wired(collect)
    for i in range(1000):
        logger.info("%d", i)
    assert listener.stop() == 0
    assert collect.messages == [str(i) for i in range(1000)]


def test_each_thread_paces_itself(lf, monkeypatch):
    """It goes by the thread's CPU time, which begins at zero in the next one."""
    module = sys.modules[lf.QueueListener.__module__]
    made = []

    class Noted(module.Pace):
        def __init__(self):
            super().__init__()
            made.append(threading.current_thread())

    monkeypatch.setattr(module, "Pace", Noted)
    listener = lf.QueueListener(queue.SimpleQueue())
    for _ in range(2):
        listener.start()
        listener.stop()
    assert len(set(made)) == 2
    assert threading.current_thread() not in made


def test_start_while_another_thread_is_in_stop(wired):
    collect = Collect()
    logger, listener = wired(collect)
    listener.start()
    first = listener._thread
    enqueue_sentinel = listener.enqueue_sentinel

    def and_start_again():
        del listener.enqueue_sentinel
        enqueue_sentinel()
        first.join(10)
        starter = threading.Thread(target=listener.start)
        starter.start()
        starter.join(10)

    listener.enqueue_sentinel = and_start_again
    listener.stop()
    assert listener._thread not in (None, first)
    logger.info("one")
    assert listener.flush(10)
    assert collect.messages == ["one"]
    second = listener._thread
    assert listener.stop(10) == 0
    assert not second.is_alive()


def test_log_calls_give_a_thread_that_ends_the_time_to_get_there(wired):
    gate = Gate()
    logger, listener = wired(gate)
    for i in range(1500):
        logger.info("%d", i)
    assert listener.stop(0) > 1000
    assert "stopping" in repr(listener)
    with pytest.raises(RuntimeError, match="still stopping"):
        listener.start()
    before = time.perf_counter()
    for i in range(1500, 1510):
        logger.info("%d", i)
    assert time.perf_counter() - before >= 0.04
    gate.open.set()
    assert listener.stop() == 0
    assert gate.messages == [str(i) for i in range(1510)]


def test_stop_from_many_threads(wired):
    collect = Collect()
    logger, listener = wired(collect)
    logger.info("one")
    threads = [threading.Thread(target=listener.stop) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    assert collect.messages == ["one"]


def test_stop_with_a_timeout_tells_what_is_left(wired):
    gate = Gate()
    logger, listener = wired(gate)
    for i in range(3):
        logger.info("%d", i)
    assert gate.entered.wait(10)
    assert listener.stop(timeout=0.05) == 3
    gate.open.set()
    assert listener.stop(timeout=10) == 0
    assert gate.messages == ["0", "1", "2"]


def test_start_while_it_is_still_stopping(wired):
    gate = Gate()
    logger, listener = wired(gate)
    logger.info("one")
    assert gate.entered.wait(10)
    assert listener.stop(timeout=0.01) == 1
    with pytest.raises(RuntimeError, match="still stopping"):
        listener.start()
    gate.open.set()
    assert listener.stop(10) == 0
    listener.start()
    listener.stop()


def test_stop_from_the_listeners_own_thread(wired):
    class Stops(Collect):
        def emit(self, record):
            super().emit(record)
            listener.stop()

    collect = Stops()
    logger, listener = wired(collect)
    logger.info("one")
    logger.info("two")
    listener.stop(10)
    assert collect.messages == ["one", "two"]


def test_records_after_stop_are_handled_in_the_caller(wired):
    collect = Collect()
    logger, listener = wired(collect)
    logger.info("one")
    listener.stop()
    logger.info("two")
    assert collect.messages == ["one", "two"]
    listener.start()
    logger.info("three")
    assert listener.flush(10)
    assert collect.messages == ["one", "two", "three"]


def test_stop_while_others_log_loses_nothing(wired):
    collect = Collect()
    logger, listener = wired(collect)

    def log(k):
        for i in range(500):
            logger.info("%d %d", k, i)

    threads = [threading.Thread(target=log, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        listener.stop()
        listener.start()
    for thread in threads:
        thread.join(30)
    listener.stop()
    assert sorted(collect.messages) == sorted(f"{k} {i}" for k in range(4) for i in range(500))
    for k in range(4):
        assert [m for m in collect.messages if m.startswith(f"{k} ")] == [f"{k} {i}" for i in range(500)]


def test_context_manager(wired):
    collect = Collect()
    logger, listener = wired(collect)
    with listener as entered:
        assert entered is listener
        logger.info("one")
    assert collect.messages == ["one"]
    assert listener._thread is None


def test_async_context_manager(wired):
    import asyncio

    collect = Collect()
    logger, listener = wired(collect)

    async def main():
        async with listener as entered:
            assert entered is listener
            logger.info("one")

    asyncio.run(main())
    assert collect.messages == ["one"]


def test_respect_handler_level(wired):
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


# Flush.


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


def test_flush_survives_a_handler_whose_flush_raises(wired, capsys):
    class Broken(Collect):
        def flush(self):
            raise ZeroDivisionError

    logger, listener = wired(Broken())
    logger.info("one")
    assert listener.flush(10) is True
    assert "ZeroDivisionError" in capsys.readouterr().err


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
    deadline = time.monotonic() + 5
    while handler.flushed_after != 5001 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert handler.flushed_after == 5001


def test_flush_level(wired):
    flushed = threading.Event()

    class Flushed(Collect):
        def flush(self):
            if "error" in self.messages:
                flushed.set()

    logger, listener = wired(Flushed(), flush_level=logging.ERROR)
    logger.error("error")
    assert flushed.wait(5)


def test_stats(wired):
    gate = Gate()
    logger, listener = wired(gate, raising("filter"), on_error=lambda *args: None)
    assert listener.stats() == (0, 0, 0, 0, 0, 0, 0.0, 0.0)
    for i in range(3):
        logger.info("%d", i)
    assert gate.entered.wait(10)
    assert listener.stats().pending == 3
    gate.open.set()
    assert listener.flush(10)
    stats = listener.stats()
    assert (stats.handled, stats.errors, stats.dropped, stats.pending) == (3, 3, 0, 0)
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


# Errors.


def raising(kind):
    class Broken(Collect):
        pass

    def fail(*args):
        raise ZeroDivisionError(kind)

    if kind == "filter":
        handler = Broken()
        handler.addFilter(fail)
        return handler
    setattr(Broken, kind, fail)
    if kind == "format":
        Broken.emit = lambda self, record: self.format(record)
    return Broken()


@pytest.mark.parametrize("kind", ["filter", "format", "emit", "handle"])
def test_survives_what_a_handler_raises(wired, capsys, kind):
    collect = Collect()
    logger, listener = wired(raising(kind), collect)
    logger.info("one")
    logger.info("two")
    assert listener.flush(10)
    assert collect.messages == ["one", "two"]
    err = capsys.readouterr().err
    assert err.count("--- Logging error ---") == 2
    assert err.count(f"ZeroDivisionError: {kind}") == 2


def test_errors_respect_raise_exceptions(wired, capsys, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logger, listener = wired(raising("emit"))
    logger.info("one")
    assert listener.flush(10)
    assert capsys.readouterr().err == ""


def test_errors_go_to_on_error(wired, capsys):
    seen = []
    broken = raising("filter")
    logger, listener = wired(broken, on_error=lambda *args: seen.append(args))
    logger.info("one")
    assert listener.flush(10)
    ((record, handler, error),) = seen
    assert (record.msg, handler) == ("one", broken)
    assert type(error) is ZeroDivisionError
    assert capsys.readouterr().err == ""


def test_an_on_error_that_raises_is_survived_and_hides_nothing(wired, capsys):
    def on_error(*args):
        raise LookupError("on_error")

    collect = Collect()
    logger, listener = wired(raising("emit"), collect, on_error=on_error)
    logger.info("one")
    assert listener.flush(10)
    assert collect.messages == ["one"]
    err = capsys.readouterr().err
    assert err.count("ZeroDivisionError: emit") == 1
    assert err.count("LookupError: on_error") == 1


def test_an_error_without_a_record_is_not_for_an_overridden_handle_error(wired, capsys):
    class Flushes(Collect):
        def flush(self):
            raise OSError("disk gone")

        def handleError(self, record):
            raise AssertionError(record.getMessage())

    logger, listener = wired(Flushes())
    logger.info("one")
    assert listener.flush(10)
    err = capsys.readouterr().err
    assert "OSError: disk gone" in err
    assert "AttributeError" not in err


def test_reports_are_rate_limited(wired, capsys):
    logger, listener = wired(raising("filter"))
    for _ in range(100):
        logger.info("one")
    assert listener.flush(10)
    assert capsys.readouterr().err.count("--- Logging error ---") == 10


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_the_thread_survives_what_is_not_an_exception(wired, error, capsys):
    class Exits(Collect):
        def emit(self, record):
            if record.msg == "exit":
                raise error
            super().emit(record)

    collect = Exits()
    logger, listener = wired(collect)
    logger.info("exit")
    logger.info("one")
    assert listener.flush(10)
    assert collect.messages == ["one"]


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


def test_an_overridden_handle_that_raises_is_survived(lf, capsys):
    class Custom(lf.QueueListener):
        def handle(self, record):
            if record.msg == "bad":
                raise ZeroDivisionError
            super().handle(record)

    collect = Collect()
    handler = lf.LocalQueueHandler()
    handler.listener = Custom(handler.queue, collect)
    for message in ("bad", "good"):
        handler.handle(logging.makeLogRecord({"msg": message}))
    handler.listener.stop()
    assert collect.messages == ["good"]
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize("make", [queue.Queue, lambda: queue.Queue(2), queue.LifoQueue])
def test_other_queues(lf, make):
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


# Handlers that log.


nested_counts = pytest.mark.skipif(
    cores.IGNORES_NESTED, reason="this Python ignores what is logged while a record is handled"
)


@pytest.mark.parametrize("after_stop", [False, pytest.param(True, marks=nested_counts)])
def test_a_handler_that_logs_for_each_record_ends(wired, after_stop, capsys):
    class Logs(Collect):
        def emit(self, record):
            super().emit(record)
            logging.getLogger("wired").info("caused by %s", record.msg)

    collect = Logs()
    logger, listener = wired(collect)
    if after_stop:
        listener.stop()
    logger.info("one")
    logger.info("two")
    assert listener.flush(10)
    assert collect.messages[0] == "one"
    assert collect.messages.count("two") == 1
    assert 4 <= len(collect.messages) < 100
    assert "RecursionError" in capsys.readouterr().err


def test_what_a_handler_logs_once_is_delivered(wired):
    class Logs(Collect):
        def emit(self, record):
            super().emit(record)
            if record.msg == "one":
                logging.getLogger("wired").info("rotated")

    collect = Logs()
    logger, listener = wired(collect)
    logger.info("one")
    logger.info("two")
    listener.stop()
    assert collect.messages == ["one", "rotated", "two"]


def test_a_handler_that_waits_for_a_lock_of_logging(wired):
    class Looks(Collect):
        def emit(self, record):
            logging.getLogger(f"fresh.{record.msg}").isEnabledFor(1)
            super().emit(record)

    collect = Looks()
    logger, listener = wired(collect)
    with logging._lock:
        logger.info("one")
        assert listener.stop(10) == 0
    assert collect.messages == ["one"]


# Handlers added and removed.


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


# Closing.


def test_close_delivers_and_ends_the_thread(wired):
    collect = Collect()
    logger, listener = wired(collect)
    logger.info("one")
    logger.handlers[0].close()
    assert collect.messages == ["one"]
    assert listener._thread is None


def test_it_starts_again_for_a_record_after_close(wired, monkeypatch):
    """As a FileHandler opens its file again: dictConfig() closes handlers that stay in use."""
    collect = Collect()
    logger, listener = wired(collect)
    monkeypatch.setattr(sys.modules[type(listener).__module__], "STRAGGLING", 0)
    threads = []
    collect.filters.append(lambda record: threads.append(threading.current_thread()) or True)
    for i in range(3):
        logger.info("%d", i)
        assert listener._thread is not None
        logger.handlers[0].close()
        assert listener._thread is None

    assert collect.messages == ["0", "1", "2"]
    assert threading.current_thread() not in threads
    listener.stop()
    logger.handlers[0].close()
    logger.info("after stop")
    assert listener._thread is None
    assert collect.messages[-1] == "after stop"


def test_close_of_one_of_two_handlers_keeps_the_listener(lf):
    collect = Collect()
    first = lf.LocalQueueHandler()
    second = lf.LocalQueueHandler(first.queue)
    listener = lf.QueueListener(first.queue, collect)
    first.listener = second.listener = listener
    first.handle(logging.makeLogRecord({"msg": "one"}))
    first.close()
    assert collect.messages == ["one"]
    second.handle(logging.makeLogRecord({"msg": "two"}))
    assert listener._thread.is_alive()
    second.close()
    assert collect.messages == ["one", "two"]
    assert listener._thread is None


def test_handler_flush_delivers(wired):
    collect = Collect()
    logger, listener = wired(collect)
    logger.info("one")
    logger.handlers[0].flush()
    assert collect.messages == ["one"]


def test_logging_shutdown_delivers(wired):
    stream = io.StringIO()
    target = logging.StreamHandler(stream)
    logger, listener = wired(target)
    logger.info("one")
    logging.shutdown([r for r in logging._handlerList if r() in (target, logger.handlers[0])])
    assert stream.getvalue() == "one\n"


# Memory.


def test_a_handled_record_is_let_go(wired):
    import weakref

    logger, listener = wired(Collect())
    r = logging.makeLogRecord({"msg": "one", "levelno": logging.INFO})
    gone = weakref.ref(r)
    logger.handle(r)
    del r
    listener.flush()
    deadline = time.monotonic() + 5
    while gone() is not None and time.monotonic() < deadline:
        gc.collect()
    assert gone() is None


def test_an_unused_listener_is_collected(lf):
    import weakref

    handler = lf.LocalQueueHandler()
    handler.listener = lf.QueueListener(handler.queue)
    gone = weakref.ref(handler.listener)
    del handler
    gc.collect()
    assert gone() is None


# Threads.


def test_stats_while_others_flush_and_log(wired):
    logger, listener = wired(Collect())
    listener.start()
    errors = []

    def until_the_end(call):
        end = time.monotonic() + 0.5
        try:
            while time.monotonic() < end:
                call()
        except BaseException as error:
            errors.append(error)

    calls = [lambda: logger.info("one"), lambda: listener.flush(10), listener.stats, lambda: repr(listener)]
    threads = [threading.Thread(target=until_the_end, args=(call,)) for call in calls * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert listener.flush(60)
    assert listener.stats().pending == 0
    listener.queue.put(None)  # not counted by anybody
    assert listener.stop() == 0
    assert len(listener._requests) == 0


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="SimpleQueue's lock is not re-entrant there")
@nested_counts
def test_sixteen_threads_and_a_signal_handler_that_logs(wired):
    import signal

    if sys.platform == "win32":
        pytest.skip("no interval timer")
    collect = Collect()
    logger, listener = wired(collect)
    signals = 0

    def on_signal(number, frame):
        nonlocal signals
        signals += 1
        logger.info("signal %d", signals)

    before = signal.signal(signal.SIGALRM, on_signal)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        threads = [
            threading.Thread(target=lambda k=k: [logger.info("%d %d", k, i) for i in range(300)])
            for k in range(16)
        ]
        for thread in threads:
            thread.start()
        for i in range(300):
            logger.info("main %d", i)
        for thread in threads:
            thread.join(60)
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


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("start", "can't start new thread"),
        ("__init__", "daemon threads are disabled in this interpreter"),  # a subinterpreter
    ],
)
def test_where_no_thread_can_start_the_caller_delivers(wired, monkeypatch, method, reason):
    def refuse(self, **given):
        raise RuntimeError(reason)

    monkeypatch.setattr(threading.Thread, method, refuse)
    collect = Collect()
    logger, listener = wired(collect)
    logger.info("one")
    assert collect.messages == ["one"]
    listener.stop()


@pytest.mark.parametrize("same", ["stream", "file"])
def test_handlers_that_share_an_output_take_turns(lf, clean_logging, tmp_path, same):
    def make():
        if same == "file":
            return [logging.FileHandler(tmp_path / "app.log") for _ in range(2)]
        stream = io.StringIO()
        return [logging.StreamHandler(stream) for _ in range(2)]

    def text():
        if same == "file":
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


@pytest.mark.parametrize("gone", ["formatter", "stream", "datefmt", "_style", "_fmt", "lock"])
def test_a_handler_that_lacks_something(lf, tmp_path, gone):
    """Each record is tried and reported, once, and the listener goes on."""
    handler = logging.FileHandler(tmp_path / "log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    failed = []
    source = lf.LocalQueueHandler(handlers=[handler])
    source.listener.on_error = lambda record, handler, error: failed.append(record)
    handler.handleError = failed.append
    logger = logging.Logger("lacking")
    logger.addHandler(source)
    logger.warning("before")
    assert source.listener.flush(30)
    owner = {"datefmt": handler.formatter, "_style": handler.formatter, "_fmt": handler.formatter._style}.get(
        gone, handler
    )
    kept = getattr(owner, gone)
    delattr(owner, gone)
    logger.warning("one")
    logger.warning("other")
    assert source.listener.flush(30)
    setattr(owner, gone, kept)
    logger.warning("after")
    assert source.listener.flush(30)
    source.close()
    # Without a record it is the flush of the handler that failed.
    assert [record.getMessage() for record in failed if record] == ["one", "other"]
    assert [line.split()[-1] for line in (tmp_path / "log").read_text().splitlines()] == ["before", "after"]
    handler.close()
