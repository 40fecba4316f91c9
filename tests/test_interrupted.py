"""Signal handlers that raise, or log, at any line of what starts, stops and flushes a listener."""

from __future__ import annotations

import gc
import logging
import sys

import pytest

from helpers import Collect, needs_fork, run_code

# Does one thing with a fresh listener again and again; in the n-th round something is done at the n-th line that it
# comes to in the package. Prints what was wrong then, and how many lines there were.
PROGRAM = """
import faulthandler, gc, logging, os, queue, sys, threading, time
import logflume

logging.raiseExceptions = False  # an Exception that comes while a record is handled is reported
gc.disable()  # what it runs may be interrupted as well

KIND, ACTION, QUEUE = sys.argv[1:]
HERE = os.path.dirname(logflume.__file__)

class Collect(logging.Handler):
    def __init__(self):
        super().__init__()
        self.got = []
    def emit(self, record):
        self.got.append(record.getMessage())

class Interrupted(BaseException if ACTION == "raise" else RuntimeError):
    pass

def one_round(number):
    faulthandler.dump_traceback_later(20, exit=True)
    if number % 20 == 0:
        gc.collect()
    collect = Collect()
    handler = logflume.LocalQueueHandler(queue.Queue() if QUEUE == "Queue" else None)
    listener = handler.listener = logflume.QueueListener(handler.queue, collect)
    logger = logging.Logger("interrupted")
    logger.addHandler(handler)
    sent, cut, lines, where = [], [], 0, None

    def send(text):
        if getattr(logger, "_is_disabled", bool)():
            return  # in logger.handle(): 3.13.4 and 3.13.5 ignore it
        cut.append(text)
        logger.info(text)
        cut.remove(text)
        sent.append(text)

    def trace(frame, event, arg):
        nonlocal lines, where
        if not frame.f_code.co_filename.startswith(HERE):
            return None
        if event == "line":
            lines += 1
            if lines == number:
                where = f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
                sys.settrace(None)
                if ACTION == "log":
                    send("from a signal handler")
                elif ACTION == "stop":
                    listener.stop(10)
                else:
                    raise Interrupted
        return trace

    if KIND not in ("first", "start", "stop idle"):
        send("before")
        while not listener.is_running:  # else act() handles it, and may be interrupted in that
            time.sleep(0.0001)
    if KIND in ("stopped", "restart"):
        listener.stop()
    act = {
        "first": lambda: send("first"),
        "stopped": lambda: send("in the caller"),
        "start": listener.start,
        "restart": listener.start,
        "stop": listener.stop,
        "stop idle": listener.stop,
        "close": handler.close,
        "flush": listener.flush,
        "handlers": lambda: (listener.addHandler(collect), listener.removeHandler(None)),
    }[KIND]
    sys.settrace(trace)
    try:
        act()
    except Interrupted:
        send("after an exception")
    sys.settrace(None)
    wrong = []
    if [thread.name for thread in threading.enumerate()].count("logflume") > 1:
        wrong.append("two threads")
    if where is None:
        listener.stop()
        return False

    def in_a_thread(text):
        thread = threading.Thread(target=send, args=(text,))
        thread.start()
        thread.join()

    in_a_thread("in a thread")
    send("later")
    if not listener.flush(10):
        wrong.append("flush")
    for text in ("after flush", "after stop"):
        send(text)
        if listener.stop(10):
            wrong.append("stop")
    try:
        listener.start()
    except RuntimeError as error:
        wrong.append(str(error))
    in_a_thread("again in a thread")
    if listener.stop(10):
        wrong.append("the last stop")
    if listener.stats().pending:
        wrong.append("pending")
    deadline = time.monotonic() + 5
    while any(thread.name == "logflume" for thread in threading.enumerate()):
        time.sleep(0.001)
        if time.monotonic() > deadline:
            wrong.append("a thread is left")
            break
    # The record whose call was interrupted may be lost; nothing else may, nor come twice. An Exception in enqueue() is
    # reported as the standard class does it, and the call returns.
    if ACTION == "raise an Exception":
        cut.append("first")
        sent = [text for text in sent if text != "first"]
    got = [text for text in collect.got if text not in cut]
    if sorted(got) != sorted(sent) or len(set(collect.got)) < len(collect.got):
        wrong.append(f"{collect.got}, not {sent}")
    if wrong:
        print(where, *wrong, flush=True)
    return True

number = 1
while one_round(number):
    number += 1
faulthandler.cancel_dump_traceback_later()
print("lines:", number - 1)
"""

KINDS = ["first", "stopped", "start", "restart", "stop", "stop idle", "close", "flush", "handlers"]


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="a frame that is gone gives back its lock later there")
@pytest.mark.parametrize(
    ("kind", "action"),
    [(kind, action) for kind in KINDS for action in ("raise", "log")]
    + [(kind, action) for kind in ("first", "stop") for action in ("raise an Exception", "stop")],
)
def test_at_any_line(lf, kind, action):
    done = run_code(PROGRAM, kind, action, "SimpleQueue", timeout=120)
    assert done.stderr == ""
    [last] = done.stdout.splitlines()
    assert int(last.removeprefix("lines: ")) > 10


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="a frame that is gone gives back its lock later there")
@pytest.mark.parametrize("kind", ["first", "stop", "close"])
def test_at_any_line_with_a_queue_in_python(lf, kind):
    done = run_code(PROGRAM, kind, "raise", "Queue", timeout=120)
    assert (done.stderr, len(done.stdout.splitlines())) == ("", 1), done.stdout


