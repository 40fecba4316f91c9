"""An exception that goes through the queue is written as it was in the call, and its frames end with the call."""

import io
import logging
import logging.handlers
import socket
import sys
import weakref

import pytest

from helpers import Collect, nothing_delivered


class Thing:
    """Something in a frame."""


def fail():
    """Raise an exception whose frame holds a Thing; return a reference to it."""
    thing = Thing()
    references.append(weakref.ref(thing))
    raise ValueError("wrong")


references = []


def log_failure(logger, level=logging.ERROR):
    references.clear()
    try:
        fail()
    except ValueError:
        logger.log(level, "failed", exc_info=True)


# ---- the text ----


def notes(log):
    error = ConnectionError("refused")
    for attempt in (1, 2):
        try:
            raise error
        except ConnectionError as caught:
            log.warning("try %d", attempt, exc_info=True)
            caught.add_note("gave up")


def cause(log):
    outer = RuntimeError("outer")
    try:
        raise outer from ValueError("inner")
    except RuntimeError:
        log.error("caused", exc_info=True)
    outer.__cause__ = None
    outer.__suppress_context__ = True


def arguments(log):
    error = KeyError("secret")
    log.error("arguments", exc_info=error)
    error.args = ("redacted",)


def one_error_raised_again(log):
    error = OSError("lost")

    def wait(n):
        if n:
            wait(n - 1)
        raise error

    for n in range(3):
        try:
            wait(n)
        except OSError:
            log.exception("request %d", n)


def a_group(log):
    errors = [ValueError(1), TypeError(2)]
    log.error("group", exc_info=ExceptionGroup("many", errors))
    errors[0].add_note("late")


def none(log):
    log.error("none", exc_info=True)
    log.error("false", exc_info=False)
    log.exception("none")


def odd(log):
    class Odd(Exception):
        def __str__(self):
            raise ValueError

    log.error("odd", exc_info=Odd())
    log.error("a tuple", exc_info=(ValueError, ValueError("x"), None))
    log.error("with a stack", exc_info=ValueError("x"), stack_info=False)


SCENARIOS = [notes, cause, arguments, one_error_raised_again, a_group, none, odd]


class OwnException(logging.Formatter):
    def formatException(self, ei):
        return "own " + super().formatException(ei)


FORMATTERS = {
    "none": None,
    "usual": logging.Formatter("%(levelname)s %(message)s"),
    "ends with a newline": logging.Formatter("%(message)s\n"),
    "brace": logging.Formatter("{message}", style="{"),
    "formatException": OwnException("%(message)s"),
}


@pytest.fixture(params=["standard", "accelerated"])
def accelerates(request):
    return request.param == "accelerated"


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("formatter", [name for name in FORMATTERS if name != "formatException"])
@pytest.mark.parametrize("beside", [False, True])
def test_the_report_is_that_of_the_call(lf, accelerates, scenario, formatter, beside):
    outcomes = []
    for queued in (False, True):
        handler = logging.StreamHandler(io.StringIO())
        handler.setFormatter(FORMATTERS[formatter])
        log = logging.getLogger("report")
        log.propagate = False
        log.handlers = [handler]
        if queued:
            listener = lf.setup_logging_queue(log, accelerate=accelerates)
        if beside:
            log.addHandler(logging.StreamHandler(other := io.StringIO()))
        scenario(log)
        if queued:
            listener.stop()
        outcomes.append((handler.stream.getvalue(), beside and other.getvalue()))
    assert outcomes[0] == outcomes[1]


def test_formatException_of_a_formatter_is_called(lf, accelerates):
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(FORMATTERS["formatException"])
    logging.root.handlers = [handler]
    with lf.setup_logging_queue(accelerate=accelerates):
        log_failure(logging.root)
    assert "failed\nown Traceback" in handler.stream.getvalue()


# ---- the frames ----


def stream(cls=logging.StreamHandler):
    return cls(io.StringIO())


def syslog():
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    handler = logging.handlers.SysLogHandler(receiver.getsockname())
    handler.receiver = receiver
    return handler


def close(handler):
    handler.close()
    if hasattr(handler, "receiver"):
        handler.receiver.close()


# Where references are not counted, frames and what they hold end later.
counts_references = pytest.mark.skipif(sys.implementation.name != "cpython", reason="does not count references")


@counts_references
@pytest.mark.parametrize("make", [stream, syslog])
@pytest.mark.parametrize("message", [("m",), ("%s", [1])], ids=["plain", "list"])
def test_frames_end_with_the_call(lf, accelerates, make, message):
    handler = make()
    logging.root.handlers = [handler]
    listener = lf.setup_logging_queue(accelerate=accelerates)
    with nothing_delivered(listener):  # so that nothing is delivered meanwhile
        references.clear()
        try:
            fail()
        except ValueError:
            logging.root.error(*message, exc_info=True)
        assert references[0]() is None
    listener.stop()
    close(handler)


