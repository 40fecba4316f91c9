"""Nothing is lost, and nothing comes twice, in the lives that a process can have."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import sysconfig
import textwrap

import pytest

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

SETUP = """
import atexit, logging, multiprocessing, os, signal, sys, threading, time
import logflume

class Slow(logging.FileHandler):
    def emit(self, record):
        time.sleep(0.001)
        super().emit(record)

def set_up(path, cls=logging.FileHandler):
    handler = cls(path)
    handler.setFormatter(logging.Formatter("%(process)d %(message)s"))
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.DEBUG)
    return logflume.setup_logging_queue()
"""


def environment():
    """What a new interpreter needs to find what this one does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


@pytest.fixture
def run(lf, tmp_path):
    """Batch a program and return (exit code, lines of the log as (pid, message), stderr)."""

    def run(program, timeout=60):
        script = tmp_path / "program.py"
        log = tmp_path / "log"
        script.write_text(SETUP + f"PATH = {str(log)!r}\n" + textwrap.dedent(program))
        done = subprocess.run(
            [sys.executable, str(script)],
            capture_output=True,
            text=True,
            timeout=timeout,
            env=environment(),
        )
        lines = log.read_text().splitlines() if log.exists() else []
        return done.returncode, [tuple(line.split(" ", 1)) for line in lines], done.stderr

    return run


def messages(lines):
    return [message for _, message in lines]


NUMBERS = [str(i) for i in range(500)]
LOG_500 = "for i in range(500): logging.info('%d', i)\n"


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("raise SystemExit", 0),
        ("raise ZeroDivisionError", 1),
        ("t = threading.Thread(target=sys.exit); t.start(); t.join()", 0),
        ("threading.Thread(target=lambda: (time.sleep(0.2), sys.exit(1))).start()", 0),
        # Nobody closes the file then, of which a debug build, or -X dev, warns.
        ("import warnings; warnings.simplefilter('ignore'); del logging.root.handlers[:]", 0),
        ("logging.shutdown()", 0),
        ("logging.root.handlers[0].close()", 0),
    ],
)
@pytest.mark.parametrize("handler", ["logging.FileHandler", "Slow"])
def test_all_is_delivered_at_exit(run, end, code, handler):
    returned, lines, stderr = run(f"set_up(PATH, {handler})\n{LOG_500}{end}\n")
    assert (returned, messages(lines)) == (code, NUMBERS), stderr
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
        atexit.unregister(logflume.listener._deliver_at_exit)
        atexit.register(lambda: logging.info("registered before"))
        atexit.register(logflume.listener._deliver_at_exit)
        set_up(PATH)
        atexit.register(lambda: logging.info("registered after"))
        logging.info("one")
        """
    )
    assert messages(lines) == ["one", "registered after", "registered before"], stderr


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
    assert messages(lines) == ["one", "deleted"], stderr


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


@posix
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
    assert "records were not delivered within 0.3 s" in stderr


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
    assert messages(lines) == [str(i) for i in range(5)]
    assert stderr.count("\nZeroDivisionError") == 5


@posix
def test_sigterm_with_a_handler_that_exits(run):
    code, lines, stderr = run(
        f"""
        set_up(PATH, Slow)
        signal.signal(signal.SIGTERM, lambda *a: sys.exit(7))
        {LOG_500.strip()}
        os.kill(os.getpid(), signal.SIGTERM)
        """
    )
    assert (code, messages(lines)) == (7, NUMBERS), stderr


@posix
@pytest.mark.parametrize("accelerate", [False, True])
def test_sigterm_that_nobody_handles(run, accelerate):
    code, lines, stderr = run(
        f"""
        set_up(PATH, Slow)
        if {accelerate}: logflume.accelerate_loggers()
        {LOG_500.strip()}
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
        """
    )
    assert (code, messages(lines)) == (-signal.SIGTERM, NUMBERS), stderr


@posix
def test_a_second_sigterm_does_not_wait(run):
    code, lines, stderr = run(
        f"""
        set_up(PATH, Slow)
        {LOG_500.strip()}
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        os.kill(os.getpid(), signal.SIGTERM)
        """
    )
    assert code == -signal.SIGTERM
    assert messages(lines) == NUMBERS[: len(lines)]
    assert len(lines) < 500


@posix
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
            # Who waits for the end of a child must not wait for a handler.
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
        def elsewhere():
            set_up(PATH)
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        """
    )
    assert (code, stderr) == (0, "")


