"""A bounded queue: what is dropped, waited for or handled in the call when it is full, and what the log tells of it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import logging.config
import logging.handlers
import multiprocessing
import queue
import signal
import sys
import threading
import time
from unittest import mock

import pytest

from helpers import (
    Collect,
    Gate,
    needs_nested_records,
    nothing_delivered,
    run_in_threads,
    threads,
    wait_until,
)

POLICIES = ["block", "drop_newest", "drop_oldest", "direct"]


def messages(handler):
    """What it got of the loggers that are not the listener's own."""
    return [message for message in handler.messages if not message.endswith(tell_tale)]


tell_tale = (
    "queue full",
    "block timeout",
    "event loop",
    "'drop_newest')",
    "'drop_oldest')",
    "'block')",
    "'direct')",
)


@pytest.fixture(params=["standard", "accelerated"])
def held(request, lf, wired):
    """held(**options): a logger whose handler is at work with a first record until gate.open, and the queue empty."""
    gates = []

    def hold(gate=None, **options):
        gate = gate or Gate()
        gates.append(gate)
        logger, listener = wired(gate, **options)
        if request.param == "accelerated":
            if lf.IMPLEMENTATION == "pure":
                pytest.skip("the pure core accelerates nothing")
            lf.accelerate_loggers()
        logger.info("first")
        assert gate.entered.wait(10)
        return logger, listener, gate

    yield hold
    for gate in gates:
        gate.open.set()
    lf.restore_loggers()


def log_numbers(logger, count, level=logging.INFO, first=0):
    for i in range(first, first + count):
        logger.log(level, "%d", i)


def test_unbounded_by_default(held):
    logger, listener, gate = held()
    log_numbers(logger, 5000)
    gate.open.set()
    assert listener.flush(10)
    assert gate.messages == ["first", *map(str, range(5000))]
    assert listener.stats().drops == {}


@pytest.mark.parametrize(("policy", "left"), [("drop_newest", [0, 1, 2, 3, 4]), ("drop_oldest", [7, 8, 9, 10, 11])])
def test_one_end_is_dropped(held, policy, left):
    logger, listener, gate = held(capacity=5, overflow=policy)
    log_numbers(logger, 12)
    stats = listener.stats()
    assert (stats.accepted, stats.pending, stats.dropped, stats.high_water) == (13, 6, 7, 5)
    gate.open.set()
    assert listener.flush(10)
    assert messages(gate) == ["first", *map(str, left)]
    assert listener.stats().drops == {"queue full": {"INFO": 7}}


@pytest.mark.parametrize("keep_level", [logging.ERROR, "ERROR"])
@pytest.mark.parametrize(
    ("policy", "left", "kept_drops"),
    [
        ("drop_newest", range(20, 25), {"CRITICAL": 3}),
        ("drop_oldest", range(23, 28), {"ERROR": 2, "CRITICAL": 1}),
    ],
)
def test_errors_are_dropped_after_all_others(held, policy, left, kept_drops, keep_level):
    logger, listener, gate = held(capacity=5, overflow=policy, keep_level=keep_level)
    log_numbers(logger, 5)
    log_numbers(logger, 2, logging.ERROR, first=20)
    assert listener.stats().drops == {"queue full": {"INFO": 2}}
    log_numbers(logger, 3, logging.WARNING, first=10)
    log_numbers(logger, 6, logging.CRITICAL, first=22)
    log_numbers(logger, 4, logging.WARNING, first=13)
    gate.open.set()
    assert listener.flush(10)
    assert messages(gate) == ["first", *map(str, left)]
    assert listener.stats().drops == {"queue full": {"INFO": 5, "WARNING": 7, **kept_drops}}


def test_what_is_kept_stays_in_order_with_what_follows(held):
    logger, listener, gate = held(capacity=4, overflow="drop_oldest")
    for i in range(20):
        logger.log(logging.ERROR if i % 5 == 0 else logging.INFO, "%d", i)
    gate.open.set()
    assert listener.flush(10)
    assert messages(gate) == ["first", "0", "5", "10", "15"]
    log_numbers(logger, 2)
    assert listener.flush(10)
    assert messages(gate)[-2:] == ["0", "1"]


