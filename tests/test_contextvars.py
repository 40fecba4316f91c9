"""Filters, formatters and handlers behind the queue see the contextvars of the record's caller."""

import contextlib
import contextvars
import decimal
import gc
import io
import logging
import logging.handlers
import pickle
import queue
import threading
import weakref

import pytest

from helpers import Gate, drain, run_code

request = contextvars.ContextVar("request", default="none")


class Asking(logging.Handler):
    """A handler that asks for the request, as one that sends traces does."""

    def __init__(self):
        super().__init__()
        self.got = []

    def emit(self, record):
        self.got.append((record.getMessage(), request.get()))


def asking_filter():
    """As asgi-correlation-id has it: a filter on a handler of the standard library."""
    sink = logging.StreamHandler(io.StringIO())

    def enrich(record):
        record.request = request.get()
        return True

    sink.addFilter(enrich)
    sink.setFormatter(logging.Formatter("%(message)s %(request)s"))
    return sink, lambda: [tuple(line.split()) for line in sink.stream.getvalue().splitlines()]


def asking_formatter():
    class Formatter(logging.Formatter):
        def format(self, record):
            return f"{record.getMessage()} {request.get()}"

    sink = logging.StreamHandler(io.StringIO())
    sink.setFormatter(Formatter())
    return sink, lambda: [tuple(line.split()) for line in sink.stream.getvalue().splitlines()]


def asking_handler():
    handler = Asking()
    return handler, lambda: handler.got


def asking_batch():
    class Batch(Asking):
        def handle_batch(self, records):
            self.got.extend((record.getMessage(), record.request) for record in records)

    handler = Batch()
    handler.addFilter(lambda record: setattr(record, "request", request.get()) or True)
    return handler, lambda: handler.got


ASKING = {
    "filter": asking_filter,
    "formatter": asking_formatter,
    "handler": asking_handler,
    "batch": asking_batch,
}


@contextlib.contextmanager
def moved(lf, sink):
    """setup_logging_queue()"""
    logging.root.addHandler(sink)
    with lf.setup_logging_queue():
        yield


@contextlib.contextmanager
def linked(lf, sink):
    """A queue handler that has its listener."""
    handler = lf.LocalQueueHandler(handlers=[sink])
    logging.root.addHandler(handler)
    with handler.listener:
        yield


@contextlib.contextmanager
def swapped(lf, sink):
    """A queue handler and a listener that know nothing of each other but the queue."""
    records = queue.SimpleQueue()
    logging.root.addHandler(lf.LocalQueueHandler(records))
    with lf.QueueListener(records, sink):
        yield


@contextlib.contextmanager
def overridden(lf, sink):
    """A listener whose class has a handle() of its own."""

    class Listener(lf.QueueListener):
        def handle(self, record):
            record.request = request.get()
            super().handle(record)

    handler = lf.LocalQueueHandler(handlers=[sink], listener=Listener)
    logging.root.addHandler(handler)
    with handler.listener:
        yield


def log_from(requests):
    def serve(name):
        request.set(name)
        logging.getLogger("app").info("%s", name)
        logging.getLogger("app").info("again")

    for name in requests:
        contextvars.copy_context().run(serve, name)
    logging.getLogger("app").info("outside")


@pytest.mark.parametrize("accelerate", [False, True], ids=["standard calls", "accelerated"])
@pytest.mark.parametrize("way", [moved, linked, swapped, overridden])
@pytest.mark.parametrize("asking", ASKING)
def test_filters_formatters_and_handlers_see_the_caller_s_contextvars(lf, clean_logging, asking, way, accelerate):
    logging.root.setLevel(logging.INFO)
    sink, seen = ASKING[asking]()
    if accelerate:
        lf.accelerate_loggers()
    with way(lf, sink):
        log_from(["r1", "r2", "r1", "r3"])
    expected = [pair for r in ("r1", "r2", "r1", "r3") for pair in ((r, r), ("again", r))]
    assert seen() == [*expected, ("outside", "none")]


