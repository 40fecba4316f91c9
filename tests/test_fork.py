"""Fork: the child begins with an empty queue, the parent delivers what it had queued, once, and no lock stays held."""

import ctypes
import logging
import os
import sys
import threading

import pytest

from helpers import FREE_THREADED, NUMBERS, messages_in, needs_fork, run_code


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_fork_while_a_handler_does_not_come_to_an_end(wired):
    """The first thread of the child may get the identifier that the listener's had."""
    parent = os.getpid()
    inside, go = threading.Event(), threading.Event()
    reader, writer = os.pipe()

    class Stuck(logging.Handler):
        def handle(self, record):  # the lock may be held for ever, in the child
            if os.getpid() == parent:
                inside.set()
                go.wait(10)
            else:
                os.write(writer, record.getMessage().encode())
            return True

    logger, listener = wired(Stuck())
    logger.error("parent")
    assert inside.wait(5)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            thread = threading.Thread(target=lambda: (logger.error("child"), listener.flush(5)))
            thread.start()
            thread.join()
            code = 0
        finally:
            os._exit(code)
    go.set()
    assert os.waitpid(child, 0)[1] == 0
    os.close(writer)
    with open(reader) as pipe:
        assert pipe.read() == "child"


FORKS = {
    "in the main thread": "child = fork()",
    "in a thread": "t = threading.Thread(target=lambda: globals().update(child=fork())); t.start(); t.join()",
    "with the module lock": "with logging._lock: child = fork()",
}


