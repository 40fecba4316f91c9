"""CPython's own tests of logging fail nowhere with accelerated loggers that they do not fail without."""

import importlib.util
import subprocess
import sys

import pytest

import cores

RUN = """
import sys, unittest
import logflume
if sys.argv[1] == "accelerated":
    assert logflume.accelerate_loggers()
from test import test_logging
suite = unittest.defaultTestLoader.loadTestsFromModule(test_logging)
test_logging.setUpModule()
result = unittest.TextTestRunner(stream=sys.stderr, verbosity=0).run(suite)
for case, why in result.failures + result.errors:
    print("FAILED", case.id())
print("RAN", result.testsRun)
"""


def run(mode: str, cwd: str) -> tuple[set[str], int]:
    done = subprocess.run(
        [sys.executable, "-c", RUN, mode], capture_output=True, text=True, timeout=600, check=False, cwd=cwd
    )
    lines = done.stdout.splitlines()
    ran = [int(line.split()[1]) for line in lines if line.startswith("RAN")]
    assert ran, done.stderr
    return {line.split()[1] for line in lines if line.startswith("FAILED")}, ran[0]


@pytest.mark.skipif(importlib.util.find_spec("test.test_logging") is None, reason="Python has no test suite")
@pytest.mark.skipif("compiled" not in cores.available(), reason="the pure core accelerates nothing")
def test_standard_tests(tmp_path: object) -> None:
    standard, count = run("standard", str(tmp_path))
    accelerated, accelerated_count = run("accelerated", str(tmp_path))
    assert accelerated - standard == set()
    assert accelerated_count == count
