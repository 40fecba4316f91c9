"""The listener's life: how it starts, stops and starts again, by whom, and what stop() and close() wait for."""

import asyncio
import concurrent.futures
import functools
import gc
import importlib
import io
import logging
import logging.handlers
import queue
import threading
import time
import weakref

import pytest

from helpers import Collect, Gate, listener_threads, not_delivered, run_in_threads, state_of, threads, wait_until


def test_is_a_standard_listener(lf):
    collect = Collect()
    q = queue.SimpleQueue()
    listener = lf.QueueListener(q, collect, respect_handler_level=True)
    assert isinstance(listener, logging.handlers.QueueListener)
    assert (listener.queue, listener.handlers, listener.respect_handler_level) == (q, (collect,), True)


def test_starts_by_itself_at_the_first_record(wired):
    collect = Collect()
    logger, listener = wired(collect)
    assert (state_of(listener), listener_threads()) == ("idle", [])
    logger.info("one")
    assert listener.flush(10)
    assert collect.messages == ["one"]
    assert state_of(listener) == "running"
    assert len(listener_threads()) == 1


def test_start_after_it_started_by_itself(wired):
    collect = Collect()
    logger, listener = wired(collect)
    logger.info("one")
    listener.start()
    with pytest.raises(RuntimeError, match="running already"):
        listener.start()


def test_starting_twice_is_an_error(lf):
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
    from logflume._listener.pace import Pace

    made = []
    init = Pace.__init__

    def note(self):
        made.append(threading.current_thread())
        init(self)

    monkeypatch.setattr(Pace, "__init__", note)
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
    [first] = listener_threads()
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
    [second] = listener_threads()
    assert second is not first
    logger.info("one")
    assert listener.flush(10)
    assert collect.messages == ["one"]
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
    run_in_threads(*[listener.stop] * 8)
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

    with threads(functools.partial(log, k) for k in range(4)):
        for _ in range(10):
            listener.stop()
            listener.start()
    listener.stop()
    assert sorted(collect.messages) == sorted(f"{k} {i}" for k in range(4) for i in range(500))
    for k in range(4):
        assert [m for m in collect.messages if m.startswith(f"{k} ")] == [f"{k} {i}" for i in range(500)]


def test_a_with_block_starts_and_stops_it(wired):
    collect = Collect()
    logger, listener = wired(collect)
    with listener as entered:
        assert entered is listener
        logger.info("one")
    assert collect.messages == ["one"]
    assert listener_threads() == []


def test_an_async_with_block_starts_and_stops_it(wired):
    collect = Collect()
    logger, listener = wired(collect)

    async def main():
        async with listener as entered:
            assert entered is listener
            logger.info("one")

    asyncio.run(main())
    assert collect.messages == ["one"]


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


def test_close_delivers_and_ends_the_thread(wired):
    collect = Collect()
    logger, listener = wired(collect)
    logger.info("one")
    logger.handlers[0].close()
    assert collect.messages == ["one"]
    assert listener_threads() == []


def test_it_starts_again_for_a_record_a_second_after_close(wired, pass_time):
    """As a FileHandler opens its file again: dictConfig() closes handlers that stay in use."""
    collect = Collect()
    logger, listener = wired(collect)
    threads = []
    collect.filters.append(lambda record: threads.append(threading.current_thread()) or True)
    for i in range(3):
        pass_time(1.1)
        logger.info("%d", i)
        assert len(listener_threads()) == 1
        logger.handlers[0].close()
        assert listener_threads() == []

    assert collect.messages == ["0", "1", "2"]
    assert threading.current_thread() not in threads
    listener.stop()
    logger.handlers[0].close()
    logger.info("after stop")
    assert listener_threads() == []
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
    assert len(listener_threads()) == 1
    second.close()
    assert collect.messages == ["one", "two"]
    assert listener_threads() == []


def test_logging_shutdown_delivers(wired):
    stream = io.StringIO()
    target = logging.StreamHandler(stream)
    logger, listener = wired(target)
    logger.info("one")
    logging.shutdown([r for r in logging._handlerList if r() in (target, logger.handlers[0])])
    assert stream.getvalue() == "one\n"


def test_an_unused_listener_is_collected(lf):
    handler = lf.LocalQueueHandler()
    handler.listener = lf.QueueListener(handler.queue)
    gone = weakref.ref(handler.listener)
    del handler
    gc.collect()
    assert gone() is None


