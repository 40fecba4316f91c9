"""Two hundred thousand records leave no more memory behind than twenty thousand do."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

MEASURE = """
import gc, logging, os, sys

import logflume

class Counted(logging.Handler):
    count = 0
    def handle(self, record):
        self.count += 1
        return True

way, total = sys.argv[1], int(sys.argv[2])
counted = Counted()
if way == "files":
    logging.basicConfig(filename=os.devnull, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    listener = logflume.setup_logging_queue()
else:
    handler = logflume.LocalQueueHandler(handlers=[counted])
    logging.root.addHandler(handler)
    listener = handler.listener
if way != "standard calls":
    logflume.accelerate_loggers()
log = logging.getLogger("a.b")
handle = logging.root.handlers[0].handle
changing = ["changes"]

def one(i):
    if i % 10 == 0:
        try:
            raise ValueError(i)
        except ValueError:
            log.exception("failed %d", i)
    elif i % 10 == 1:
        log.error("rendered %s", changing, extra={"user": i})
    elif i % 10 == 2:
        log.error("%s", "wrong", "arguments") if way == "refused" else log.error("bad %d", i, stack_info=True)
    elif i % 10 == 3:
        handle(logging.LogRecord("a", 40, "file", 1, "made %d", (i,), None))
    elif i % 10 == 4:
        log.debug("not enabled %d", i)
    else:
        log.error("hello %s %d", "x", i)

def some(n):
    for i in range(n):
        one(i)
        if i % 2000 == 0:
            assert listener.flush(60)
    assert listener.flush(60)
    gc.collect()
    return sys.getallocatedblocks(), getattr(sys, "gettotalrefcount", int)(), resident()

def resident():
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0

for _ in range(2):
    before = some(total // 10)
after = some(total)
print(*(b - a for a, b in zip(before, after)))
listener.stop()
"""


@pytest.mark.skipif(not hasattr(sys, "getallocatedblocks"), reason="counts CPython's blocks of memory")
@pytest.mark.parametrize("way", ["standard calls", "accelerated", "files"])
def test_memory_stays_level(lf: ModuleType, way: str) -> None:
    total = 200_000 if way == "accelerated" and lf.IMPLEMENTATION == "compiled" else 50_000
    if not hasattr(sys, "gettotalrefcount"):
        total_refs = 0
    else:
        total //= 5  # a debug build
        total_refs = 2_000
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, way, str(total)], capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stderr) == (0, "")
    blocks, references, resident = map(int, done.stdout.split())
    # One object lost for each hundredth record would be 2,000 and more.
    assert blocks < total / 200
    assert references <= total_refs
    assert resident < 8 << 20
