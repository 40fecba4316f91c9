"""Fork: the child begins with an empty queue, the parent delivers what it had queued, once, and no lock stays held."""

import logging
import os
import sys
import threading

import pytest

from helpers import FREE_THREADED, NUMBERS, messages_in, needs_fork


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
    assert [m for pid, m in lines if pid == child] == [f"child {i}" for i in range(100)] + [
        "child after stop"
    ]
    assert [m for pid, m in lines if pid != child] == [f"parent {i}" for i in range(600)]


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
    assert messages_in(lines) == NUMBERS[:100], stderr