@counts_references
def test_frames_end_with_the_call_of_a_handler_with_a_filter(lf, accelerates):
    """Both filters run in the call, and see the exception."""
    seen = []

    def look(record):
        seen.append(record.exc_info[0])
        return True

    handler = stream()
    handler.addFilter(look)
    logging.root.handlers = [handler]
    listener = lf.setup_logging_queue(accelerate=accelerates)
    logging.root.handlers[0].addFilter(look)
    with nothing_delivered(listener):
        log_failure(logging.root)
        assert references[0]() is None
    listener.stop()
    assert seen == [ValueError] * 2
    assert "ValueError: wrong" in handler.stream.getvalue()


@counts_references
def test_frames_end_with_the_call_where_a_listener_was_assigned(wired, accelerates, lf):
    handler = stream()
    logger, listener = wired(handler)
    if accelerates:
        lf.accelerate_loggers()
    logger.error("starts it")
    with nothing_delivered(listener):
        log_failure(logger)
        assert references[0]() is None
    listener.stop()
    lf.restore_loggers()
    assert "ValueError: wrong" in handler.stream.getvalue()


class OwnStream(logging.StreamHandler):
    def emit(self, record):
        super().emit(record)


def with_formatter(formatter):
    handler = stream()
    handler.setFormatter(formatter)
    return handler


def patched():
    handler = stream()
    handler.format = lambda record: logging.StreamHandler.format(handler, record)
    return handler


MAY_ASK = {
    "handler with an emit() of its own": lambda: stream(OwnStream),
    "formatter of its own class": lambda: with_formatter(OwnException()),
    "patched": patched,
    "exc_info in the format": lambda: with_formatter(logging.Formatter("%(exc_info)s")),
    "memory": lambda: logging.handlers.MemoryHandler(1, target=stream()),
}


@pytest.mark.parametrize("make", MAY_ASK.values(), ids=MAY_ASK)
def test_exc_info_travels_to_what_may_ask_for_it(lf, accelerates, make):
    handler = make()
    logging.root.handlers = [stream(), handler]
    listener = lf.setup_logging_queue(accelerate=accelerates)
    with nothing_delivered(listener):
        log_failure(logging.root)
        assert references[0]() is not None
    listener.stop()
    handler.close()


@counts_references
def test_handlers_that_the_record_is_not_for_are_not_asked(lf, accelerates):
    seen = []
    own = Collect(logging.ERROR, function=lambda record: seen.append(record.exc_info[0]))
    handler = stream()
    logging.root.handlers = [handler, own]
    listener = lf.setup_logging_queue(accelerate=accelerates)
    with nothing_delivered(listener):
        log_failure(logging.root, logging.WARNING)
        assert references[0]() is None
        log_failure(logging.root, logging.ERROR)
        assert references[0]() is not None
    listener.stop()
    assert seen == [ValueError]
    assert handler.stream.getvalue().count("ValueError: wrong") == 2


@pytest.mark.parametrize("added", [False, True])
def test_a_handler_that_comes_later_gets_the_text(wired, accelerates, lf, added):
    seen = []
    handler = stream()
    logger, listener = wired(handler)
    if accelerates:
        lf.accelerate_loggers()
    logger.error("starts it")
    with nothing_delivered(listener):
        log_failure(logger)
        listener.addHandler(Collect(function=seen.append))
        if not added:
            listener.removeHandler(handler)
    listener.stop()
    lf.restore_loggers()
    record = seen[-1]
    assert type(record) is logging.LogRecord
    assert record.exc_info is None
    assert record.exc_text.startswith("Traceback")
    assert record.exc_text.endswith("ValueError: wrong")
    assert logging.Formatter().format(record) == "failed\n" + record.exc_text
    assert ("ValueError: wrong" in handler.stream.getvalue()) == added


def texts_behind_another(lf, formatter):
    """What a handler writes, attached and queued, whose records one attached before it has formatted."""
    outcomes = []
    for queued in (False, True):
        first, second = with_formatter(OwnException()), stream()
        if formatter is not None:
            second.setFormatter(formatter)
        logging.root.handlers = [second]
        if queued:
            listener = lf.setup_logging_queue()
        logging.root.handlers = [first, *logging.root.handlers]
        log_failure(logging.root)
        if queued:
            listener.stop()
        outcomes.append(second.stream.getvalue())
    return outcomes


def test_the_text_that_another_handler_has_made_is_kept(lf):
    """As logging does it: record.exc_text of the first formatter is that of the next ones."""
    outcomes = texts_behind_another(lf, None)
    assert outcomes[0] == outcomes[1]
    assert "own Traceback" in outcomes[0]


def test_json_shows_the_exception_and_not_a_text_that_is_there(lf, clean_logging):
    """As JSON formatters do it: of exc_info they make a text of their own."""
    outcomes = texts_behind_another(lf, lf.JsonFormatter())
    assert outcomes[0] == outcomes[1]
    assert "own Traceback" not in outcomes[0]


def test_a_text_that_cannot_be_made_loses_no_record(lf, accelerates, monkeypatch):
    def fails(self):
        raise ZeroDivisionError("no text")

    handler = stream()
    logging.root.handlers = [handler]
    with lf.setup_logging_queue(accelerate=accelerates) as listener:
        module = sys.modules["logflume._shared.exceptions"]
        monkeypatch.setattr(module.CapturedException, "text", fails)
        log_failure(logging.root)
        listener.flush()
    assert handler.stream.getvalue().startswith("failed\n")
    assert "no text" in handler.stream.getvalue()