@needs_fork
@pytest.mark.parametrize("how", FORKS)
@pytest.mark.parametrize("handler", ["logging.FileHandler", "Slow"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_delivers_each_record_once_in_the_process_that_logged_it(run, how, handler):
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
    assert [m for pid, m in lines if pid == child] == [f"child {i}" for i in range(100)] + ["child after stop"]
    assert [m for pid, m in lines if pid != child] == [f"parent {i}" for i in range(600)]


@needs_fork
@pytest.mark.parametrize("records", [1, 3])
def test_a_handler_that_forks(lf, records):
    """The child goes on in the delivery, of which it has nothing else in hand."""
    script = """
import logging, os, sys
import logflume

class Forks(logging.Handler):
    def handle(self, record):
        self.child = os.fork()
        if self.child:
            os.waitpid(self.child, 0)

handler = logflume.LocalQueueHandler()
logger = logging.Logger("shop")
logger.addHandler(handler)
for _ in range(int(sys.argv[1])):
    logger.error("one")
listener = handler.listener = logflume.QueueListener(handler.queue, forks := Forks())
listener.stop()
os.write(1, b"parent\\n" if forks.child else b"child\\n")
"""
    done = run_code(script, str(records))
    assert done.stderr == ""
    assert sorted(done.stdout.split()) == ["child"] * records + ["parent"]


@needs_fork
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
    assert sorted(messages_in(lines)) == ["child", "parent"], stderr


def test_a_thread_that_outlives_a_fork_leaves_the_records_to_the_next(run):
    """gevent's greenlets, which are its threads, live on in the child."""
    code, lines, stderr = run(
        """
        listener = set_up(PATH)
        logging.info("before")
        listener.flush()
        for call in at_fork: call.get("before", int)()
        for call in at_fork: call.get("after_in_child", int)()
        for i in range(500):
            logging.info("%d", i)
            time.sleep(0.0002)
        assert listener.stop(5) == 0
        assert "stopped" in repr(listener)
        """,
        first="""
        import logging.handlers
        at_fork = []
        os.register_at_fork = lambda **given: at_fork.append(given)
        """,
    )
    assert (code, stderr) == (0, "")
    assert messages_in(lines) == ["before", *NUMBERS]


@needs_fork
@pytest.mark.skipif(
    FREE_THREADED and sys.version_info < (3, 14),
    reason="a fork copies the locks of dictionaries that other threads hold: standard logging hangs as well",
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
    assert sorted(messages_in(lines)) == sorted(expected)


@needs_fork
def test_subprocess_with_a_preexec_function(run):
    _, lines, stderr = run(
        """
        import subprocess, warnings; warnings.simplefilter("ignore")
        set_up(PATH)
        logging.info("one")
        subprocess.run([sys.executable, "-c", ""], preexec_fn=lambda: None, check=True)
        logging.info("two")
        """
    )
    assert messages_in(lines) == ["one", "two"], stderr


@needs_fork
@pytest.mark.parametrize("wraps", [False, True])
def test_a_forked_child_leaves_a_queue_between_processes_alone(run, wraps):
    """And any other that may reach into the parent."""
    _, lines, stderr = run(
        f"""
        class Wrapper:
            def __init__(self, queue): self.queue = queue
            def get(self, block=True): return self.queue.get(block)
            def get_nowait(self): return self.queue.get(False)
            def put_nowait(self, item): self.queue.put(item)
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        file = logging.FileHandler(PATH)
        file.setFormatter(logging.Formatter("0 %(message)s"))
        listener = logflume.QueueListener(Wrapper(queue) if {wraps} else queue, file)
        for i in range(100):
            queue.put(logging.makeLogRecord({{"msg": str(i)}}))
        time.sleep(0.5)  # until they are in the pipe
        child = context.Process(target=int)
        child.start()
        child.join()
        listener.start()
        listener.stop()
        """
    )
    assert messages_in(lines) == NUMBERS[:100], stderr


@needs_fork
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_is_queued_is_delivered_before_a_fork(run):
    """A parent that daemonizes leaves by os._exit()."""
    _, lines, stderr = run(
        """
        import warnings; warnings.simplefilter("ignore")
        listener = set_up(PATH)
        for i in range(200): logging.info("%d", i)
        pid = os.fork()
        if pid: os._exit(0)
        """
    )
    assert messages_in(lines) == NUMBERS[:200], stderr


@needs_fork
def test_two_threads_that_fork_while_a_handler_is_stuck(run):
    code, lines, stderr = run(
        """
        import warnings; warnings.simplefilter("ignore")
        go = threading.Event()
        class Stuck(logging.FileHandler):
            def emit(self, record):
                if record.getMessage() == "stuck": go.wait(30)
                super().emit(record)
        listener = set_up(PATH, Stuck)
        logging.info("stuck")
        time.sleep(0.1)
        def fork():
            pid = os.fork()
            if pid == 0: os._exit(0)
            os.waitpid(pid, 0)
        threads = [threading.Thread(target=fork) for _ in range(3)]
        for thread in threads:
            thread.start()
            time.sleep(0.3)
        time.sleep(0.2)
        go.set()
        for thread in threads: thread.join()
        logging.info("after")
        assert listener.flush(10)
        """
    )
    assert (code, messages_in(lines), stderr) == (0, ["stuck", "after"], "")


@needs_fork
@pytest.mark.parametrize("handler", ["StreamHandler", "Subclass"])
def test_fork_while_a_write_to_a_full_pipe_waits(run, handler):
    """The thread in the write is not in the child, and had the lock of the stream's buffer."""
    code, _, stderr = run(
        f"""
        import warnings; warnings.simplefilter("ignore")
        from logging import StreamHandler
        class Subclass(StreamHandler): pass
        reader, writer = os.pipe()
        logging.root.handlers = [{handler}(os.fdopen(writer, "w"))]
        logging.root.setLevel(1)
        listener = logflume.setup_logging_queue()
        for i in range(3000): logging.info("%d %s", i, "x" * 100)
        time.sleep(0.1)
        pid = os.fork()
        if pid == 0:
            logging.info("child")
            os._exit(0 if listener.flush(20) else 1)
        got = []
        def read():
            while data := os.read(reader, 1 << 16): got.append(data)
        threading.Thread(target=read, daemon=True).start()
        assert os.waitpid(pid, 0)[1] == 0
        assert listener.flush(10)
        time.sleep(0.1)
        lines = b"".join(got).decode().splitlines()
        assert sorted(lines) == sorted(["child", *(f"{{i}} {{'x' * 100}}" for i in range(3000))])
        """
    )
    assert (code, stderr) == (0, "")


QUEUES = {
    "of its own": "type('Own', (queue.Queue,), {'__init__': lambda self, name: queue.Queue.__init__(self)})('x')",
    "LIFO": "queue.LifoQueue()",
    "bounded": "queue.Queue(5)",
}


@needs_fork
@pytest.mark.parametrize("kind", QUEUES)
def test_a_child_does_not_wait_for_the_lock_of_the_queue(run, kind):
    code, lines, stderr = run(
        f"""
        import queue, warnings; warnings.simplefilter("ignore")
        records = {QUEUES[kind]}
        file = logging.FileHandler(PATH)
        file.setFormatter(logging.Formatter("0 %(message)s"))
        handler = logflume.LocalQueueHandler(records)
        listener = handler.listener = logflume.QueueListener(records, file)
        logging.root.handlers = [handler]
        logging.error("parent")
        listener.flush()
        held, go = threading.Event(), threading.Event()
        def hold():
            with records.mutex:
                held.set()
                go.wait(20)
        thread = threading.Thread(target=hold)
        listener.deliver_before_fork = lambda timeout: None
        thread.start()
        held.wait()
        pid = os.fork()
        if pid == 0:
            signal.alarm(15)
            logging.error("child")
            os._exit(0 if listener.flush(10) else 1)
        go.set()
        assert os.waitpid(pid, 0)[1] == 0
        """
    )
    assert (code, sorted(messages_in(lines)), stderr) == (0, ["child", "parent"], "")


@needs_fork
@pytest.mark.parametrize("kind", ["queue.SimpleQueue()", *QUEUES.values()], ids=["simple", *QUEUES])
def test_what_a_child_forgets_may_log_at_its_end(run, kind):
    code, lines, stderr = run(
        f"""
        import gc, queue, warnings; warnings.simplefilter("ignore")
        class Ends:
            process = os.getpid()
            def __del__(self):
                if os.getpid() != self.process: logging.error("end")
        records = {kind}
        file = logging.FileHandler(PATH)
        file.setFormatter(logging.Formatter("0 %(message)s"))
        handler = logflume.LocalQueueHandler(records)
        listener = handler.listener = logflume.QueueListener(records, file)
        logging.root.handlers = [handler]
        records.put(logging.makeLogRecord({{"msg": "parent", "ends": Ends()}}))
        held, go = threading.Event(), threading.Event()
        def hold():
            with getattr(records, "mutex", threading.Lock()):
                held.set()
                go.wait(20)
        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        pid = os.fork()
        if pid == 0:
            gc.collect()  # PyPy ends it no sooner
            logging.error("child")
            while listener.stats().pending: time.sleep(0.01)  # a LifoQueue gives a flush request before them
            os._exit(0 if listener.flush(10) else 1)
        go.set()
        status = os.waitpid(pid, 0)[1]
        os._exit(status and 1)
        """,
        first="import os, signal; os.register_at_fork(after_in_child=lambda: signal.alarm(30))",
    )
    assert (code, sorted(messages_in(lines)), stderr) == (0, ["child", "end"], "")


@needs_fork
def test_a_child_keeps_the_queue_and_not_what_is_in_it(run):
    """Something else may put records there, too."""
    code, lines, stderr = run(
        """
        import logging.handlers, queue, warnings; warnings.simplefilter("ignore")
        file = logging.FileHandler(PATH)
        file.setFormatter(logging.Formatter("0 %(message)s"))
        handler = logflume.LocalQueueHandler()
        listener = handler.listener = logflume.QueueListener(handler.queue, file)
        logging.root.handlers = [handler]
        other = logging.handlers.QueueHandler(handler.queue)
        for i in range(20_000): handler.queue.put(logging.makeLogRecord({"msg": "parent"}))
        listener.deliver_before_fork = lambda timeout: None
        pid = os.fork()
        if pid == 0:
            logging.error("child")
            other.handle(logging.makeLogRecord({"msg": "other"}))
            os._exit(0 if listener.flush(10) else 1)
        assert os.waitpid(pid, 0)[1] == 0
        os._exit(0)
        """
    )
    assert (code, messages_in(lines), stderr) == (0, ["child", "other"], "")


@needs_fork
@pytest.mark.skipif(not hasattr(ctypes, "PyDLL"), reason="ctypes calls no function of C with the GIL")
@pytest.mark.parametrize("accelerate", [False, True])
def test_a_fork_in_c_of_which_python_is_not_told(run, accelerate):
    """As uWSGI forks."""
    code, lines, stderr = run(
        f"""
        import ctypes
        listener = set_up(PATH)
        if {accelerate}: logflume.accelerate_loggers()
        logging.info("parent")
        assert listener.flush(10)
        time.sleep(0.5)  # the thread waits in the queue
        pid = ctypes.PyDLL(None).fork()
        if pid == 0:
            signal.alarm(20)
            for i in range(5): logging.info("child %d", i)
            assert listener.flush(10)
            logging.info("child last")
            os._exit(listener.stop(10))
        assert os.waitpid(pid, 0)[1] == 0
        logging.info("parent again")
        """
    )
    assert code == 0, stderr
    expected = ["parent", *(f"child {i}" for i in range(5)), "child last", "parent again"]
    assert messages_in(lines) == expected


def test_under_uwsgi_a_thread_starts_where_it_would_run(run):
    """Before the fork the master has none, and without --enable-threads no process has."""
    _, lines, stderr = run(
        """
        def threads(): return [t for t in threading.enumerate() if t.name == "logflume"]
        listener = set_up(PATH)
        logging.info("no threads")
        uwsgi.opt["enable-threads"] = True
        logging.info("in the master")
        assert not threads()
        uwsgi.worker_id = lambda: 1
        logging.info("in a worker")
        while not threads(): time.sleep(0.001)
        """,
        first="""
        import sys, types
        uwsgi = sys.modules["uwsgi"] = types.ModuleType("uwsgi")
        uwsgi.opt, uwsgi.worker_id, uwsgi.mule_id = {}, int, int
        """,
    )
    assert (messages_in(lines), stderr) == (["no threads", "in the master", "in a worker"], "")