def test_stop_tells_the_thread_again_if_the_queue_was_full(wired):
    inside, go = threading.Event(), threading.Event()
    handler = Collect(function=lambda record: (inside.set(), go.wait(5)))
    logger, listener = wired(handler, queue=queue.Queue(1))
    logger.error("1")
    assert inside.wait(5)
    logger.error("2")
    assert listener.stop(0.05)
    go.set()
    assert listener.stop(5) == 0
    assert handler.messages == ["1", "2"]


def test_handlers_may_change_the_listener_while_stop_waits_for_room(wired):
    inside = threading.Event()

    def function(record):
        inside.set()
        time.sleep(0.05)
        listener.addHandler(other)

    handler, other = Collect(function=function), Collect()
    logger, listener = wired(handler, queue=queue.Queue(1))
    logger.error("1")
    assert inside.wait(5)
    logger.error("2")
    assert listener.stop(5) == 0
    assert handler.messages == ["1", "2"]
    assert other.messages == ["2"]


def test_a_handler_may_stop_a_listener_whose_queue_is_full(wired):
    inside, go = threading.Event(), threading.Event()

    def function(record):
        inside.set()
        go.wait(5)
        listener.stop()

    handler = Collect(function=function)
    logger, listener = wired(handler, queue=queue.Queue(2))
    logger.error("1")
    assert inside.wait(5)
    logger.error("2")
    logger.error("3")
    go.set()
    assert listener.stop(5) == 0
    assert handler.messages == ["1", "2", "3"]
    assert listener.queue.unfinished_tasks == 0


def test_who_delivers_in_the_call_does_not_take_the_sentinel_from_the_thread(wired):
    inside, go = threading.Event(), threading.Event()
    handler = Collect(function=lambda record: (inside.set(), go.wait(5)))
    logger, listener = wired(handler, queue=queue.Queue())
    listener.stop()
    listener.queue.put(logging.makeLogRecord({"msg": "1"}))
    caller = threading.Thread(target=logger.error, args=("2",))
    caller.start()
    assert inside.wait(5)
    listener.start()
    assert wait_until(lambda: not listener.queue.qsize())  # the thread has the second record
    stopper = threading.Thread(target=listener.stop)
    stopper.start()
    assert wait_until(listener.queue.qsize)  # the sentinel is in the queue
    go.set()
    caller.join()
    stopper.join(5)
    assert not stopper.is_alive()
    assert handler.messages == ["1", "2"]


def test_stop_ends_if_a_handler_feeds_its_own_queue(lf):
    records: queue.SimpleQueue = queue.SimpleQueue()
    listener = lf.QueueListener(records, lf.LocalQueueHandler(records))
    listener.start()
    records.put(logging.makeLogRecord({"msg": "again and again"}))
    assert listener.stop(5) == 1


def test_the_number_left_in_a_queue_that_does_not_know_its_length(lf):
    class Unknowing:
        """As multiprocessing's queues on macOS."""

        def __init__(self):
            self.items = queue.SimpleQueue()
            self.put_nowait = self.items.put_nowait
            self.get = self.items.get
            self.get_nowait = self.items.get_nowait

        def qsize(self):
            raise NotImplementedError

    handler = Collect()
    records = Unknowing()
    listener = lf.QueueListener(records, handler)
    records.put_nowait(logging.makeLogRecord({"msg": "before"}))
    assert "0 records left" in repr(listener)
    assert listener.stop() == 0
    assert handler.messages == ["before"]
    listener.start()
    records.put_nowait(logging.makeLogRecord({"msg": "while it runs"}))
    assert listener.stop(5) == 0
    assert handler.messages == ["before", "while it runs"]


@pytest.mark.skipif(not hasattr(queue.Queue, "shutdown"), reason="from Python 3.13 on")
@pytest.mark.parametrize("immediate", [False, True])
def test_a_queue_that_is_shut_down_ends_the_thread(lf, immediate):
    collect = Collect()
    records = queue.Queue()
    listener = lf.QueueListener(records, collect)
    listener.start()
    for i in range(10):
        records.put(logging.makeLogRecord({"msg": str(i)}))
    if immediate:
        assert listener.flush(10)
    records.shutdown(immediate)
    assert wait_until(lambda: not listener_threads())
    assert collect.messages == [str(i) for i in range(10)]
    assert state_of(listener) == "stopped"
    assert listener.flush(10)
    assert listener.stop(10) == 0


