"""CPython's own tests of logging, whole, with our classes in the places of the standard ones.

They may fail nowhere that they do not fail without us in the same environment.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest

import cores
import logflume

# Tests that fail with our queue classes because they look at how the standard ones work inside: id -> reason.
EXPECTED = {
    "test.test_logging.QueueHandlerTest.test_formatting": "prepare() puts the formatted text into msg",
    "test.test_logging.QueueHandlerTest.test_queue_handler": "prepare() replaces the args () by None",
}

RUN = """
import faulthandler, logging.handlers, sys, unittest

faulthandler.dump_traceback_later(240, exit=True)
changes = sys.argv[1].split("+")
if "queues" in changes:
    import logflume
    logging.handlers.QueueHandler = logflume.LocalQueueHandler
    logging.handlers.QueueListener = logflume.QueueListener
if "calls" in changes:
    import logflume
    assert logflume.accelerate_loggers()

from test import test_logging

test_logging.setUpModule()
suite = unittest.defaultTestLoader.loadTestsFromModule(test_logging)
result = unittest.TextTestRunner(stream=sys.stderr, verbosity=0).run(suite)
for case, _ in result.failures + result.errors:
    print("FAILED", case.id())
print("RAN", result.testsRun, len(result.skipped))
"""


class Outcome(NamedTuple):
    failed: set[str]
    counts: str
    report: str


@functools.cache
def outcome(changes: str, core: str) -> Outcome:
    # The tests leave files behind, hence the folder; they take 20 seconds, and a deadlock for ever.
    found = {"PYTHONPATH": str(Path(logflume.__file__).parents[1])}
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, cores.SWITCHES[core] | found):
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", "-c", RUN, changes],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            cwd=folder,
        )
    lines = done.stdout.splitlines()
    counts = [line for line in lines if line.startswith("RAN ")]
    assert counts, done.stderr
    # A subtest's id has the test's name first.
    failed = {line.split()[1] for line in lines if line.startswith("FAILED ")}
    return Outcome(failed, counts[0], done.stderr)


def is_there() -> bool:
    try:
        return importlib.util.find_spec("test.test_logging") is not None
    except ImportError:
        return False


@pytest.mark.skipif(not is_there(), reason="this Python comes without test.test_logging")
@pytest.mark.parametrize("changes", ["calls", "queues", "queues+calls"])
@pytest.mark.parametrize("core", cores.available())
def test_fails_nowhere_else(core: str, changes: str) -> None:
    if core == "pure" and "calls" in changes:
        pytest.skip("the pure core accelerates nothing")
    standard = outcome("none", "pure")
    ours = outcome(changes, core)
    expected = set(EXPECTED) if "queues" in changes else set()
    assert ours.failed - standard.failed - expected == set(), ours.report
    assert ours.counts == standard.counts