@posix
def test_sigterm_of_a_child_loses_at_most_what_is_queued(run):
    """The kernel ends the process; what was handled by then is in the file, in order."""
    _, lines, stderr = run(
        f"""
        pid = os.fork()
        if pid == 0:
            listener = set_up(PATH)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            {LOG_500.strip()}
            assert listener.flush(30)
            {LOG_500.strip()}
            os.kill(os.getpid(), signal.SIGTERM)
        assert os.waitpid(pid, 0)[1] == signal.SIGTERM
        """
    )
    assert stderr == ""
    assert messages(lines)[:500] == NUMBERS
    assert messages(lines)[500:] == NUMBERS[: len(lines) - 500]


@posix
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
    whole = messages(lines)[:-1]
    assert whole == [str(i) for i in range(len(whole))]
    assert len(whole) > 100


@posix
@pytest.mark.parametrize("moment", [0.3, 0.77, 1.1])
def test_sigkill_finds_the_file_up_to_date(run, moment):
    """What was logged longer ago than a batch takes is in the file, and does not wait for a buffer to be full."""
    code, lines, progress = run(
        f"""
        set_up(PATH)
        def kill():
            time.sleep({moment})
            os.kill(os.getpid(), signal.SIGKILL)
        threading.Thread(target=kill).start()
        i = 0
        while True:
            logging.info("%d", i)
            os.write(2, b"%d %d\\n" % (i, time.monotonic_ns()))
            i += 1
            time.sleep(0.005)
        """
    )
    assert code == -signal.SIGKILL
    logged = [int(line.split()[1]) / 1e9 for line in progress.splitlines()]
    missing = logged[len(lines) :]
    assert len(logged) > 10
    assert not missing or logged[-1] - missing[0] < 0.25, "some 10 ms, and patience with slow machines"


def test_os_exit_loses_at_most_what_is_queued(run):
    code, lines, _ = run(
        f"""
        listener = set_up(PATH)
        {LOG_500.strip()}
        assert listener.flush(30)
        {LOG_500.strip()}
        os._exit(5)
        """
    )
    assert code == 5
    assert messages(lines)[:500] == NUMBERS
    assert messages(lines)[500:] == NUMBERS[: len(lines) - 500]


FORKS = {
    "in the main thread": "child = fork()",
    "in a thread": "t = threading.Thread(target=lambda: globals().update(child=fork())); t.start(); t.join()",
    "with the module lock": "with logging._lock: child = fork()",
}