@pytest.mark.skipif(not hasattr(queue.Queue, "shutdown"), reason="from Python 3.13 on")
def test_stop_and_flush_after_the_shutdown_of_the_queue(wired):
    gate = Gate()
    logger, listener = wired(gate, queue=queue.Queue())
    for i in range(5):
        logger.info("%d", i)
    assert gate.entered.wait(10)
    listener.queue.shutdown()
    assert listener.flush(0.05) is False
    gate.open.set()
    assert listener.flush(10)
    assert listener.stop(10) == 0
    assert gate.messages == [str(i) for i in range(5)]


def test_a_dequeue_of_its_own_needs_no_get_nowait(lf):
    """A socket's, say: the listener asks for nothing but what dequeue() uses."""

    class Socket:
        def __init__(self):
            self.items = queue.SimpleQueue()
            self.put_nowait = self.items.put_nowait

    class Listener(lf.QueueListener):
        def dequeue(self, block):
            return self.queue.items.get(block)

    collect = Collect()
    records = Socket()
    listener = Listener(records, collect)
    assert listener.flush(10)
    listener.start()
    records.put_nowait(logging.makeLogRecord({"msg": "while it runs"}))
    assert listener.flush(10)
    assert listener.stop(10) == 0
    assert listener.stop(10) == 0
    assert collect.messages == ["while it runs"]


def test_an_async_with_block_that_is_cancelled_delivers_first(wired):
    gate = Gate()
    logger, listener = wired(gate)

    async def work():
        async with listener:
            logger.info("one")
            raise ValueError

    async def main():
        task = asyncio.create_task(work())
        while not gate.entered.is_set():
            await asyncio.sleep(0.001)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0.01)
        assert not task.done()
        gate.open.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert listener_threads() == []

    asyncio.run(main())
    assert gate.messages == ["one"]


def test_an_async_with_block_needs_no_thread_of_the_loops_pool(wired):
    collect = Collect()
    logger, listener = wired(collect)
    go = threading.Event()

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(1))
        busy = loop.run_in_executor(None, go.wait)
        async with listener:
            logger.info("one")
        go.set()
        await busy

    asyncio.run(asyncio.wait_for(main(), 10))
    assert collect.messages == ["one"]


@pytest.mark.parametrize("cancelled", [False, True])
@pytest.mark.parametrize("library", ["trio", "anyio+asyncio", "anyio+trio"])
def test_an_async_with_block_under_trio_and_anyio(wired, library, cancelled):
    module = pytest.importorskip(library.partition("+")[0])
    backend = library.rpartition("+")[2]
    pytest.importorskip(backend)
    gate = Gate()
    logger, listener = wired(gate)
    ticks = []

    async def tick():
        while True:
            ticks.append(None)
            if len(ticks) == 5:
                gate.open.set()
            await module.sleep(0.01)

    async def work():
        with module.CancelScope() as scope:
            async with listener as entered:
                assert entered is listener
                logger.info("one")
                if cancelled:
                    scope.cancel()
        assert gate.messages == ["one"]
        assert listener_threads() == []

    async def with_trio():
        async with module.open_nursery() as group:
            group.start_soon(tick)
            await work()
            group.cancel_scope.cancel()

    async def with_anyio():
        async with module.create_task_group() as group:
            group.start_soon(tick)
            await work()
            group.cancel_scope.cancel()

    if module.__name__ == "trio":
        module.run(with_trio)
    else:
        module.run(with_anyio, backend=backend)
    assert len(ticks) >= 5


# A handler that does not come back does not keep the program.


def set_up_moved(lf, handler, **options):
    """The handler of a logger, moved behind a queue; returns the logger and the listener, started."""
    logger = logging.getLogger("moved")
    logger.setLevel(1)
    logger.addHandler(handler)
    return logger, lf.setup_logging_queue(logger, **options)


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("kind", ["with", "async with"])
def test_a_block_ends_within_exit_timeout(lf, wired, capsys, kind, moved):
    gate = Gate()
    if moved:
        logger, listener = set_up_moved(lf, gate, exit_timeout=0.1)
    else:
        logger, listener = wired(gate, exit_timeout=0.1)

    async def main():
        async with listener:
            logger.info("one")
            assert gate.entered.wait(10)

    if kind == "with":
        with listener:
            logger.info("one")
            assert gate.entered.wait(10)
    else:
        asyncio.run(main())
    [(left, seconds)] = not_delivered(capsys.readouterr().err)
    assert (left, seconds >= 0.1) == (1, True)
    logger.info("two")  # which does not wait for the handler's lock
    gate.open.set()
    assert listener.stop(10) == 0
    assert gate.messages == ["one", "two"]
    if moved:
        assert logger.handlers == [gate]