class Seen(Collect):
    def handle(self, record):
        self.seen.append(record.getMessage())
        return super().handle(record)

    def __init__(self):
        super().__init__()
        self.seen = []


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="is about where CPython calls signal handlers")
@pytest.mark.parametrize("handlers", [1, 2])
def test_what_others_logged_is_not_lost_where_the_caller_delivers(lf, monkeypatch, handlers):
    """Only a record that was given to a handler may be. Signal handlers run as a function begins or has returned."""

    def profile(frame, event, argument):
        nonlocal events
        if not frame.f_globals.get("__name__", "").startswith("logflume.") or event not in ("call", "c_return"):
            return
        if frame.f_code.co_name == "__del__":  # which would ignore it
            return
        events += getattr(argument, "__name__", "") != "get_nowait"
        if events == number:
            sys.setprofile(None)
            raise KeyboardInterrupt

    monkeypatch.setattr(logging, "raiseExceptions", False)
    sent = ["0", "1", "2"]
    number = events = 0
    while events >= number:
        number += 1
        collects = [Seen() for _ in range(handlers)]
        logger = logging.Logger("shop")
        logger.addHandler(handler := lf.LocalQueueHandler())
        for text in sent:
            logger.error(text)
        listener = lf.QueueListener(handler.queue, *collects)
        events = 0
        gc.disable()  # what it runs would be interrupted, too
        try:
            sys.setprofile(profile)
            listener.stop()
        except KeyboardInterrupt:
            pass
        finally:
            sys.setprofile(None)
            gc.enable()
        assert listener.stop() == 0
        stats = listener.stats()
        assert (stats.pending, stats.handled + stats.failed) == (0, stats.accepted)
        assert collects[0].seen == sent
        for collect in collects:
            assert collect.messages in (sent, sent[1:], [sent[0], sent[2]], sent[:2])
    assert number > 100


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="is about where CPython calls signal handlers")
def test_an_interrupted_write_is_not_repeated(lf, tmp_path):
    """The descriptor has the bytes, and the caller's delivery is interrupted before the next step."""

    def profile(frame, event, argument):
        nonlocal events
        if event == "call" and frame.f_globals.get("__name__") == "logflume._delivery.batch_text":
            events += written()
            if events == number:
                sys.setprofile(None)
                raise KeyboardInterrupt

    def written():
        return path.read_text() != ""

    number = events = 0
    while events >= number:
        number += 1
        path = tmp_path / str(number)
        with path.open("w") as stream:
            handler = logging.StreamHandler(stream)
            stream.reconfigure(line_buffering=True)
            text = lf._delivery.batch_text.BatchText(b"one\n", [4])
            records = [logging.makeLogRecord({"msg": "one"})]
            sink = lf._delivery.sinks.sink_of(handler)
            events = 0
            sys.setprofile(profile)
            try:
                sink.put(handler, records, text)
            except KeyboardInterrupt:
                pass
            finally:
                sys.setprofile(None)
        assert (path.read_text(), records) == ("one\n", [])
    assert number > 2


@needs_fork
def test_ctrl_c_while_stop_waits(run):
    """On 3.11 it has Thread.join() take the thread to be gone."""
    code, lines, stderr = run(
        """
        listener = set_up(PATH, Slow)
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        for i in range(500): logging.info("%d", i)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        try:
            listener.stop()
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
        """
    )
    assert (code, stderr) == (0, "interrupted\n")
    assert [message for _, message in lines] == [str(i) for i in range(500)]


@needs_fork
def test_a_signal_that_the_program_waits_for(run):
    """The kernel gives it to any thread that does not block it; the default action would end the process."""
    code, _, stderr = run(
        """
        set_up(PATH)
        logging.info("one")
        time.sleep(0.1)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
        os.kill(os.getpid(), signal.SIGHUP)
        assert signal.sigwait([signal.SIGHUP]) == signal.SIGHUP
        logging.info("two")
        """
    )
    assert (code, stderr) == (0, "")


@needs_fork
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_that_a_handler_forks_blocks_no_signal(run):
    code, _, stderr = run(
        """
        import warnings; warnings.simplefilter("ignore")
        class Forks(logging.Handler):
            def emit(self, record):
                pid = os.fork()
                if pid == 0:
                    os._exit(len(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
                print(os.waitpid(pid, 0)[1], file=sys.stderr)
        logging.root.handlers = [Forks()]
        listener = logflume.setup_logging_queue()
        logging.error("one")
        assert listener.flush(10)
        """
    )
    assert (code, stderr) == (0, "0\n")
