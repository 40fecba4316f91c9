"""Exit: what is queued is delivered when the process ends, and lost only where nothing can be done."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import textwrap

import pytest

from helpers import LOG_500, NUMBERS, messages_in, needs_fork, not_delivered, run_code


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("raise SystemExit", 0),
        ("raise ZeroDivisionError", 1),
        ("t = threading.Thread(target=sys.exit); t.start(); t.join()", 0),
        ("threading.Thread(target=lambda: (time.sleep(0.2), sys.exit(1))).start()", 0),
        # Nothing closes the file then, of which a debug build, or -X dev, warns.
        ("import warnings; warnings.simplefilter('ignore'); del logging.root.handlers[:]", 0),
        ("logging.shutdown()", 0),
        ("logging.root.handlers[0].close()", 0),
    ],
)
@pytest.mark.parametrize("handler", ["logging.FileHandler", "Slow"])
def test_all_is_delivered_at_exit(run, end, code, handler):
    returned, lines, stderr = run(f"set_up(PATH, {handler})\n{LOG_500}{end}\n")
    assert (returned, messages_in(lines)) == (code, NUMBERS), stderr
    assert stderr == "" or code == 1


def test_stdlib_listener_never_started_loses_all(run):
    """What we are compared with: the reason for all of this."""
    _, lines, _ = run(
        f"""
        import logging.handlers, queue
        q = queue.SimpleQueue()
        listener = logging.handlers.QueueListener(q, logging.FileHandler(PATH))
        logging.root.handlers = [logging.handlers.QueueHandler(q)]
        logging.root.setLevel(10)
        {LOG_500.strip()}
        """
    )
    assert lines == []


def test_records_of_atexit_functions_that_run_later(run):
    """Those registered before logflume was imported run after its own."""
    _, lines, stderr = run(
        """
        set_up(PATH)
        atexit.register(lambda: logging.info("registered after"))
        logging.info("one")
        """,
        first='atexit.register(lambda: logging.info("registered before"))',
    )
    assert messages_in(lines) == ["one", "registered after", "registered before"], stderr


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="runs no __del__ of what is alive at the exit")
def test_records_of_del_at_exit(run):
    _, lines, stderr = run(
        """
        set_up(PATH)
        class Last:
            def __del__(self, info=logging.info):
                info("deleted")
        keep = Last()
        logging.info("one")
        """
    )
    assert messages_in(lines) == ["one", "deleted"], stderr


def test_a_handler_that_hangs_does_not_keep_the_process(run):
    code, lines, stderr = run(
        """
        class Hangs(logging.Handler):
            def handle(self, record):
                threading.Event().wait()
        logging.root.handlers = [Hangs()]
        logging.root.setLevel(1)
        logflume.setup_logging_queue(exit_timeout=0.3)
        for i in range(5): logging.info("%d", i)
        """
    )
    assert code == 0
    assert "5 records were not delivered" in stderr


@needs_fork
def test_a_write_that_never_returns_does_not_keep_the_process(run):
    """Its handler's lock is never given back, and logging.shutdown() takes the locks of all handlers."""
    code, _, stderr = run(
        """
        path = PATH + ".fifo"
        os.mkfifo(path)
        reader = os.open(path, os.O_RDWR)
        listener = set_up(path)
        listener.exit_timeout = 0.3
        for i in range(3000): logging.info("%d %s", i, "x" * 100)
        """,
        timeout=20,
    )
    assert code == 0
    assert "records were not delivered within " in stderr


def test_exceptions_of_handlers_at_exit(run):
    code, lines, stderr = run(
        """
        class Broken(logging.Handler):
            def handle(self, record):
                raise ZeroDivisionError
        logging.root.addHandler(Broken())
        file = logging.FileHandler(PATH); file.setFormatter(logging.Formatter("0 %(message)s"))
        logging.root.addHandler(file)
        logging.root.setLevel(1)
        logflume.setup_logging_queue()
        for i in range(5): logging.info("%d", i)
        """
    )
    assert code == 0
    assert messages_in(lines) == [str(i) for i in range(5)]
    assert stderr.count("\nZeroDivisionError") == 5