def test_two_listeners_at_a_time(lf, clean_logging):
    logging.root.setLevel(logging.INFO)
    both = threading.Barrier(2, timeout=5)

    class Meeting(Asking):
        def emit(self, record):
            both.wait()  # both handlers are in the context now
            super().emit(record)

    sinks = [Meeting(), Meeting()]
    with linked(lf, sinks[0]), linked(lf, sinks[1]):
        log_from(["r1"])
    assert sinks[0].got == sinks[1].got == [("r1", "r1"), ("again", "r1"), ("outside", "none")]


def test_what_a_handler_sets_stays_there(lf, clean_logging):
    logging.root.setLevel(logging.INFO)

    class Setting(Asking):
        def emit(self, record):
            super().emit(record)
            request.set("changed")

    sink = Setting()
    with linked(lf, sink):
        log_from(["r1"])
    assert sink.got[:2] == [("r1", "r1"), ("again", "r1")]
    assert request.get() == "none"


def test_what_a_handler_logs_comes_from_the_same_context(lf, clean_logging):
    logging.root.setLevel(logging.INFO)

    class Chatty(Asking):
        def emit(self, record):
            super().emit(record)
            if record.name == "app":
                logging.getLogger("sink").info("about %s", record.getMessage())

    sink = Chatty()
    with moved(lf, sink):
        log_from(["r1"])
    if len(sink.got) == 6:  # some Pythons ignore what a handler logs
        assert sink.got[:2] == [("r1", "r1"), ("about r1", "r1")]
        assert sink.got[-1] == ("about outside", "none")


@pytest.mark.parametrize("accelerate", [False, True], ids=["standard calls", "accelerated"])
def test_the_record_itself_is_enqueued(lf, clean_logging, accelerate):
    logging.root.setLevel(logging.INFO)
    handler = lf.LocalQueueHandler(queue.SimpleQueue())
    other = logging.handlers.BufferingHandler(10)
    logging.root.handlers = [handler, other]
    if accelerate:
        lf.accelerate_loggers()
    log_from(["r1"])
    for record in other.buffer:
        assert handler.queue.get_nowait() is record
        assert "context" not in vars(record)
        assert pickle.loads(pickle.dumps(record)).__dict__ == record.__dict__


def test_decimal_alone_is_no_reason(lf, clean_logging):
    """A thread that computes with decimals has its context from then on."""
    logging.root.setLevel(logging.INFO)
    gate = Gate()
    handler = lf.LocalQueueHandler()
    handler.listener = lf.QueueListener(handler.queue, gate)
    logging.root.handlers = [handler]

    def log():
        decimal.getcontext()
        logging.info("computed")

    contextvars.Context().run(log)
    assert gate.entered.wait(10)  # so that the listener takes no more
    contextvars.Context().run(log)
    contextvars.Context().run(lambda: (request.set("r1"), log()))
    assert [isinstance(item, logging.LogRecord) for item in drain(handler.queue)] == [True, False]
    gate.open.set()
    assert handler.listener.stop(10) == 0


@pytest.mark.parametrize("accelerate", [False, True], ids=["standard calls", "accelerated"])
@pytest.mark.parametrize("way", [moved, linked, swapped])
def test_contextvars_are_let_go_with_their_records(lf, clean_logging, way, accelerate):
    logging.root.setLevel(logging.INFO)

    class Session:
        records = None

    class Collecting(Asking):
        """Puts the record where its own context has it: a cycle, if other code kept both."""

        def emit(self, record):
            session = request.get()
            if isinstance(session, Session):
                session.records = [record]

    sink = Collecting()
    ends = []

    def serve():
        session = Session()
        ends.append(weakref.ref(session))
        request.set(session)
        logging.getLogger("app").info("hello %s", "x")

    if accelerate:
        lf.accelerate_loggers()
    with way(lf, sink):
        for _ in range(5):
            contextvars.Context().run(serve)
        log_from(["the last"])  # whose contextvars are kept
    logging.root.handlers.clear()
    gc.collect()
    assert [end() for end in ends] == [None] * 5


