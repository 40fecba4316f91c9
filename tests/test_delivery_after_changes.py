"""Delivery: what a listener knows of a handler and its file from one batch to the next is forgotten when it changes.

Each change happens between batches, of which the first ones have made everything known. What the file holds must be
what it holds after the same calls and the same change without a queue.
"""

import contextlib
import copy
import ctypes
import io
import logging
import logging.handlers
import os
import queue
import sys
import threading
import time
import warnings
from unittest import mock

import pytest

from helpers import (
    both_ways,
    directly,
    files_in,
    in_order_of_definition,
    needs_gil,
    open_stream,
    stopped_clock,
    through_a_queue,
    wait_until,
)

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
NOW = 1_700_000_000.25
CHANGES, change = in_order_of_definition()


class Scene:
    """A file handler and its formatter, and what undoes a change."""

    def __init__(self, folder, undo, kind=logging.FileHandler, **arguments):
        self.folder = folder
        self.undo = undo
        self.handler = kind(folder / "log", encoding="utf-8", **arguments)
        self.formatter = logging.Formatter(FORMAT, defaults={"more": "nothing more"})
        self.handler.setFormatter(self.formatter)

    def patch(self, owner, name, value):
        self.undo.enter_context(mock.patch.object(owner, name, value))


@change
def nothing(scene):
    pass


@change
def another_formatter(scene):
    scene.handler.setFormatter(logging.Formatter("%(message)s"))


@change
def no_formatter(scene):
    scene.handler.setFormatter(None)


@change
def default_formatter(scene):
    scene.handler.setFormatter(None)
    scene.patch(logging, "_defaultFormatter", logging.Formatter("default: %(message)s"))


@change
def format_of_the_style(scene):
    scene.formatter._style._fmt = "%(levelname)s"


@change
def another_style(scene):
    scene.formatter._style = logging.StrFormatStyle("{levelname}: {message} {more}", defaults={"more": ""})


@change
def defaults_of_the_style(scene):
    scene.formatter._style._defaults["more"] = "more"
    scene.handler.setFormatter(logging.Formatter("%(message)s %(more)s", defaults=scene.formatter._style._defaults))


@change
def datefmt(scene):
    scene.formatter.datefmt = "%H:%M"


@change
def converter(scene):
    scene.formatter.converter = lambda seconds: time.gmtime(0)


@change
def converter_of_the_class(scene):
    scene.patch(logging.Formatter, "converter", staticmethod(lambda seconds: time.gmtime(0)))


@change
def msec_format(scene):
    scene.formatter.default_msec_format = "%s.%03d"


@change
def time_format_of_the_class(scene):
    scene.patch(logging.Formatter, "default_time_format", "%d.%m.%Y")


@change
def strftime(scene):
    scene.patch(time, "strftime", lambda *arguments: "now")


@change
def logging_s_own_time(scene):
    class Time:
        localtime = time.localtime

        @staticmethod
        def strftime(*arguments):
            return "then"

        time = staticmethod(lambda: NOW)
        time_ns = staticmethod(lambda: int(NOW * 1e9))

    scene.patch(logging, "time", Time)


@change
def zone(scene):
    scene.undo.callback(time.tzset)
    scene.undo.enter_context(mock.patch.dict(os.environ, {"TZ": "XYZ-5:30"}))
    time.tzset()


@change
def formatter_s_own_method(scene):
    scene.formatter.format = lambda record: "formatted " + record.getMessage()


@change
def method_of_the_formatter_class(scene):
    scene.patch(logging.Formatter, "formatTime", lambda self, record, datefmt=None: "at noon")


@change
def method_of_the_style_class(scene):
    scene.patch(logging.PercentStyle, "_format", lambda self, record: "styled " + record.getMessage())


@change
def message_of_the_record_class(scene):
    scene.patch(logging.LogRecord, "getMessage", lambda self: "patched")


@change
def terminator(scene):
    scene.handler.terminator = "|"


@change
def terminator_of_the_class(scene):
    scene.patch(logging.StreamHandler, "terminator", "\r\n")


@change
def a_filter(scene):
    scene.handler.addFilter(lambda record: record.args[0] % 2)


@change
def a_filter_in_the_list(scene):
    scene.handler.filters.append(logging.Filter("elsewhere"))


@change
def another_list_of_filters(scene):
    scene.handler.filters = [lambda record: record.levelno > logging.INFO]


@change
def level(scene):
    scene.handler.setLevel(logging.WARNING)


@change
def emit_of_its_own(scene):
    scene.handler.emit = lambda record: scene.handler.stream.write(f"own {record.getMessage()}\n")


