"""python -m logflume: what it prints, and that it notices a record that is missing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from types import ModuleType

import pytest

from helpers import environment, run_python
from logflume import __version__, _demo


def test_demo_measures_each_setup_and_finds_every_record(lf: ModuleType) -> None:
    columns = {"COLUMNS": "100"}
    done = run_python("-m", "logflume", "--seconds", "0.2", "--rounds", "2", timeout=120, env=environment(**columns))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"logflume {__version__}, {lf.IMPLEMENTATION}, on ")
    measured = r"^  (no logging|handlers attached|standard queue|logflume|logflume, accelerated) +[0-9.]+ ms"
    compiled = lf.IMPLEMENTATION == "compiled"
    assert len(re.findall(measured, done.stdout, re.MULTILINE)) == (9 if compiled else 7)
    bars = re.findall(r"^  \w.{22}(#+)$", done.stdout, re.MULTILINE)
    assert max(map(len, bars)) == 100 - 26
    *_, found, verdict = done.stdout.splitlines()
    assert found == "Every record arrived, once and in order, in every set-up."
    ours = r"[0-9]+ us with logflume, [0-9]+ us accelerated" if compiled else r"[0-9]+ us with logflume"
    assert re.fullmatch(f"Log calls of a request: {ours}, [0-9]+ us with handlers attached; .* times less.", verdict)
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_version(lf: ModuleType) -> None:
    done = run_python("-m", "logflume", "--version")
    assert done.stdout.startswith(f"logflume {__version__}, {lf.IMPLEMENTATION}, on ")
    assert done.stdout.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_ends_it_without_a_traceback() -> None:
    # A shell has the processes that it starts in the background ignore SIGINT.
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code += "; from logflume._demo import main; sys.exit(main(['--seconds', '60']))"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it is under way
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "")
    assert output.endswith("\ninterrupted\n")


def test_verify_tells_what_is_wrong() -> None:
    assert _demo.verify([0, 1, 2], 3) == ""
    assert _demo.verify([0, 2], 3) == "2 of 3 records arrived, 1 missing, 0 twice"
    assert _demo.verify([0, 1, 1, 2], 3) == "4 of 3 records arrived, 0 missing, 1 twice"
    assert "out of order" in _demo.verify([0, 2, 1], 3)


def test_exit_status_tells_of_a_problem(monkeypatch, capsys) -> None:
    def run(command, **options):
        figures = {"p50": 1e-4, "p99": 1e-3, "stall": 1e-3, "logging": 4e-5}
        output = json.dumps([figures, _demo.verify([0, 1], 3) if command[-3] == "logflume" else ""])
        return subprocess.CompletedProcess(command, 0, output)

    monkeypatch.setattr(subprocess, "run", run)
    assert _demo.main(["--no-slow", "--rounds", "1"]) == 1
    printed = capsys.readouterr().out
    assert "logflume: 2 of 3 records arrived" in printed
    assert "Every record arrived" not in printed
