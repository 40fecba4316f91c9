"""CPython's own tests of logging, whole, with our classes in the places of the standard ones.

They may fail nowhere that they do not fail without us in the same environment. They sleep for most of their 20 seconds,
so all variants run at the same time. The compiled package runs those of the compiled core, the pure package those of
the pure core.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

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
VARIANTS = ["queues"] if logflume.IMPLEMENTATION == "pure" else ["calls", "queues", "queues+calls"]


class Outcome(NamedTuple):
    failed: set[str]
    counts: str
    report: str


def outcome(run: subprocess.Popen[str], folder: Path) -> Outcome:
    run.wait(300)
    stderr = (folder / "stderr").read_text()
    lines = (folder / "stdout").read_text().splitlines()
    counts = [line for line in lines if line.startswith("RAN ")]
    assert counts, stderr
    # A subtest's id has the test's name first.
    return Outcome({line.split()[1] for line in lines if line.startswith("FAILED ")}, counts[0], stderr)


def outcomes(folder: Path) -> dict[str, Outcome]:
    """What comes of each variant, and of none."""
    environment = {**os.environ, "PYTHONPATH": str(Path(logflume.__file__).parents[1])}
    runs = {}
    try:
        for changes in ("none", *VARIANTS):
            own = folder / changes  # the tests leave files behind
            own.mkdir()
            with open(own / "stdout", "w") as stdout, open(own / "stderr", "w") as stderr:
                command = [sys.executable, "-X", "faulthandler", "-c", RUN, changes]
                runs[changes] = subprocess.Popen(command, stdout=stdout, stderr=stderr, cwd=own, env=environment)
        return {changes: outcome(run, folder / changes) for changes, run in runs.items()}
    finally:
        for run in runs.values():
            run.kill()
            run.wait()


def is_there() -> bool:
    try:
        return importlib.util.find_spec("test.test_logging") is not None
    except ImportError:
        return False


@pytest.mark.skipif(not is_there(), reason="this Python comes without test.test_logging")
def test_cpython_s_tests_fail_nowhere_else(tmp_path: Path) -> None:
    found = outcomes(tmp_path)
    standard = found.pop("none")
    for changes, ours in found.items():
        expected = set(EXPECTED) if "queues" in changes else set()
        assert ours.failed - standard.failed - expected == set(), ours.report
        assert ours.counts == standard.counts, changes