@change
def emit_of_the_class(scene):
    emit = logging.StreamHandler.emit

    def shout(self, record):
        record.levelname = record.levelname + "!"
        emit(self, record)

    scene.patch(logging.StreamHandler, "emit", shout)


@change
def flush_of_its_own(scene):
    def flush():
        if scene.handler.stream is not None:
            scene.handler.stream.write("flushed\n")
            scene.handler.stream.flush()

    scene.handler.flush = flush
    scene.undo.callback(delattr, scene.handler, "flush")


@change
def another_stream(scene):
    other = (scene.folder / "other").open("w", encoding="latin-1", errors="replace")
    scene.handler.setStream(other).close()


@change
def a_stream_in_memory(scene):
    scene.handler.setStream(io.StringIO()).close()
    scene.undo.callback(lambda: (scene.folder / "memory").write_text(scene.handler.stream.getvalue()))


@change
def text_in_the_buffer(scene):
    scene.handler.stream.write("somebody else's ")


@change
def encoding_of_the_stream(scene):
    scene.handler.stream.reconfigure(encoding="ascii", errors="backslashreplace")


@change
def newlines_of_the_stream(scene):
    scene.handler.stream.reconfigure(newline="\r\n")


@change
def write_of_the_stream(scene):
    stream = scene.handler.stream
    write = stream.write
    stream.write = lambda text: write(text.upper())


@change
def closed(scene):
    scene.handler.close()


@change
def stream_taken_away(scene):
    scene.handler.stream.close()
    scene.handler.stream = None


@change
def file_moved_and_opened_again(scene):
    scene.handler.stream.close()
    (scene.folder / "log").rename(scene.folder / "moved")
    scene.handler.stream = scene.handler._open()


@change
def another_lock(scene):
    scene.handler.createLock()


@change
def another_class(scene):
    class Handler(logging.FileHandler):
        def format(self, record):
            return "of the subclass: " + super().format(record)

    scene.handler.__class__ = Handler


def contents(folder, around, act, kind, arguments):
    """Log three batches, call `act`, log two more; return what the files in `folder` hold then."""
    folder.mkdir()
    with contextlib.ExitStack() as undo:
        undo.enter_context(stopped_clock(lambda: NOW))
        scene = Scene(folder, undo, kind, **arguments)
        undo.callback(logging.Handler.close, scene.handler)
        if not isinstance(scene.handler, logging.FileHandler):
            undo.callback(lambda: scene.handler.stream and scene.handler.stream.close())
        logger = logging.Logger("scene.of")
        with around(scene.handler, logger) as flush:
            for batch in range(5):
                if batch == 3:
                    act(scene)
                for i in range(4):
                    logger.info("batch %d: %s", i, "gr\u00fcn")
                    logger.error("batch %d: %s", i, "gr\u00fcn")
                flush()
        with contextlib.suppress(ValueError, AttributeError):
            scene.handler.stream.flush()
    found = files_in(folder)
    scene.handler.close()
    return found


def stream_handler(path, encoding, buffering):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    return logging.StreamHandler(open_stream(descriptor, buffering, encoding))


KINDS = {
    "file": (logging.FileHandler, {}),
    **{f"{kind} stream": (stream_handler, {"buffering": kind}) for kind in ("block", "line", "unbuffered")},
    "watched": (logging.handlers.WatchedFileHandler, {}),
    "rotating": (logging.handlers.RotatingFileHandler, {"maxBytes": 900, "backupCount": 9}),
    "timed": (logging.handlers.TimedRotatingFileHandler, {"when": "D"}),
}


STREAMS = [kind for kind in KINDS if kind.endswith(" stream")]