@needs_fork
def test_sigterm_with_a_handler_that_exits(run):
    code, lines, stderr = run(
        f"""
        set_up(PATH, Slow)
        signal.signal(signal.SIGTERM, lambda *a: sys.exit(7))
        {LOG_500.strip()}
        os.kill(os.getpid(), signal.SIGTERM)
        """
    )
    assert (code, messages_in(lines)) == (7, NUMBERS), stderr


# How a program sets logging up, each with a handler that is slow.
SET_UPS = {
    "setup_logging_queue": "set_up(PATH, Slow)",
    "setup_logging_queue, accelerated": "set_up(PATH, Slow); logflume.accelerate_loggers()",
    "dictConfig": """
        import logging.config
        logging.config.dictConfig({
            "version": 1,
            "formatters": {"pid": {"format": "%(process)d %(message)s"}},
            "handlers": {
                "file": {"()": Slow, "filename": PATH, "formatter": "pid"},
                "queue": {"()": "logflume.LocalQueueHandler", "handlers": ["file"], "exit_timeout": PATIENCE},
            },
            "root": {"level": "DEBUG", "handlers": ["queue"]},
        })
    """,
    "by hand": """
        slow = Slow(PATH)
        slow.setFormatter(logging.Formatter("%(process)d %(message)s"))
        logging.root.handlers = [logflume.LocalQueueHandler(handlers=[slow], exit_timeout=PATIENCE)]
        logging.root.setLevel(1)
    """,
    "a listener of its own": """
        slow = Slow(PATH)
        slow.setFormatter(logging.Formatter("%(process)d %(message)s"))
        logging.root.handlers = [logflume.LocalQueueHandler()]
        logging.root.setLevel(1)
        listener = logflume.QueueListener(logging.root.handlers[0].queue, slow, exit_timeout=PATIENCE)
        listener.start()
    """,
}


@pytest.fixture(params=SET_UPS)
def set_up(request):
    return textwrap.dedent(SET_UPS[request.param])


KILL = 'subprocess.run(f"kill {os.getpid()}", shell=True)\ntime.sleep(30)'
SIGTERMS = {
    "that nobody handles": f"SET_UP\n{LOG_500}\n{KILL}",
    # its first record starts the listener, for which only the main thread could handle the signal
    "for records of another thread": f"""
SET_UP
def log():
    {LOG_500.strip()}
thread = threading.Thread(target=log)
thread.start()
thread.join()
{KILL}
""",
    # as uvicorn does it: set up while the server's own handler is there, which it replaces by the default action
    "that a server raises again": f"""
signal.signal(signal.SIGTERM, lambda *given: None)
SET_UP
{LOG_500}
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.raise_signal(signal.SIGTERM)
""",
}


@needs_fork
@pytest.mark.parametrize("sigterm", SIGTERMS)
def test_sigterm(run, set_up, sigterm):
    code, lines, stderr = run(SIGTERMS[sigterm].replace("SET_UP", set_up), first="import subprocess")
    assert (code, messages_in(lines), stderr) == (-signal.SIGTERM, NUMBERS, "")


@needs_fork
@pytest.mark.parametrize("daemonizes", [False, True])
def test_sigterm_of_a_forked_process(run, daemonizes):
    """It handles the signal from its first record on."""
    _, lines, stderr = run(
        f"""
        import warnings
        warnings.simplefilter("ignore")  # a fork beside threads
        set_up(PATH, Slow)
        done, ready = os.pipe()
        if os.fork() == 0:
            os.setsid()
            if {daemonizes} and os.fork(): os._exit(0)
            {LOG_500.strip()}
            os.write(ready, b"%d" % os.getpid())
            time.sleep(30)
        os.close(ready)
        pid = int(os.read(done, 20))
        os.kill(pid, signal.SIGTERM)
        assert os.read(done, 1) == b""  # it has ended
        """
    )
    assert (messages_in(lines), stderr) == (NUMBERS, "")


@needs_fork
@pytest.mark.parametrize(
    "end",
    [
        "kill()",
        "signal.signal(signal.SIGTERM, signal.SIG_DFL); signal.raise_signal(signal.SIGTERM)",
        "sys.exit()",
        "threading.Thread(target=time.sleep, args=(2,)).start(); sys.exit()",
    ],
)
def test_further_sigterms_while_the_first_one_or_the_exit_delivers(run, end):
    """As supervisors send them: to a group of processes, say, and to each of it."""
    code, lines, stderr = run(
        f"""
import subprocess
def kill(): subprocess.run(f"kill {{os.getpid()}}", shell=True)
set_up(PATH, Slow)
{LOG_500}
def kill_often():
    for _ in range(3): time.sleep(0.1); kill()
threading.Thread(target=kill_often, daemon=True).start()
{end}
time.sleep(30)
"""
    )
    assert (code, messages_in(lines), stderr) == (-signal.SIGTERM, NUMBERS, "")