# aflush() and astop().

LIBRARIES = ["asyncio", "uvloop", "trio", "anyio+asyncio", "anyio+trio"]


@pytest.fixture(params=LIBRARIES)
def library(request):
    """The name of what runs the coroutines; skips where it is not installed."""
    for module in request.param.split("+"):
        pytest.importorskip(module)
    return request.param


def run_async(library, function):
    """Run `function`, a coroutine function, and return what it returns."""
    if library.startswith(("trio", "anyio")):
        module = importlib.import_module(library.partition("+")[0])
        options = {"backend": library.partition("+")[2]} if "+" in library else {}
        return module.run(function, **options)
    loop = importlib.import_module(library).new_event_loop()
    try:
        return loop.run_until_complete(function())
    finally:
        loop.close()


async def sleep(library, seconds):
    name = library.partition("+")[0]
    await importlib.import_module("asyncio" if name == "uvloop" else name).sleep(seconds)


async def beside(library, other, function):
    """Run `other` while `function` runs, both coroutine functions; return what `function` returns."""
    if library in ("asyncio", "uvloop"):
        task = asyncio.create_task(other())
        result = await function()
        await task
        return result
    module = importlib.import_module(library.partition("+")[0])
    async with module.open_nursery() if library == "trio" else module.create_task_group() as group:
        group.start_soon(other)
        return await function()


async def cancelled_after(library, seconds, function):
    """Cancel `function`, a coroutine function, and return whether it was at work still."""
    if library in ("asyncio", "uvloop"):
        task = asyncio.create_task(function())
        await asyncio.sleep(seconds)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return True
        return False
    module = importlib.import_module(library.partition("+")[0])
    with module.move_on_after(seconds) as scope:
        await function()
    return scope.cancelled_caught


@pytest.fixture
def at_work(wired):
    """A handler that is at work with a record until its gate opens, with the logger and the listener."""
    gate = Gate()
    logger, listener = wired(gate)
    logger.info("one")
    assert gate.entered.wait(10)
    yield gate, logger, listener
    gate.open.set()


@pytest.mark.parametrize("method", ["aflush", "astop"])
def test_the_event_loop_goes_on_while_it_waits(at_work, library, method):
    gate, _, listener = at_work

    async def other():
        for _ in range(3):
            await sleep(library, 0.01)
        gate.open.set()

    async def main():
        return await beside(library, other, getattr(listener, method))

    assert run_async(library, main) == (True if method == "aflush" else 0)
    assert gate.messages == ["one"]
    assert listener.is_running is (method == "aflush")


def test_timeouts_of_aflush_and_astop(at_work, library):
    gate, logger, listener = at_work

    async def main():
        assert await listener.aflush(0.02) is False
        assert await listener.astop(0.02) == 1
        gate.open.set()
        assert await listener.astop(10) == 0
        assert await listener.aflush() is True
        listener.start()
        logger.info("two")
        assert await listener.aflush(10) is True

    run_async(library, main)
    assert gate.messages == ["one", "two"]


@pytest.mark.parametrize("method", ["aflush", "astop"])
def test_cancelled_aflush_and_astop_leave_a_listener_that_works(at_work, library, method):
    gate, logger, listener = at_work

    async def main():
        assert await cancelled_after(library, 0.02, getattr(listener, method))
        logger.info("two")
        gate.open.set()
        if method == "astop":
            assert await listener.astop(10) == 0
            listener.start()
        logger.info("three")
        assert await listener.aflush(10)

    run_async(library, main)
    assert gate.messages == ["one", "two", "three"]
    assert listener.stop(10) == 0


def test_a_cancelled_aflush_leaves_no_thread(wired, library):
    """Not even while the handler is at work still."""
    gate = Gate()
    logger, listener = wired(gate)
    logger.info("one")
    assert gate.entered.wait(10)
    waiting = "logflume wait"

    async def main():
        assert await cancelled_after(library, 0.02, listener.aflush)

    run_async(library, main)
    assert wait_until(lambda: waiting not in {thread.name for thread in threading.enumerate()})
    gate.open.set()


def test_an_error_of_the_queue_comes_out_of_aflush(wired, library):
    class Broken(queue.SimpleQueue):
        def put_nowait(self, item):
            if broken:
                raise ZeroDivisionError
            super().put_nowait(item)

    broken = True
    _, listener = wired(Collect(), queue=Broken())
    listener.start()

    async def main():
        with pytest.raises(ZeroDivisionError):
            await listener.aflush(1)

    run_async(library, main)
    broken = False