@pytest.mark.parametrize("act", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_change_between_batches_counts_from_the_next_record(lf, tmp_path, capsys, kind, act):
    if act is zone and not hasattr(time, "tzset"):
        pytest.skip("no tzset() here")
    if act is another_class and kind != "file":
        pytest.skip("a class of the same layout and rules is needed")
    if act is file_moved_and_opened_again and "stream" in kind:
        pytest.skip("the handler did not open it")
    if act is newlines_of_the_stream and "stream" not in kind and sys.implementation.name == "pypy":
        pytest.skip("not noticed there")
    expected = contents(tmp_path / "stock", directly, act, *KINDS[kind])
    errors = len(capsys.readouterr().err.splitlines()) > 0
    got = contents(tmp_path / "queue", lambda *given: through_a_queue(lf, *given), act, *KINDS[kind])
    assert got == expected
    assert (len(capsys.readouterr().err.splitlines()) > 0) == errors
    assert sum(map(len, expected.values())) > 300


def file_handler(folder, fmt="%(message)s"):
    handler = logging.FileHandler(folder / "log")
    handler.setFormatter(logging.Formatter(fmt))
    return handler


@pytest.mark.parametrize("size", range(30, 66))
def test_rotation_at_exactly_that_record(lf, tmp_path, size):
    def act(logger, flush):
        for i in range(12):
            logger.info("record %04d", i)
            if i % 5 == 0:
                flush()

    def make(folder):
        handler = logging.handlers.RotatingFileHandler(folder / "log", maxBytes=size, backupCount=20)
        handler.setFormatter(logging.Formatter("%(message)s"))
        return handler

    stock, queued = both_ways(lf, tmp_path, make, act)
    assert stock == queued
    files, _ = stock
    assert len(files) > 2


FIELDS = [*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "mine", "missing"]


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_of_a_format(lf, tmp_path, field):
    """There or not, on this Python, and with `extra`."""

    def act(logger, flush):
        for i in range(12):
            logger.info("record %d", i, extra={"mine": i, "no": 1} if i % 3 == 0 else None)
            if i % 3 == 1 and field not in vars(logging.makeLogRecord({})) and field not in ("message", "asctime"):
                logger.info("extra", extra={field: "of the call"})
            if i % 4 == 0:
                flush()

    stock, queued = both_ways(lf, tmp_path, lambda folder: file_handler(folder, f"%({field})s %(message)s"), act)
    assert stock == queued


def test_a_get_message_in_extra(lf, tmp_path):
    """It is an attribute of the record, and hides the method."""

    def act(logger, flush):
        for i in range(6):
            logger.info("record %d", i, extra={"getMessage": lambda: "its own"} if i % 2 else None)
            flush()

    stock, queued = both_ways(lf, tmp_path, file_handler, act)
    assert stock == queued
    files, _ = stock
    assert files["log"].count(b"its own") == 3


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="there are none any more")
@pytest.mark.skipif(sys.implementation.name != "cpython", reason="made by an interface in C")
def test_strings_that_are_not_ready(lf, tmp_path):
    """Old extensions make such; the interpreter completes them when it looks."""
    make = ctypes.pythonapi.PyUnicode_FromUnicode
    make.restype = ctypes.py_object
    make.argtypes = [ctypes.c_wchar_p, ctypes.c_ssize_t]

    def unready(text):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            string = make(None, len(text))
        place = ctypes.c_void_p.from_address(id(string) + 5 * ctypes.sizeof(ctypes.c_void_p))  # PyASCIIObject.wstr
        characters = ctypes.create_unicode_buffer(text)
        ctypes.memmove(place.value, characters, ctypes.sizeof(ctypes.c_wchar) * len(text))
        return string

    def act(logger, flush):
        for _ in range(3):
            logger.info("ready")
            flush()
            logger.info(unready("message"))
            logger.info("argument %s, %9s", unready("first"), unready("second"))

    stock, queued = both_ways(lf, tmp_path, file_handler, act)
    assert stock == queued
    files, _ = stock
    assert files["log"].count(b"argument first,    second") == 3


@pytest.fixture
def compiled_way(package, tmp_path, request):
    """A logger, its listener, the listener's handler, and the Python functions that handled a record in its thread."""
    kind, arguments = KINDS[getattr(request, "param", "file")]
    handler = kind(tmp_path / "log", encoding="utf-8", **arguments)
    handler.setFormatter(logging.Formatter(FORMAT))
    records = queue.SimpleQueue()
    calls = []

    def note(frame, event, argument):
        # The end of an object may call what its weak references have, in any thread.
        is_end = frame.f_code.co_name == "<lambda>"
        if event == "call" and frame.f_globals["__name__"].startswith(HANDLE_RECORDS) and not is_end:
            calls.append(frame.f_code.co_qualname)

    logger = logging.Logger("flow")
    logger.addHandler(package.LocalQueueHandler(records))
    package.accelerate_loggers()
    threading.setprofile(note)
    try:
        with package.QueueListener(records, handler) as listener:
            yield logger, listener, handler, calls
    finally:
        threading.setprofile(None)
    handler.close()
    if not isinstance(handler, logging.FileHandler):
        handler.stream.close()


HANDLE_RECORDS = ("logging", "logflume._delivery")
one_newline = pytest.mark.skipif(os.linesep != "\n", reason="Python writes where newlines are translated")


def log_now_and_then(logger, listener, count=50):
    for number in range(count):
        logger.info("number %d", number)
        time.sleep(0.002)
    assert wait_until(lambda: not listener.stats().pending)