def test_a_queue_between_processes(lf):
    """contextvars cannot leave the process; the record does."""
    script = """
import contextvars, logging, multiprocessing, logflume
contextvars.ContextVar("request").set("r1")
queue = multiprocessing.get_context("spawn").Queue()
handler = logflume.LocalQueueHandler(queue)
logging.root.addHandler(handler)
with logflume.QueueListener(queue, logging.StreamHandler()):
    logging.warning("sent %s", "so")
"""
    done = run_code(script)
    assert (done.returncode, done.stderr) == (0, "sent so\n")


def test_two_queues_without_a_link(lf, clean_logging):
    logging.root.setLevel(logging.INFO)
    sinks = [Asking(), Asking()]
    with swapped(lf, sinks[0]), swapped(lf, sinks[1]):
        log_from(["r1"])
    assert sinks[0].got == sinks[1].got == [("r1", "r1"), ("again", "r1"), ("outside", "none")]


def test_values_are_not_compared(lf, clean_logging):
    """What they are worth to each other is their own business, and may be an error."""
    logging.root.setLevel(logging.INFO)

    class Array:
        def __eq__(self, other):
            raise ValueError("the truth value of an array is ambiguous")

        __hash__ = None

    sink = Asking()
    values = [Array(), Array(), {}, {}]
    with linked(lf, sink):
        log_from(values)
    assert len(sink.got) == 2 * len(values) + 1
    assert all(seen is value for (_, seen), value in zip(sink.got[:-1:2], values, strict=True))


def test_a_record_that_a_listener_makes_has_no_other_ones_context(lf, clean_logging):
    """It may come to lie where a record was that is gone."""
    logging.root.setLevel(logging.INFO)

    class Copying(lf.QueueListener):
        def prepare(self, record):
            return logging.makeLogRecord(vars(record))

        def handle(self, record):
            super().handle(record)

    sink = Asking()
    handler = lf.LocalQueueHandler(handlers=[sink], listener=Copying)
    logging.root.addHandler(handler)
    with handler.listener:
        log_from([f"r{number}" for number in range(50)])
    expected = [pair for number in range(50) for pair in ((f"r{number}", f"r{number}"), ("again", f"r{number}"))]
    assert sink.got == [*expected, ("outside", "none")]


def test_delivery_in_the_caller_is_not_in_its_context(lf, clean_logging):
    """The thread that logs handles a stopped listener's records, and not all of them are its own."""
    logging.root.setLevel(logging.INFO)
    sink = Asking()
    handler = lf.LocalQueueHandler(handlers=[sink])
    logging.root.addHandler(handler)
    handler.listener.start()
    handler.listener.stop()
    handler.queue.put(logging.makeLogRecord({"msg": "of nobody", "levelno": 20}))
    log_from(["r1"])
    assert sink.got == [("of nobody", "none"), ("r1", "r1"), ("again", "r1"), ("outside", "none")]


def test_a_listener_with_its_own_dequeue_gets_records(lf, clean_logging):
    logging.root.setLevel(logging.INFO)

    class Marking(lf.QueueListener):
        def dequeue(self, block):
            record = super().dequeue(block)
            if record is not None:
                record.marked = True
            return record

    sink = Asking()
    handler = lf.LocalQueueHandler(handlers=[sink], listener=Marking)
    logging.root.addHandler(handler)
    with handler.listener:
        log_from(["r1"])
    assert sink.got == [("r1", "r1"), ("again", "r1"), ("outside", "none")]


def test_nothing_is_kept_for_a_standard_listener(lf, clean_logging):
    """It would not take it, and the record may be where its own context has it."""
    logging.root.setLevel(logging.INFO)

    class Session:
        records = ()

    ends = []

    class Collecting(logging.Handler):
        def emit(self, record):
            request.get().records = [record]

    def serve():
        session = Session()
        ends.append(weakref.ref(session))
        request.set(session)
        logging.getLogger("app").info("hello")

    records = queue.SimpleQueue()
    logging.root.handlers = [Collecting(), lf.LocalQueueHandler(records)]
    listener = logging.handlers.QueueListener(records, logging.NullHandler())
    listener.start()
    for _ in range(5):
        contextvars.Context().run(serve)
    logging.root.handlers[:1] = []
    log_from(["the last"])  # whose contextvars are kept
    listener.stop()
    gc.collect()
    assert [end() for end in ends] == [None] * 5