@pytest.mark.parametrize("policy", ["drop_newest", "drop_oldest"])
def test_flush_and_stop_are_never_dropped(held, policy):
    logger, listener, gate = held(capacity=5, overflow=policy)
    log_numbers(logger, 3)
    flushed = []
    with threads([lambda: flushed.append(listener.flush(30)), lambda: flushed.append(listener.stop(30) == 0)]):
        assert wait_until(lambda: listener.queue.qsize() == 5)
        log_numbers(logger, 20, logging.ERROR)
        gate.open.set()
    assert flushed == [True, True]
    stats = listener.stats()
    assert stats.accepted == 24 == stats.handled + stats.dropped


def test_block_waits_for_room(held):
    logger, listener, gate = held(capacity=5, overflow="block", block_timeout=30)
    with threads([lambda: log_numbers(logger, 50)]):
        assert wait_until(lambda: listener.queue.qsize() == 5)
        time.sleep(0.01)
        assert listener.stats().accepted == 6
        gate.open.set()
    assert listener.flush(10)
    assert gate.messages == ["first", *map(str, range(50))]


def test_block_gives_up_in_the_end(held):
    logger, listener, gate = held(capacity=5, overflow="block", block_timeout=0.01)
    log_numbers(logger, 7)
    logger.error("kept")
    gate.open.set()
    assert listener.flush(10)
    assert messages(gate) == ["first", "1", "2", "3", "4", "kept"]
    assert listener.stats().drops == {"block timeout": {"INFO": 3}}


def test_block_does_not_wait_in_a_thread_that_runs_an_event_loop(held):
    logger, listener, gate = held(capacity=5, overflow="block", block_timeout=1000)

    async def serve():
        log_numbers(logger, 8)

    asyncio.run(serve())
    gate.open.set()
    assert listener.flush(10)
    assert messages(gate) == ["first", "0", "1", "2", "3", "4"]
    assert listener.stats().drops == {"event loop": {"INFO": 3}}


def test_block_lets_go_of_logging_s_module_lock(held):
    class Looks(Gate):
        def emit(self, record):
            super().emit(record)
            logging.getLogger(f"looked-up-{record.getMessage()}")

    logger, listener, gate = held(Looks(), capacity=5, overflow="block", block_timeout=30)
    with logging._lock:
        gate.open.set()
        log_numbers(logger, 20)
    assert listener.flush(10)
    assert len(gate.messages) == 21


def test_direct_handles_the_oldest_records_in_the_call(lf, wired):
    idents = []
    collect = Collect(function=lambda record: idents.append(threading.get_ident()))
    logger, listener = wired(collect, capacity=5, overflow="direct")
    listener.start()
    with nothing_delivered(listener):
        log_numbers(logger, 50)
        assert threading.get_ident() in idents
        assert listener.stats().pending <= 6
    assert listener.flush(10)
    assert collect.messages == [*map(str, range(50))]
    assert listener.stats().dropped == 0


def test_direct_gives_up_when_a_handler_is_stuck(held):
    logger, listener, gate = held(capacity=5, overflow="direct", block_timeout=0.01)
    log_numbers(logger, 7)
    gate.open.set()
    assert listener.flush(10)
    assert messages(gate) == ["first", "0", "1", "2", "3", "4"]
    assert listener.stats().drops == {"block timeout": {"INFO": 2}}