@needs_fork
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_sigterm_while_the_exit_of_a_child_of_multiprocessing_delivers(run, method):
    _, lines, stderr = run(
        f"""
        def child(end):
            set_up(PATH, Slow)
            {LOG_500.strip()}
            end.set()
        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            end = context.Event()
            process = context.Process(target=child, args=(end,))
            process.start()
            end.wait()
            time.sleep(0.2)
            for _ in range(3): process.terminate()
            process.join()
            assert process.exitcode == -signal.SIGTERM
        """
    )
    assert (messages_in(lines), stderr) == (NUMBERS, "")


@needs_fork
def test_sigterm_is_handled_by_whom_the_program_says(run):
    code, _, stderr = run(
        """
        import warnings
        warnings.simplefilter("ignore")  # a fork beside threads
        def handle(*given): pass
        for before, after in ((signal.SIG_IGN, signal.SIG_IGN), (handle, handle)):
            signal.signal(signal.SIGTERM, before)
            with set_up(PATH): assert signal.getsignal(signal.SIGTERM) is after
            assert signal.getsignal(signal.SIGTERM) is before
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with set_up(PATH) as one:
            ours = signal.getsignal(signal.SIGTERM)
            assert callable(ours)
            with logflume.setup_logging_queue(): pass
            assert signal.getsignal(signal.SIGTERM) is ours
            # A child that has logged nothing has nothing to deliver.
            pid = os.fork()
            if pid == 0:
                os._exit(signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL)
            assert os.waitpid(pid, 0)[1] == 0
            child = multiprocessing.get_context("fork").Process(target=lambda: (set_up(PATH), time.sleep(30)))
            child.start()
            time.sleep(0.3)
            child.terminate()
            child.join(10)
            assert child.exitcode == -signal.SIGTERM
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        handler = logflume.LocalQueueHandler(handlers=[logging.NullHandler()])
        assert signal.getsignal(signal.SIGTERM) is ours
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        logging.root.addHandler(handler)
        logging.error("starts the listener")
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        handler.close()
        logging.root.removeHandler(handler)
        def elsewhere():
            set_up(PATH)
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        """
    )
    assert (code, stderr) == (0, "")


@needs_fork
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_terminate_of_a_child_of_multiprocessing_loses_at_most_what_is_queued(run, method):
    """The kernel ends the process, wherever it waits; what was handled by then is in the file, in order."""
    _, lines, stderr = run(
        f"""
        def child(done):
            listener = set_up(PATH)
            {LOG_500.strip()}
            assert listener.flush(30)
            {LOG_500.strip()}
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
            done.set()
            time.sleep(30)
        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            done = context.Event()
            process = context.Process(target=child, args=(done,))
            process.start()
            done.wait()
            process.terminate()
            process.join()
            assert process.exitcode == -signal.SIGTERM
        """
    )
    assert stderr == ""
    assert messages_in(lines)[:500] == NUMBERS
    assert messages_in(lines)[500:] == NUMBERS[: len(lines) - 500]


@needs_fork
@pytest.mark.parametrize("moment", [0.05, 0.11, 0.23, 0.4])
def test_sigkill_leaves_a_prefix(run, moment):
    """What is in the file is the beginning of what was logged, without a gap; it is far when records flow."""
    code, lines, _ = run(
        f"""
        set_up(PATH)
        i = 0
        def kill():
            while i < 1000: time.sleep(0.001)  # slow machines take their time
            time.sleep({moment})
            os.kill(os.getpid(), signal.SIGKILL)
        threading.Thread(target=kill).start()
        while True:
            logging.info("%d", i)
            i += 1
            if i % 100 == 0: time.sleep(0.001)
        """
    )
    assert code == -signal.SIGKILL
    # The kernel may have taken a part of the last write only.
    whole = messages_in(lines)[:-1]
    assert whole == [str(i) for i in range(len(whole))]
    assert len(whole) > 100


