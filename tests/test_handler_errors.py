"""Errors in handlers: what they raise is reported and ends nothing, and what they log arrives."""

import contextlib
import importlib
import io
import logging
import logging.handlers
import os
import queue
import re
import sys
import time
import types

import pytest

from helpers import Collect, needs_fork, needs_nested_records, raising, wait_until


@needs_nested_records
@pytest.mark.parametrize("stopped", [False, True])
def test_what_a_text_logs_while_it_is_formatted_arrives(wired, stopped):
    class Talkative(Exception):
        def __str__(self):
            logger.error("nested")
            return "text"

    stream = io.StringIO()
    logger, listener = wired(logging.StreamHandler(stream))
    if stopped:
        listener.stop()
    logger.error("outer", exc_info=Talkative())
    assert listener.flush(5)
    assert {"nested", "outer"} < set(stream.getvalue().splitlines())
    assert listener.stop(5) == 0


def test_what_on_error_logs_arrives(wired):
    class Failing(logging.Handler):
        def flush(self):
            raise ZeroDivisionError

        def handle(self, record):
            raise ZeroDivisionError

    stream = io.StringIO()
    failing = Failing()

    def on_error(record, handler, error):
        listener.removeHandler(failing)
        logger.error("%s in %s", type(error).__name__, "flush" if record is None else "handle")

    for records in (1, 0):
        logger, listener = wired(failing, logging.StreamHandler(stream), on_error=on_error)
        for _ in range(records):
            logger.error("record")
        assert listener.flush(5)
        assert listener.stop(5) == 0
    assert "ZeroDivisionError in handle" in stream.getvalue()


@pytest.mark.parametrize("exit", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_on_error_cannot_end_the_thread(wired, exit):
    def fail(record):
        if record.getMessage() == "1":
            raise ZeroDivisionError

    def on_error(*args):
        raise exit

    handler = Collect(function=fail)
    logger, listener = wired(handler, on_error=on_error)
    for message in ("1", "2"):
        logger.error(message)
    assert listener.flush(5)
    logger.error("3")
    assert listener.stop(5) == 0
    assert handler.messages == ["1", "2", "3"]


def test_an_error_while_an_error_is_told_does_not_end_the_thread(lf, monkeypatch):
    """As when there is no memory: not for the queue, not for on_error, not for the report on stderr."""

    class Lacking(queue.Queue):
        lacking = 2

        def get(self, *args, **kwargs):
            if self.lacking:
                self.lacking -= 1
                raise MemoryError
            return super().get(*args, **kwargs)

    class Full(io.StringIO):
        def write(self, text):
            raise MemoryError

    def on_error(*args):
        raise MemoryError

    monkeypatch.setattr(sys, "stderr", Full())
    handler = Collect()
    queue_handler = lf.LocalQueueHandler(Lacking())
    with lf.QueueListener(queue_handler.queue, handler, on_error=on_error) as listener:
        queue_handler.handle(logging.makeLogRecord({"msg": "one"}))
        assert listener.flush(10)
        assert listener.stats().errors == 2
    assert handler.messages == ["one"]


def test_a_broken_queue_is_reported_now_and_then_and_can_be_stopped(lf):
    class Broken(queue.Queue):
        broken = True

        def get(self, *args, **kwargs):
            if self.broken:
                raise OSError("closed")
            return super().get(*args, **kwargs)

    errors = []
    records = Broken()
    listener = lf.QueueListener(records, on_error=lambda record, handler, error: errors.append(error))
    listener.start()
    assert wait_until(lambda: errors)
    time.sleep(0.05)
    assert 1 <= len(errors) < 50
    assert all(type(error) is OSError for error in errors)
    with pytest.raises(OSError, match="closed"):
        listener.stop(5)
    records.broken = False
    listener.stop(5)


@pytest.mark.parametrize("direct", [False, True])
def test_a_stream_that_was_closed_is_no_error_of_a_flush(lf, clean_logging, capsys, monkeypatch, tmp_path, direct):
    """logging.shutdown() calls it, and ignores that a stream is closed."""
    if direct:
        monkeypatch.setenv("LOGFLUME_DIRECT", "1")
    with open(tmp_path / "log", "w") as stream:
        logging.root.handlers = [logging.StreamHandler(stream)]
        listener = lf.setup_logging_queue()
        logging.warning("one")
        assert listener.flush(10)
    logging.root.handlers[0].flush()
    listener.stop()
    assert capsys.readouterr().err == ""


def test_flush_survives_a_handler_whose_flush_raises(wired, capsys):
    class Broken(Collect):
        def flush(self):
            raise ZeroDivisionError

    logger, listener = wired(Broken())
    logger.info("one")
    assert listener.flush(10) is True
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize("method", ["filter", "format", "emit", "handle"])
def test_survives_what_a_handler_raises(wired, capsys, method):
    collect = Collect()
    logger, listener = wired(raising(method), collect)
    logger.info("one")
    logger.info("two")
    assert listener.flush(10)
    assert collect.messages == ["one", "two"]
    err = capsys.readouterr().err
    assert err.count("--- Logging error ---") == 2
    assert err.count(f"ZeroDivisionError: {method}") == 2


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


@needs_nested_records
@pytest.mark.parametrize("after_stop", [False, True])
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
    assert listener.flush(60)  # a thousand records in each other: on a slow machine they take long
    assert collect.messages[0] == "one"
    assert collect.messages.count("two") == 1
    assert 4 <= len(collect.messages) < 2 * sys.getrecursionlimit()
    assert capsys.readouterr().err.count("--- Logging error ---") == 2


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


# What a handler catches itself, and gives to its handleError().


class Caught(Collect):
    """Fails, and calls handleError(), as the standard handlers do."""

    def emit(self, record):
        try:
            raise ZeroDivisionError(record.getMessage())
        except Exception:
            self.handleError(record)


def bad_format():
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter("%(nothing)s"))
    return handler