def test_direct_raises_what_stops_the_caller(lf, wired):
    def interrupt(record):
        if record.getMessage() == "3" and threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt

    collect = Collect(function=interrupt)
    logger, listener = wired(collect, capacity=2, overflow="direct")
    listener.start()
    with nothing_delivered(listener), contextlib.suppress(KeyboardInterrupt):
        log_numbers(logger, 20)
    assert listener.flush(10)
    stats = listener.stats()
    assert stats.accepted == stats.handled + stats.failed
    assert stats.failed <= 1


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("kind", ["SimpleQueue", "Queue", "own"])
def test_eight_threads(lf, wired, policy, kind):
    """Nothing is unaccounted for, the records of a thread stay in order, and the queue within its capacity."""
    seen = {}
    disorder = []

    def look(record):
        if record.name != "logflume":
            number, i = record.args
            if seen.get(number, -1) >= i:
                disorder.append((number, i))
            seen[number] = i

    def run(number):
        for i in range(count):
            logger.log(logging.ERROR if i % 50 == 0 else logging.INFO, "%d %d", number, i)

    count = 6_000 if kind == "SimpleQueue" else 1_000
    collect = Collect(function=look)
    given = {"SimpleQueue": None, "Queue": queue.Queue(), "own": queue.Queue(100)}[kind]
    options = {} if kind == "own" else {"capacity": 100}
    logger, listener = wired(collect, queue=given, overflow=policy, block_timeout=60, **options)
    lf.accelerate_loggers()
    sums = []
    with threads([lambda number=number: run(number) for number in range(8)]):
        for _ in range(20):
            stats = listener.stats()
            sums.append(stats.accepted)
            assert stats.accepted == stats.handled + stats.dropped + stats.failed + stats.pending
            time.sleep(0.005)
    assert listener.flush(60)
    stats = listener.stats()
    assert sums == sorted(sums)
    assert stats.accepted == 8 * count == stats.handled + stats.dropped
    assert len(messages(collect)) == stats.handled
    assert not disorder
    assert stats.high_water <= 400  # while the listener cannot come to run, rather more than out of order
    if policy in ("block", "direct"):
        assert stats.dropped == 0
    lf.restore_loggers()


def test_what_goes_beside_a_record_is_dropped_and_kept_with_it(lf, tmp_path):
    """Contextvars and the targets of moved handlers."""
    variable = contextvars.ContextVar("variable")
    first, second = Gate(), Collect()
    first.function = lambda record: record.name == "logflume" or seen.append(variable.get(None))
    seen = []
    logging.getLogger("a").addHandler(first)
    logging.getLogger("b").addHandler(second)
    for name in "ab":
        logging.getLogger(name).propagate = False
        logging.getLogger(name).setLevel(1)
    with lf.setup_logging_queue("a", "b", capacity=4, overflow="drop_oldest") as listener:
        logging.getLogger("a").info("first")
        assert first.entered.wait(10)
        for i in range(10):
            variable.set(i)
            logging.getLogger("a").log(logging.ERROR if i < 2 else logging.INFO, "%d", i)
            logging.getLogger("b").info("%d", i)
        first.open.set()
        assert listener.flush(10)
        assert messages(first) == ["first", "0", "1", "9"]
        assert messages(second) == ["9"]
        assert seen[:4] == [None, 0, 1, 9]
        assert listener.stats().dropped == 21 - 5


def test_a_dropped_record_that_logs_when_it_ends(held):
    class Last:
        def __del__(self):
            logger.info("ended")

    logger, listener, gate = held(capacity=3, overflow="drop_oldest")
    for i in range(6):
        logger.info("%d", i, extra={"last": Last()})
    gate.open.set()

    def is_balanced():  # without the GIL the last of them may end, and log, after a flush
        stats = listener.stats()
        return stats.accepted == stats.handled + stats.dropped

    assert listener.flush(10)
    assert wait_until(is_balanced)
    assert "5" in gate.messages


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timer")
@pytest.mark.skipif(sys.implementation.name == "pypy", reason="SimpleQueue's lock is not re-entrant there")
@needs_nested_records
@pytest.mark.parametrize("policy", ["drop_newest", "drop_oldest"])
def test_a_signal_handler_that_logs_into_a_full_queue(lf, wired, policy):
    calls = 0

    def handler(*args):
        nonlocal calls
        calls += 1
        logger.log(logging.ERROR if calls % 2 else logging.INFO, "signal")

    logger, listener = wired(Collect(), capacity=10, overflow=policy)
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    try:
        for i in range(20_000):
            logger.log(logging.ERROR if i % 3 else logging.INFO, "%d", i)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert listener.flush(60)
    stats = listener.stats()
    assert stats.accepted == 20_000 + calls == stats.handled + stats.dropped