@posix
@pytest.mark.parametrize("how", FORKS)
@pytest.mark.parametrize("handler", ["logging.FileHandler", "Slow"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fork(run, how, handler):
    """The parent's backlog comes out once, in the parent; the child's records come out in the child."""
    _, lines, stderr = run(
        f"""
        import warnings; warnings.simplefilter("ignore")
        listener = set_up(PATH, {handler})

        def fork():
            pid = os.fork()
            if pid == 0:
                for i in range(100): logging.info("child %d", i)
                assert listener.stop(30) == 0
                logging.info("child after stop")
                os._exit(0)
            return pid

        for i in range(300): logging.info("parent %d", i)
        {FORKS[how]}
        for i in range(300, 600): logging.info("parent %d", i)
        assert os.waitpid(child, 0)[1] == 0
        print(child, file=sys.stderr)
        """
    )
    child = stderr.split()[-1]
    assert [m for pid, m in lines if pid == child] == [f"child {i}" for i in range(100)] + [
        "child after stop"
    ]
    assert [m for pid, m in lines if pid != child] == [f"parent {i}" for i in range(600)]


@posix
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_that_exits_by_itself(run):
    _, lines, stderr = run(
        """
        import warnings; warnings.simplefilter("ignore")
        set_up(PATH)
        logging.info("parent")
        pid = os.fork()
        if pid == 0:
            logging.info("child")
            sys.exit()
        os.waitpid(pid, 0)
        """
    )
    assert sorted(messages(lines)) == ["child", "parent"], stderr


def test_a_thread_that_outlives_a_fork_leaves_the_records_to_the_next(run):
    """gevent's greenlets, which are its threads, live on in the child."""
    code, lines, stderr = run(
        """
        listener = set_up(PATH)
        logging.info("before")
        listener.flush()
        listener._reset_in_child()  # as the fork does there
        for i in range(500):
            logging.info("%d", i)
            time.sleep(0.0002)
        assert listener.stop(5) == 0
        assert listener._thread is None
        """
    )
    assert (code, stderr) == (0, "")
    assert messages(lines) == ["before", *NUMBERS]


@posix
@pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")) and sys.version_info < (3, 14),
    reason="a fork copies the locks of dictionaries that other threads hold: stock logging hangs as well",
)
def test_fork_while_others_log(run):
    """No lock of ours is held in the child, and no record of another thread comes out twice."""
    _, lines, stderr = run(
        """
        import warnings; warnings.simplefilter("ignore")
        listener = set_up(PATH)
        stop = False
        counts = [0] * 4
        def log(k):
            while not stop:
                logging.info("t%d %d", k, counts[k]); counts[k] += 1
                time.sleep(0.0001)
        threads = [threading.Thread(target=log, args=(k,)) for k in range(4)]
        for t in threads: t.start()
        for n in range(30):
            pid = os.fork()
            if pid == 0:
                signal.alarm(20)
                logging.info("child %d", n)
                os._exit(0 if listener.stop(10) == 0 else 1)
            assert os.waitpid(pid, 0)[1] == 0, "child %d" % n
        stop = True
        for t in threads: t.join()
        listener.stop()
        print(*counts, file=sys.stderr)
        """
    )
    counts = [int(n) for n in stderr.split()]
    expected = [f"t{k} {i}" for k in range(4) for i in range(counts[k])] + [f"child {n}" for n in range(30)]
    assert sorted(messages(lines)) == sorted(expected)


def methods():
    return [m for m in ("fork", "spawn", "forkserver") if m in multiprocessing.get_all_start_methods()]


@pytest.mark.parametrize("method", methods())
def test_multiprocessing(run, method):
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
    assert sorted(messages(lines)) == sorted(expected), stderr


@pytest.mark.parametrize("method", methods())
def test_process_pool(run, method):
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
    assert sorted(messages(lines)) == sorted(["parent"] + [f"child {n}" for n in range(40)]), stderr


def test_subprocess_with_a_preexec_function(run):
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    _, lines, stderr = run(
        """
        import subprocess, warnings; warnings.simplefilter("ignore")
        set_up(PATH)
        logging.info("one")
        subprocess.run([sys.executable, "-c", ""], preexec_fn=lambda: None, check=True)
        logging.info("two")
        """
    )
    assert messages(lines) == ["one", "two"], stderr


def test_importing_calls_no_record_factory():
    """Nor does it take what the factory sets for a part of each record."""
    program = """
import logging
standard = logging.getLogRecordFactory()
def factory(name, *args, **kwargs):
    record = standard(name, *args, **kwargs)
    record.tenant = name.split(".")[0]
    return record
logging.setLogRecordFactory(factory)
import logflume
logging.setLogRecordFactory(standard)
logflume.accelerate_loggers()
logging.basicConfig(format="%(tenant)s")
logging.error("one", extra={"tenant": "mine"})
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert (done.returncode, done.stderr.split()) == (0, ["mine"])


def test_importing_costs_little():
    """What is imported beyond logging.handlers is this package alone: no asyncio, no multiprocessing."""
    program = (
        "import sys, logging.handlers, queue, atexit; before = set(sys.modules); import logflume; "
        "print(*sorted(m for m in set(sys.modules) - before if not m.startswith('logflume')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    assert set(done.stdout.split()) <= {
        "__future__",
        "_contextvars",
        "_cython_3_3_1",
        "_immutables_map",  # PyPy's contextvars
        "contextlib",
        "contextvars",
        "cython_runtime",
        "signal",
    }


@pytest.mark.parametrize("make", ["multiprocessing.Queue()", "multiprocessing.Manager().Queue()"])
def test_flush_of_a_queue_between_processes(run, make):
    code, lines, stderr = run(
        f"""
        def main():
            queue = {make}
            file = logging.FileHandler(PATH)
            file.setFormatter(logging.Formatter("0 %(message)s"))
            listener = logflume.QueueListener(queue, file)
            logging.root.addHandler(logging.handlers.QueueHandler(queue))
            logging.root.setLevel(logging.INFO)
            with listener:
                for i in range(3):
                    logging.info("%d", i)
                    assert listener.flush(30)
                    assert open(PATH).read().splitlines()[-1] == f"0 {{i}}"

        if __name__ == "__main__":
            main()
        """
    )
    assert messages(lines) == ["0", "1", "2"], stderr
    assert code == 0, stderr


@posix
def test_a_forked_child_leaves_a_queue_between_processes_alone(run):
    _, lines, stderr = run(
        """
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        file = logging.FileHandler(PATH)
        file.setFormatter(logging.Formatter("0 %(message)s"))
        listener = logflume.QueueListener(queue, file)
        for i in range(100):
            queue.put(logging.makeLogRecord({"msg": str(i)}))
        time.sleep(0.5)  # until they are in the pipe
        child = context.Process(target=int)
        child.start()
        child.join()
        listener.start()
        listener.stop()
        """
    )
    assert messages(lines) == NUMBERS[:100], stderr