def bad_formatter():
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(type("Own", (logging.Formatter,), {"format": lambda self, record: 1 // 0})())
    return handler


def on_a_full_disk(cls=logging.FileHandler, **options):
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    return cls("/dev/full", **options)


FAILING = {
    "caught": Caught,
    "format": bad_format,
    "formatter": bad_formatter,
    "full": on_a_full_disk,
    "rotating": lambda: on_a_full_disk(logging.handlers.RotatingFileHandler, maxBytes=100),
}


@pytest.mark.parametrize("make", FAILING.values(), ids=FAILING)
def test_on_error_hears_of_what_a_handler_catches(wired, capsys, make, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    handler = make()
    seen = []
    logger, listener = wired(handler, on_error=lambda *args: seen.append(args))
    for i in range(20):
        logger.info("record %d", i)
    assert listener.flush(10)
    assert [record.getMessage() for record, _, _ in seen if record] == [f"record {i}" for i in range(20)]
    assert {given for _, given, _ in seen} == {handler}
    assert all(isinstance(error, Exception) for _, _, error in seen)
    assert listener.stats().errors == len(seen)
    assert capsys.readouterr().err == ""
    with contextlib.suppress(OSError):  # the disk is still full
        handler.close()


def test_on_error_hears_of_the_target_of_a_memory_handler(wired, capsys):
    seen = []
    memory = logging.handlers.MemoryHandler(2, target=Caught())
    logger, listener = wired(memory, on_error=lambda *args: seen.append(args))
    for i in range(5):
        logger.info("%d", i)
    assert listener.flush(10)
    assert [record.getMessage() for record, _, _ in seen] == list("01234")
    assert capsys.readouterr().err == ""
    memory.close()


def test_handlers_that_were_moved_back_have_no_handle_error_of_ours(lf, clean_logging, capsys):
    memory = logging.handlers.MemoryHandler(1, target=Caught())
    logging.root.handlers = [memory]
    with lf.setup_logging_queue() as listener:
        logging.warning("one")
        assert listener.flush(10)
        assert ["handleError" in vars(handler) for handler in (memory, memory.target)] == [True, True]
    assert ["handleError" in vars(handler) for handler in (memory, memory.target)] == [False, False]
    memory.close()


@pytest.mark.parametrize("accelerated", [False, True])
def test_a_report_names_the_call(wired, lf, capsys, accelerated):
    if accelerated:
        lf.accelerate_loggers()
    logger, listener = wired(logging.StreamHandler(io.StringIO()))
    logger.info("%d items", "three")
    assert listener.flush(10)
    lf.restore_loggers()
    err = capsys.readouterr().err
    line = test_a_report_names_the_call.__code__.co_firstlineno + 5
    assert f"Logged at {__file__}:{line} in test_a_report_names_the_call\n" in err
    assert "Message: '%d items'\nArguments: ('three',)\n" in err
    assert err.startswith("--- Logging error ---\nTraceback (most recent call last):\n")
    with pytest.raises(TypeError) as expected:
        logging.LogRecord("", 0, "", 0, "%d items", ("three",), None).getMessage()
    assert f"\nTypeError: {expected.value}\n" in err
    assert "Call stack" not in err


def test_a_report_has_no_frames_of_ours_above_the_error(wired, capsys):
    logger, listener = wired(raising("filter"))
    logger.info("one")
    assert listener.flush(10)
    err = capsys.readouterr().err
    assert "ZeroDivisionError: filter" in err
    assert os.sep + "logflume" + os.sep not in err


def test_what_handlers_catch_counts_for_the_limit(wired, capsys):
    logger, listener = wired(Caught(), raising("emit"))
    for _ in range(50):
        logger.info("one")
    assert listener.flush(10)
    assert capsys.readouterr().err.count("--- Logging error ---") == 10
    assert listener.stats().errors == 100
    listener.stop(10)
    assert capsys.readouterr().err == "logflume: 90 more errors in handlers were not reported\n"


@pytest.mark.parametrize("make_queue", [queue.SimpleQueue, queue.Queue])
def test_what_was_not_reported_is_told_when_it_is_over(wired, lf, monkeypatch, make_queue):
    """Not at the next error: there may be none for days."""
    printed = []
    monkeypatch.setattr(sys, "stderr", types.SimpleNamespace(write=printed.append, flush=lambda: None))
    monkeypatch.setattr(importlib.import_module("logflume._listener.errors"), "REPORT_PERIOD", 0.3)
    monkeypatch.setattr(importlib.import_module("logflume._listener.errors"), "REPORTS", 1)
    told = "more errors in handlers were not reported\n"
    logger, listener = wired(Caught(), queue=make_queue())
    listener.start()
    for _ in range(50):
        logger.info("one")
    assert listener.flush(10)
    assert wait_until(lambda: told in "".join(printed))
    # It may be told in parts on a slow machine.
    left_out = sum(map(int, re.findall(f"logflume: ([0-9]+) {told}", "".join(printed))))
    assert left_out + "".join(printed).count("--- Logging error ---") == 50
    assert listener.is_running


class Overrides(Caught):
    def __init__(self):
        super().__init__()
        self.given = []

    def handleError(self, record):
        self.given.append((record.msg, type(sys.exc_info()[1])))


def test_an_overridden_handle_error_is_called_each_time(wired, capsys):
    seen = []
    for on_error in (None, lambda *args: seen.append(args)):
        handler = Overrides()
        logger, listener = wired(handler, on_error=on_error)
        for _ in range(20):
            logger.info("one")
        assert listener.flush(10)
        assert handler.given == [("one", ZeroDivisionError)] * 20
        assert listener.stats().errors == 20
    assert len(seen) == 20
    assert capsys.readouterr().err == ""


def test_a_handle_error_of_the_instance_is_left_alone(wired, capsys):
    given = []
    handler = Caught()
    handler.handleError = own = lambda record: given.append(record.msg)
    logger, listener = wired(handler)
    logger.info("one")
    assert listener.flush(10)
    assert given == ["one"]
    assert handler.handleError is own
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("make", FAILING.values(), ids=FAILING)
def test_a_handle_error_of_the_instance_hears_of_what_the_handler_catches(wired, capsys, make):
    given, seen = [], []
    handler = make()
    handler.handleError = lambda record: given.append(record.args[0])
    logger, listener = wired(handler, on_error=lambda record, *_: seen.append(record))
    for i in range(20):
        logger.info("record %d", i)
    assert listener.flush(10)
    assert given == list(range(20))
    assert not any(seen)  # a flush() that fails has no record
    assert capsys.readouterr().err == ""
    with contextlib.suppress(OSError):  # the disk is still full
        handler.close()


def test_a_handle_error_of_the_instance_hears_of_what_escapes(wired, capsys):
    given = []
    handler = raising("emit")
    handler.handleError = lambda record: given.append((record.msg, sys.exc_info()[0]))
    logger, listener = wired(handler)
    logger.info("one")
    assert listener.flush(10)
    assert given == [("one", ZeroDivisionError)]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("closes", [True, False])
def test_a_socket_handler_closes_its_socket_or_reports(wired, capsys, closes):
    class Fails(logging.handlers.SocketHandler):
        def makePickle(self, record):
            raise ValueError("not to be sent")

    class Socket:
        is_closed = False

        def close(self):
            self.is_closed = True

    handler = Fails("localhost", None)
    handler.closeOnError = closes
    handler.sock = socket = Socket()
    logger, listener = wired(handler)
    logger.info("one")
    assert listener.flush(10)
    assert socket.is_closed is closes
    assert capsys.readouterr().err.count("\nValueError: not to be sent\n") == (0 if closes else 1)
    handler.close()


def test_an_overridden_handle_error_that_raises_lets_the_error_escape(wired):
    class Raises(Caught):
        def handleError(self, record):
            raise

    seen = []
    logger, listener = wired(Raises(), on_error=lambda *args: seen.append(args))
    logger.info("one")
    assert listener.flush(10)
    assert [type(error) for _, _, error in seen] == [ZeroDivisionError]


def test_a_patched_handle_error_is_called(wired, monkeypatch):
    given = []
    monkeypatch.setattr(logging.Handler, "handleError", lambda self, record: given.append((self, record.msg)))
    handler = Caught()
    logger, listener = wired(handler)
    logger.info("one")
    assert listener.flush(10)
    assert given == [(handler, "one")]


def test_on_error_may_log_to_the_handler_that_failed(wired, capsys):
    """Its record fails as well, and is printed: on_error would be called for ever."""
    logger, listener = wired(Caught(), on_error=lambda record, handler, error: logger.error("lost %s", record.msg))
    logger.info("one")
    assert listener.flush(10)
    assert "ZeroDivisionError: lost one" in capsys.readouterr().err


def test_in_other_threads_the_handler_reports_as_always(wired, capsys):
    handler = Caught()
    seen = []
    logger, listener = wired(handler, on_error=lambda *args: seen.append(args))
    logger.info("one")
    assert listener.flush(10)
    assert len(seen) == 1
    handler.handle(logging.makeLogRecord({"msg": "here"}))
    assert len(seen) == 1
    err = capsys.readouterr().err
    assert "ZeroDivisionError: here" in err
    assert "Call stack" in err


def test_a_handler_that_was_moved_back_is_as_before(lf):
    handler = Caught()
    handler.handleError = lambda record: None
    del handler.handleError
    before = dict(vars(handler))
    logging.root.handlers = [handler]
    with lf.setup_logging_queue(on_error=lambda *args: None):
        logging.warning("one")
    assert vars(handler) == before


def test_an_error_of_the_queue_gives_no_hint_about_formatting(lf, capsys):
    class Broken(queue.Queue):
        broken = True

        def get(self, *args, **kwargs):
            if self.broken:
                self.broken = False
                raise OSError("closed")
            return super().get(*args, **kwargs)

    listener = lf.QueueListener(Broken())
    listener.start()
    assert wait_until(lambda: listener.stats().errors)
    listener.stop(10)
    err = capsys.readouterr().err
    assert err.startswith("--- Logging error ---\n")
    assert err.endswith("OSError: closed\n")


@needs_fork
def test_a_forked_child_does_not_tell_what_its_parent_left_out(run):
    code, _, stderr = run(
        """
        class Failing(logging.FileHandler):
            def emit(self, record):
                try:
                    raise ValueError("no")
                except ValueError:
                    self.handleError(record)

        listener = set_up(PATH, Failing)
        for _ in range(12):
            logging.info("x")
        listener.flush()
        pid = os.fork()
        if pid == 0:
            sys.stderr = sys.stdout
            sys.exit()
        os.waitpid(pid, 0)
        """
    )
    assert code == 0
    assert stderr.count("more errors in handlers") == 1