def test_a_stopped_listener_has_no_bound(held):
    logger, listener, gate = held(capacity=2, overflow="drop_newest")
    gate.open.set()
    assert listener.stop(10) == 0
    log_numbers(logger, 10)
    assert gate.messages == ["first", *map(str, range(10))]
    listener.start()
    log_numbers(logger, 1)
    assert listener.flush(10)
    assert listener.stats().accepted == 12


# The announcements.


def announcements(handler):
    return [message for message in handler.messages if message.endswith(tell_tale)]


def test_drops_are_told_when_they_begin_and_when_they_are_over(held):
    logger, listener, gate = held(capacity=5, overflow="drop_newest")
    levels = []
    gate.function = lambda record: levels.append((record.name, record.levelname))
    log_numbers(logger, 1205)
    log_numbers(logger, 4, logging.WARNING)
    gate.open.set()
    assert wait_until(lambda: len(announcements(gate)) == 2)
    begin, end = announcements(gate)
    assert begin == "the queue of 5 is full, and records are dropped (overflow='drop_newest')"
    assert end.startswith("1,204 records dropped in ")
    assert end.endswith(" s: 1,200 INFO, 4 WARNING; queue full")
    assert levels[-1] == ("logflume", "WARNING")
    assert listener.stats().accepted == 1210, "the listener's own records do not count"
    assert listener.stop(10) == 0
    assert len(announcements(gate)) == 2


def test_drops_are_told_at_the_end_of_the_listener(held):
    logger, listener, gate = held(capacity=5, overflow="drop_newest")
    log_numbers(logger, 6)
    gate.open.set()
    assert listener.stop(10) == 0
    assert announcements(gate)[-1].startswith("1 record dropped in ")


def test_drops_that_go_on_are_told_each_ten_seconds(lf, wired, pass_time):
    class Slow(Collect):
        def emit(self, record):
            super().emit(record)
            time.sleep(0.001)

    slow = Slow()
    logger, listener = wired(slow, capacity=1, overflow="drop_newest")
    end = threading.Event()

    def log():
        while not end.is_set():
            logger.info("%s", "again")

    def told_so_far():
        return [text for text in announcements(slow) if " s so far: " in text]

    with threads([log]):
        try:
            assert wait_until(lambda: announcements(slow))
            for _ in range(1000):  # on a busy machine it may be over in between, and begin again
                if len(told_so_far()) > 1:
                    break
                dropped = listener.stats().dropped
                pass_time(0.5)
                assert wait_until(lambda dropped=dropped: listener.stats().dropped > dropped)
        finally:
            end.set()
    assert "is full" in announcements(slow)[0]
    assert len(told_so_far()) > 1
    assert all(text.endswith(" INFO; queue full") for text in told_so_far())


def test_announcements_go_by_levels_and_by_their_logger(held):
    logger, listener, gate = held(capacity=5, respect_handler_level=True)
    high = Collect(logging.ERROR)
    listener.addHandler(high)
    log_numbers(logger, 10)
    gate.open.set()
    assert listener.flush(10)
    assert wait_until(lambda: announcements(gate))
    assert not high.messages
    logging.getLogger("logflume")  # the listener's, whatever a test did to the manager
    from logflume._listener import announce

    announce._logger.setLevel(logging.ERROR)
    try:
        log_numbers(logger, 100)
        assert listener.stop(10) == 0
        texts = announcements(gate)
    finally:
        announce._logger.setLevel(logging.NOTSET)
    assert len(texts) <= 2


def test_a_long_backlog_is_told_once(held):
    logger, listener, gate = held(warn_at=100)
    log_numbers(logger, 500)
    gate.open.set()
    assert listener.flush(10)
    log_numbers(logger, 500)
    assert listener.flush(10)
    told = [message for message in gate.messages if message.endswith("faster than they are handled")]
    assert len(told) == 1
    assert told[0].split()[0].replace(",", "").isdigit()


