"""What depends on the interpreter: without threads, in subinterpreters, and when a class has no version tags left."""

import sys
import threading

import pytest

from helpers import FREE_THREADED, Collect, environment, needs_compiled, run_code, wait_until


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("start", "can't start new thread"),
        ("__init__", "daemon threads are disabled in this interpreter"),  # a subinterpreter
    ],
)
def test_where_no_thread_can_start_the_caller_delivers(wired, monkeypatch, method, reason):
    def refuse(self, **given):
        raise RuntimeError(reason)

    monkeypatch.setattr(threading.Thread, method, refuse)
    collect = Collect()
    logger, listener = wired(collect)
    logger.info("one")
    # The thread that tries to start the listener's delivers, should it find out after the call has returned.
    assert wait_until(lambda: collect.messages == ["one"])
    logger.info("two")
    assert collect.messages == ["one", "two"]
    listener.stop()


@needs_compiled
@pytest.mark.parametrize("configuration", ["isolated", "legacy"])
@pytest.mark.parametrize("first", ["main", "sub"])
def test_a_subinterpreter_gets_the_pure_core(configuration, first):
    """The compiled core is for one interpreter of a process: the first that imports it."""
    script = """
import sys
try:
    import _interpreters as interpreters
    make = {"isolated": lambda: interpreters.create("isolated"), "legacy": lambda: interpreters.create("legacy")}
except ImportError:
    import _xxsubinterpreters as interpreters
    make = {
        "isolated": lambda: interpreters.create(isolated=True),
        "legacy": lambda: interpreters.create(isolated=False),
    }
configuration, first = sys.argv[1:]
code = '''
import logging, queue
import logflume
logger = logging.getLogger("a")
handler = logflume.LocalQueueHandler(queue.SimpleQueue())
logging.root.addHandler(handler)
assert logflume.accelerate_loggers() is logflume.loggers_accelerated() is (logflume.IMPLEMENTATION == "compiled")
logger.error("m %s", 1)
assert handler.queue.get_nowait().getMessage() == "m 1"
print(logflume.IMPLEMENTATION, flush=True)
'''
if first == "main":
    exec(code)
interpreter = make[configuration]()
failure = interpreters.run_string(interpreter, code)
assert failure is None, failure
if first == "sub":
    interpreters.destroy(interpreter)
    exec(code)
"""
    done = run_code(script, configuration, first, env=environment(LOGFLUME_REQUIRE_EXTENSIONS=""))
    if "No module named" in done.stderr and "interpreters" in done.stderr:
        pytest.skip("no sub-interpreters here")
    assert done.returncode == 0, done.stderr
    cores_used = done.stdout.split()
    if first == "main":
        assert cores_used == ["compiled", "pure"]
    else:
        assert "pure" in cores_used


@needs_compiled
def test_accelerated_and_restored_very_often():
    """From 3.13 logging.Logger gets no more version tags then; without the GIL each call is a standard one then."""
    script = """
import logging, queue, warnings
import logflume
from helpers import is_quick
warnings.filterwarnings("ignore", "logflume: no listener has read")
records = queue.SimpleQueue()
logging.root.addHandler(logflume.LocalQueueHandler(records))
quick = []
for _ in range(1200):
    quick.append(is_quick(lambda: logging.root.warning("m")))
    logflume.accelerate_loggers()
    quick.append(is_quick(lambda: logging.root.warning("m")))
    logflume.restore_loggers()
print(records.qsize(), quick[:2], quick[-2:])
"""
    done = run_code(script)
    assert done.stderr == ""
    assert done.stdout == f"2400 [False, True] [False, {not FREE_THREADED}]\n"


@needs_compiled
@pytest.mark.skipif(sys.version_info < (3, 12), reason="has no watchers")
def test_watchers_are_left_for_other_packages(tmp_path):
    """CPython has eight for all dictionaries, and keeps three of them from 3.15 on; without one all is looked up."""
    script = """
import ctypes, logging, sys
import logflume
file = logging.FileHandler(sys.argv[1])
file.setFormatter(logging.Formatter("%(message)s"))
logging.root.addHandler(file)
listener = logflume.setup_logging_queue()
logflume.accelerate_loggers()
for i in range(1500):
    logging.Logger.more = i  # from 3.13 on the class gets no version any more
    logging.warning("%d", i)
    logging.debug("off")
    if i % 100 == 0: listener.flush(10)
listener.flush(10)
add = ctypes.pythonapi.PyDict_AddWatcher
never_called = ctypes.cast(ctypes.pythonapi.Py_IncRef, ctypes.c_void_p)
left = 0
try:
    while True:
        add(never_called)
        left += 1
except RuntimeError:
    print(left)
"""
    done = run_code(script, str(tmp_path / "log"))
    assert done.stderr == ""
    assert int(done.stdout) > 0