@needs_gil
@one_newline
@pytest.mark.parametrize("compiled_way", ["file", *STREAMS], indirect=True)
def test_what_changes_nothing_stays_compiled(compiled_way, tmp_path):
    """What the tests above are about does happen: the thread remembers, and so runs next to no bytecode for a batch."""
    logger, listener, _, calls = compiled_way
    copy.copy(logging.makeLogRecord({}))  # which leaves something on the class
    log_now_and_then(logger, listener, 10)
    del calls[:]
    log_now_and_then(logger, listener)
    assert calls == []
    assert listener.stats().batches > 10
    assert listener.flush(10)
    assert len((tmp_path / "log").read_text().splitlines()) == 60


@needs_gil
@one_newline
@pytest.mark.skipif(not hasattr(os, "dup2"), reason="needs dup2")
def test_it_goes_on_in_another_file(compiled_way, tmp_path):
    """A supervisor, or a test, may put another file in the place of the one that is open."""
    logger, listener, handler, calls = compiled_way
    log_now_and_then(logger, listener)
    with open(tmp_path / "other", "wb") as other:
        os.dup2(other.fileno(), handler.stream.fileno())
    log_now_and_then(logger, listener, 10)
    del calls[:]
    log_now_and_then(logger, listener, 40)
    assert calls == []
    assert listener.flush(10)
    assert len((tmp_path / "log").read_text().splitlines()) == 50
    assert len((tmp_path / "other").read_text().splitlines()) == 50


@needs_gil
def test_large_messages_are_not_kept(compiled_way):
    logger, listener, _, _ = compiled_way
    messages = [f"%d {i}" + "x" * 10_000 for i in range(40)]
    before = [sys.getrefcount(message) for message in messages]
    for i in range(len(messages)):
        logger.info(messages[i], 1)
        assert wait_until(lambda: not listener.stats().pending)
    listener.flush(10)
    logger.info("another")
    listener.flush(10)
    assert [sys.getrefcount(message) for message in messages] == before


@pytest.mark.skipif(sys.platform != "linux", reason="uses a limit of Linux")
def test_a_format_that_shows_tracebacks_when_the_disk_is_full(lf, tmp_path, file_size_limit):
    """What a failed batch put on its records is not seen when they are handled again."""
    texts = []
    for queued in (False, True):
        path = tmp_path / str(queued)
        handler = logging.FileHandler(path)
        handler.handleError = lambda record: None
        handler.setFormatter(logging.Formatter("%(message)s %(exc_text)s"))
        queue_handler = lf.LocalQueueHandler()
        logger = logging.Logger("name")
        logger.addHandler(queue_handler if queued else handler)
        lf.accelerate_loggers()
        with lf.QueueListener(queue_handler.queue, handler) as listener:
            for size in (None, 25, 0, None):
                file_size_limit(size)
                with handler.lock:  # so that these are one batch
                    logger.info("one")
                    logger.error("two", exc_info=KeyError())
                    logger.info("three")
                    time.sleep(0.02)
                listener.flush(10)
        handler.close()
        texts.append(path.read_text())
    assert texts[0] == texts[1]


class Frozen(logging.LogRecord):
    """A record whose exc_text, once there, stays."""

    def __setattr__(self, name, value):
        if name == "exc_text" and value is None and self.__dict__.get("exc_text"):
            raise ValueError("frozen")
        super().__setattr__(name, value)


def test_a_batch_that_fails_leaves_nothing_for_the_next(package, tmp_path, capsys):
    handler = logging.FileHandler(tmp_path / "log")
    handler.setFormatter(logging.Formatter("%(message)s [%(levelname)s:%(name)s:%(funcName)s]"))
    queue_handler = package.LocalQueueHandler()
    logger = logging.Logger("somename")
    logger.addHandler(queue_handler)
    package.accelerate_loggers()
    with package.QueueListener(queue_handler.queue, handler) as listener:
        logger.info("first")
        listener.flush(10)
        with handler.lock:  # so that these are one batch
            for _ in range(3):
                logger.info("m" * 10)
            try:
                raise KeyError
            except KeyError:
                record = Frozen("x", 20, "f", 1, "weird", (), sys.exc_info())
            record.stack_info = 5  # is no text
            queue_handler.handle(record)
            time.sleep(0.02)
        listener.flush(10)
        logger.info("n" * 40)
        listener.flush(10)
    handler.close()
    lines = (tmp_path / "log").read_text().splitlines()
    name = "somename:test_a_batch_that_fails_leaves_nothing_for_the_next]"
    assert lines[0] == f"first [INFO:{name}"
    assert lines[1:4] == [f"mmmmmmmmmm [INFO:{name}"] * 3
    assert lines[-1] == "n" * 40 + f" [INFO:{name}"
    assert "TypeError" in capsys.readouterr().err