def test_no_backlog_is_told_of_without_warn_at(held):
    logger, listener, gate = held(warn_at=None)
    log_numbers(logger, 500)
    gate.open.set()
    assert listener.flush(10)
    assert gate.messages == ["first", *map(str, range(500))]


# A queue of the user's own.


@pytest.mark.parametrize(("policy", "left"), [("drop_newest", [0, 1, 2]), ("drop_oldest", [7, 8, 9])])
def test_a_queue_with_a_size_drops_and_counts_as_well(held, policy, left, capsys):
    logger, listener, gate = held(queue=queue.Queue(3), overflow=policy)
    log_numbers(logger, 10)
    gate.open.set()
    assert listener.flush(10)
    listener.queue.join()
    assert messages(gate) == ["first", *map(str, left)]
    assert listener.stats().drops == {"queue full": {"INFO": 7}}
    assert capsys.readouterr().err == ""


def test_a_queue_with_a_size_of_another_kind(lf, wired, capsys):
    class Own:
        def __init__(self):
            self.queue = queue.Queue(3)
            self.put_nowait, self.put, self.get = self.queue.put_nowait, self.queue.put, self.queue.get
            self.get_nowait = self.queue.get_nowait

    gate = Gate()
    logger, listener = wired(gate, queue=Own())
    logger.info("first")
    assert gate.entered.wait(10)
    log_numbers(logger, 10)
    logger.error("dropped, too: it does not give others away")
    gate.open.set()
    assert listener.flush(10)
    assert messages(gate) == ["first", "0", "1", "2"]
    assert listener.stats().drops == {"queue full": {"INFO": 7, "ERROR": 1}}
    assert capsys.readouterr().err == ""


def test_an_own_handle_error_hears_of_what_an_own_queue_refuses(held):
    logger, listener, gate = held(queue=queue.Queue(3))
    (handler,) = logger.handlers
    refused = []
    handler.handleError = lambda record: refused.append((record.getMessage(), sys.exc_info()[0]))
    log_numbers(logger, 5)
    gate.open.set()
    assert listener.flush(10)
    assert refused == [("3", queue.Full), ("4", queue.Full)]
    assert listener.stats().drops == {"queue full": {"INFO": 2}}


def test_an_own_enqueue_that_calls_the_standard_one(lf, wired):
    class Own(lf.LocalQueueHandler):
        def enqueue(self, record):
            super().enqueue(record)

    gate = Gate()
    logger, listener = wired(gate, capacity=3)
    own = Own(listener.queue)
    own.listener = listener
    logger.handlers = [own]
    logger.info("first")
    assert gate.entered.wait(10)
    log_numbers(logger, 5)
    gate.open.set()
    assert listener.flush(10)
    assert messages(gate) == ["first", "0", "1", "2"]


# Setting it up.


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"capacity": "many"}, TypeError),
        ({"capacity": True}, TypeError),
        ({"capacity": 0}, ValueError),
        ({"overflow": "drop"}, ValueError),
        ({"overflow": None}, ValueError),
        ({"block_timeout": "1"}, TypeError),
        ({"block_timeout": -1}, ValueError),
        ({"block_timeout": float("nan")}, ValueError),
        ({"keep_level": "URGENT"}, ValueError),
        ({"keep_level": None}, TypeError),
        ({"warn_at": 1.5}, TypeError),
        ({"warn_at": -1}, ValueError),
    ],
)
def test_wrong_values_are_named(lf, options, error):
    ((name, value),) = options.items()
    for set_up in (
        lambda: lf.QueueListener(queue.SimpleQueue(), **options),
        lambda: lf.setup_logging_queue(**options),
        lambda: lf.LocalQueueHandler(**options),
    ):
        with pytest.raises(error, match=f"{name} takes .*{value!r}"):
            set_up()


