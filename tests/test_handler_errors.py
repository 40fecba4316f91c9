"""Errors in handlers: what they raise is reported and ends nothing, and what they log arrives."""

import io
import logging
import logging.handlers
import queue
import sys
import time

import pytest

from helpers import Collect, needs_nested_records, raising, wait_until


@pytest.mark.parametrize("stopped", [False, pytest.param(True, marks=needs_nested_records)])
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


@pytest.mark.parametrize("after_stop", [False, pytest.param(True, marks=needs_nested_records)])
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