@needs_fork
def test_sigkill_finds_the_file_up_to_date(run):
    """What is logged comes into the file by itself, and does not wait for other records to fill a buffer."""
    code, lines, stderr = run(
        """
        set_up(PATH)
        for i in range(60):
            logging.info("%d", i)
            while not open(PATH).read().endswith(f" {i}\\n"):
                time.sleep(0.001)
            time.sleep(0.001 * (i % 20))
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    assert code == -signal.SIGKILL, stderr
    assert messages_in(lines) == [str(i) for i in range(60)]


# The ends that run no exit functions, and the exit code of each.
HARD_EXITS = {
    "os._exit(5)": 5,
    "os._exit(status=5)": 5,
    "threading.Thread(target=os._exit, args=(5,)).start(); time.sleep(30)": 5,
    "os.execv(sys.executable, [sys.executable, '-c', 'raise SystemExit(5)'])": 5,
    "os.execlp(sys.executable, sys.executable, '-c', 'raise SystemExit(5)')": 5,
    "os.execve(sys.executable, [sys.executable, '-c', 'raise SystemExit(5)'], os.environ)": 5,
    "os.kill(os.getpid(), signal.SIGKILL)": -9,
    "signal.raise_signal(signal.SIGUSR1)": -getattr(signal, "SIGUSR1", 0),
    "signal.signal(signal.SIGINT, signal.SIG_DFL); os.kill(os.getpid(), signal.SIGINT)": -2,
    "os.abort()": -signal.SIGABRT,
    "os.setsid(); os.killpg(os.getpgrp(), signal.SIGKILL)": -9,
    "os.setsid(); os.killpg(0, signal.SIGHUP)": -getattr(signal, "SIGHUP", 0),
    "os.setsid(); os.kill(0, signal.SIGKILL)": -9,
    "os.setsid(); os.kill(-os.getpgrp(), signal.SIGKILL)": -9,
    "signal.pthread_kill(threading.get_ident(), signal.SIGKILL)": -9,
}


@needs_fork
@pytest.mark.parametrize("end", HARD_EXITS)
def test_hard_exits_deliver_first(run, end):
    code, lines, stderr = run(f"set_up(PATH, Slow)\n{LOG_500}{end}\n")
    assert (code, messages_in(lines), stderr) == (HARD_EXITS[end], NUMBERS, "")


@needs_fork
def test_hard_exits_wait_no_longer_than_they_may(run):
    """Two stuck handlers take no longer than one; a second call does not wait."""
    code, _, stderr = run(
        """
        class Hangs(logging.Handler):
            def handle(self, record): threading.Event().wait()
        for name in "ab":
            logger = logging.getLogger(name)
            logger.addHandler(Hangs())
            logflume.setup_logging_queue(logger, exit_timeout=1.0)
            logger.error("one")
        pid = os.fork()
        if pid == 0:
            for name in "ab": logging.getLogger(name).error("one")
            threading.Timer(0.1, os._exit, (4,)).start()
            os._exit(5)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 4
        os._exit(5)
        """
    )
    assert code == 5
    (left_a, waited_a), (left_b, waited_b) = not_delivered(stderr)
    assert left_a == left_b == 1
    assert 1.0 <= waited_a < 2.0
    assert 1.0 <= waited_b < 2.0


@needs_fork
def test_calls_that_do_not_end_the_process(run):
    """They return, or raise, what they did; and the listener goes on."""
    code, lines, stderr = run(
        """
        listener = set_up(PATH)
        logging.info("one")
        def raised(call, *given, **named):
            try: return call(*given, **named)
            except Exception as error: return type(error)
        assert raised(os.kill) is TypeError
        assert raised(os.kill, os.getpid(), 1000) is OSError
        assert raised(os.kill, os.getpid(), 0) is None
        assert raised(os._exit, "x") is TypeError
        assert raised(os.killpg, 2**30, signal.SIGKILL) is ProcessLookupError
        assert raised(os.execv, PATH + "none", ["none"]) is FileNotFoundError
        assert issubclass(raised(signal.raise_signal, 1000), (OSError, ValueError))
        signal.raise_signal(signal.SIGCHLD)
        assert signal.raise_signal.__name__ == "raise_signal"
        logging.info("two")
        assert listener.flush(10) and listener.stats().pending == 0
        """
    )
    assert (code, messages_in(lines), stderr) == (0, ["one", "two"], "")


def test_hard_exits_can_be_pickled(run):
    """A process pool or a spawned process gets them by their names."""
    code, _, stderr = run(
        """
        import pickle
        takes_a_descriptor = getattr(os, "execve", None) in os.supports_fd
        originals = os._exit, os.kill, signal.raise_signal
        if __name__ == "__main__":
            set_up(PATH)
            logging.info("one")
            replaced = os._exit, os.kill, signal.raise_signal
            assert not {*originals} & {*replaced}
            assert pickle.loads(pickle.dumps(replaced)) == replaced
            assert pickle.loads(pickle.dumps(originals)) == originals
            assert (getattr(os, "execve", None) in os.supports_fd) is takes_a_descriptor
            child = multiprocessing.get_context("spawn").Process(target=os._exit, args=(5,))
            child.start()
            child.join()
            sys.exit(child.exitcode)
        """,
        timeout=120,
    )
    assert (code, stderr) == (5, "")


@needs_fork
def test_an_interrupt_does_not_keep_a_hard_exit_from_its_end(run):
    code, _, _ = run(
        f"""
        set_up(PATH, Slow)
        {LOG_500.strip()}
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        os._exit(5)
        """
    )
    assert code == 5


def methods():
    return [m for m in ("fork", "spawn", "forkserver") if m in multiprocessing.get_all_start_methods()]


@pytest.mark.parametrize("method", methods())
def test_children_of_multiprocessing_deliver_all(run, method):
    """Children that log through what they inherited (fork) or set up themselves (spawn, forkserver)."""
    _, lines, stderr = run(
        f"""
        import warnings; warnings.simplefilter("ignore")
        def work(n):
            if {method!r} != "fork":
                set_up(PATH)
            for i in range(50): logging.info("child %d %d", n, i)

        if __name__ == "__main__":
            set_up(PATH)
            logging.info("parent before")
            context = multiprocessing.get_context({method!r})
            children = [context.Process(target=work, args=(n,)) for n in range(2)]
            for child in children: child.start()
            for child in children: child.join()
            logging.info("parent after")
        """,
        timeout=120,
    )
    expected = ["parent before", "parent after"] + [f"child {n} {i}" for n in range(2) for i in range(50)]
    assert sorted(messages_in(lines)) == sorted(expected), stderr


@pytest.mark.parametrize("method", methods())
def test_a_process_pool_delivers_all(run, method):
    _, lines, stderr = run(
        f"""
        import warnings; warnings.simplefilter("ignore")
        from concurrent.futures import ProcessPoolExecutor
        def work(n):
            logging.info("child %d", n)
            return n

        def initialise():
            if {method!r} != "fork":
                set_up(PATH)

        if __name__ == "__main__":
            set_up(PATH)
            context = multiprocessing.get_context({method!r})
            with ProcessPoolExecutor(2, mp_context=context, initializer=initialise) as pool:
                assert list(pool.map(work, range(40))) == list(range(40))
            logging.info("parent")
        """,
        timeout=120,
    )
    assert sorted(messages_in(lines)) == sorted(["parent"] + [f"child {n}" for n in range(40)]), stderr


def test_one_broken_listener_does_not_keep_the_others_from_delivering_at_exit(lf, tmp_path) -> None:
    code = """
import logging, queue, sys
import logflume

class Broken(queue.Queue):
    def get(self, *args, **kwargs):
        raise OSError("closed")

for records in (Broken(), queue.SimpleQueue(), Broken()):
    handler = logflume.LocalQueueHandler(records)
    handler.listener = logflume.QueueListener(records, logging.FileHandler("log"), on_error=lambda *args: None)
    logging.root.addHandler(handler)
    logging.error("%s", type(records).__name__)
    if type(records) is queue.SimpleQueue:
        handler.listener.stop()
"""
    done = run_code(code, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "SimpleQueue" in (tmp_path / "log").read_text()


# Python 3.12.0 and 3.12.1 refuse any new thread from the exit of the interpreter on.
REFUSES_THREADS = (3, 12) <= sys.version_info < (3, 12, 2)

# Ways in which a handler gets its records to where they go, each with an end of its own.
TRANSPORTS = {
    "an atexit hook": """
        class Transport:
            def __init__(self):
                self.queue, self.closed = queue.Queue(), False
                self.thread = threading.Thread(target=self.work, daemon=True)
                self.thread.start()
                atexit.register(self.close)
            def work(self):
                while (text := self.queue.get()) is not None: write(text)
            def send(self, text):
                if not self.closed: self.queue.put(text)
            def close(self):
                self.closed = True
                self.queue.put(None)
                self.thread.join()
        """,
    "a pool of threads": """
        from concurrent.futures import ThreadPoolExecutor
        class Transport:
            def __init__(self): self.pool = ThreadPoolExecutor(2)
            def send(self, text): self.pool.submit(write, text)
        """,
    "a thread for each": """
        class Transport:
            def send(self, text): threading.Thread(target=lambda: (time.sleep(0.01), write(text))).start()
        """,
}


@pytest.mark.parametrize("first", ["", "import concurrent.futures.thread"])
@pytest.mark.parametrize("set_up", ["setup_logging_queue", "dictConfig"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_handlers_transport_gets_all_before_it_ends(run, transport, set_up, first):
    if transport != "an atexit hook" and REFUSES_THREADS:
        pytest.skip("this Python starts no thread at its exit")
    set_up_code = "logflume.setup_logging_queue()"
    if set_up == "dictConfig":
        set_up_code = (
            "import logging.config; logging.config.dictConfig({'version': 1, 'root': {'handlers': ['q']}, 'handlers': "
            "{'own': {'()': lambda: own}, 'q': {'()': 'logflume.LocalQueueHandler', 'handlers': ['own']}}})"
        )
    _, lines, stderr = run(
        f"""
        import queue
        def write(text):
            with open(PATH, "a") as file: file.write(f"0 {{text}}\\n")
        {textwrap.indent(textwrap.dedent(TRANSPORTS[transport]), " " * 8).strip()}
        class Handler(logging.Handler):
            def __init__(self):
                super().__init__()
                self.transport = Transport()
            def emit(self, record): self.transport.send(record.getMessage())
        own = Handler()
        logging.root.handlers = [own]
        logging.root.setLevel(1)
        {set_up_code}
        sys.excepthook = lambda kind, error, traceback: logging.critical("%s", error)
        for i in range(50): logging.info("%d", i)
        raise ValueError("last words")
        """,
        first=first,
    )
    assert stderr == ""
    assert sorted(messages_in(lines)) == sorted([*NUMBERS[:50], "last words"])


def test_records_of_threads_that_outlive_the_main_thread(run):
    _, lines, stderr = run(
        """
        set_up(PATH)
        def work():
            for i in range(20):
                time.sleep(0.01)
                logging.info("%d", i)
        threading.Thread(target=work).start()
        """
    )
    assert (messages_in(lines), stderr) == (NUMBERS[:20], "")


@pytest.mark.parametrize("closes", ["handler.close()", "handler.stream.close()"])
def test_an_atexit_function_that_closes_the_file_comes_after_what_is_queued(run, closes):
    _, lines, stderr = run(
        f"""
        handler = Slow(PATH)
        handler.setFormatter(logging.Formatter("0 %(message)s"))
        atexit.register(lambda: {closes})
        logging.root.handlers = [handler]
        logging.root.setLevel(1)
        logflume.setup_logging_queue(exit_timeout=PATIENCE)
        {LOG_500.strip()}
        """
    )
    assert (messages_in(lines), stderr) == (NUMBERS, "")


@pytest.mark.parametrize("threads_remain", [False, True])
def test_the_message_about_records_left_tells_how_long_it_waited(run, threads_remain):
    """With threads that go on, there are two waits, which together take no longer than one."""
    code, _, stderr = run(
        f"""
        class Hangs(logging.Handler):
            def handle(self, record): threading.Event().wait()
        logging.root.handlers = [Hangs()]
        logging.root.setLevel(1)
        logflume.setup_logging_queue(exit_timeout=1.0)
        for i in range(5): logging.info("%d", i)
        if {threads_remain}: threading.Thread(target=time.sleep, args=(1.5,)).start()
        began = time.monotonic()
        atexit.register(lambda: print(time.monotonic() - began, file=sys.stderr))
        """
    )
    assert code == 0
    [(left, waited)] = not_delivered(stderr)
    assert left == 5
    assert 1.0 <= waited < 2.0
    [took] = [line for line in stderr.splitlines() if not line.startswith("logflume")]
    assert float(took) < (2.5 if threads_remain else 2.0)