def test_a_queue_that_cannot_keep_a_capacity(lf):
    with contextlib.closing(multiprocessing.Queue()) as leaves:  # noqa: SIM117
        with pytest.raises(ValueError, match=r"capacity needs a queue.SimpleQueue or a queue.Queue, not 'Queue'"):
            lf.QueueListener(leaves, capacity=10)


def test_a_listener_that_cannot_keep_a_capacity(lf):
    class Own(logging.handlers.QueueListener):
        pass

    with pytest.raises(TypeError, match=r"capacity: only for a logflume.QueueListener"):
        lf.LocalQueueHandler(capacity=10, listener=Own, handlers=[Collect()])


def bounds_of(handler):
    bounds = handler.listener._dispatcher.overflow.bounds
    return bounds.capacity, bounds.overflow, bounds.block_timeout, bounds.keep_level, bounds.warn_at


OPTIONS = {
    "capacity": 5,
    "overflow": "drop_oldest",
    "block_timeout": 2,
    "keep_level": "WARNING",
    "warn_at": 100,
}


def gives_keys():
    """Whether dictConfig() gives a queue handler's class the keys that the standard one lacks; 3.12.1 does not."""
    configure = getattr(logging.config.DictConfigurator({"version": 1}), "_configure_queue_handler", None)
    given = mock.Mock()
    return configure is None or bool(configure(given, handlers=[], key=1) and given.call_args.kwargs)


@pytest.mark.parametrize("listener", [{}, {"listener": "logflume.QueueListener"}])
@pytest.mark.parametrize(
    "how",
    [
        pytest.param(
            {"class": "logflume.LocalQueueHandler"},
            marks=pytest.mark.skipif(not gives_keys(), reason="dictConfig() ignores these keys"),
        ),
        {"()": "logflume.LocalQueueHandler"},
    ],
)
def test_dictconfig(lf, tmp_path, how, listener):
    logging.config.dictConfig(
        {
            "version": 1,
            "handlers": {
                "file": {"class": "logging.FileHandler", "filename": str(tmp_path / "log")},
                "queue": {**how, "handlers": ["file"], **listener, **OPTIONS},
            },
            "root": {"level": "INFO", "handlers": ["queue"]},
        }
    )
    (handler,) = logging.root.handlers
    assert bounds_of(handler) == (5, "drop_oldest", 2.0, logging.WARNING, 100)
    with nothing_delivered(handler.listener):
        for i in range(20):
            logging.info("%d", i)
    handler.flush()
    stats = handler.listener.stats()
    assert stats.dropped >= 14
    assert stats.accepted == 20


def test_fileconfig(lf, tmp_path):
    path = tmp_path / "config"
    path.write_text(f"""
[loggers]
keys=root
[handlers]
keys=file,queue
[formatters]
keys=
[logger_root]
level=INFO
handlers=queue
[handler_file]
class=FileHandler
args=({str(tmp_path / "log")!r},)
[handler_queue]
class=logflume.LocalQueueHandler
kwargs={ {"handlers": ["file"], **OPTIONS}!r}
""")
    logging.config.fileConfig(path)
    assert bounds_of(logging.root.handlers[0]) == (5, "drop_oldest", 2.0, logging.WARNING, 100)


def test_eight_threads_while_the_listener_wakes_up_again_and_again(lf, wired):
    """A record that the waking listener has taken comes before those that are put aside."""
    order = []
    collect = Collect(function=lambda record: record.name == "logflume" or order.append(record.args[0]))
    logger, listener = wired(collect, capacity=2, overflow="drop_oldest")
    number = iter(range(10**9))
    lock = threading.Lock()

    def log():
        for _ in range(100):
            with lock:
                i = next(number)
                logger.log(logging.ERROR if i % 2 else logging.INFO, "%d", i)
            if i % 7 == 0:
                time.sleep(0.001)

    for _ in range(5):
        run_in_threads(*[log] * 8)
        assert listener.flush(10)
        time.sleep(0.25)  # until it waits in the queue
    assert order == sorted(order)
