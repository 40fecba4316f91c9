"""python -m logflume: what it prints, and that it notices a record that is missing."""

from __future__ import annotations

import re
from types import ModuleType

from helpers import run_python
from logflume import __version__, _demo


def test_demo_measures_each_setup_and_finds_every_record(lf: ModuleType) -> None:
    done = run_python("-m", "logflume", "--seconds", "0.3", timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"logflume {__version__}, {lf.IMPLEMENTATION}, on ")
    measured = r"^  (?:no logging|handlers attached|standard queue|logflume) +[0-9.]+ ms"
    assert len(re.findall(measured, done.stdout, re.MULTILINE)) == 7
    assert done.stdout.endswith("Every record arrived, once and in order, in every set-up.\n")
    assert done.stderr == ""


def test_verify_tells_what_is_wrong() -> None:
    assert _demo.verify([0, 1, 2], 3, "file") == ""
    assert _demo.verify([0, 2], 3, "file") == "file: 2 of 3 records arrived, 1 missing, 0 twice"
    assert _demo.verify([0, 1, 1, 2], 3, "file") == "file: 4 of 3 records arrived, 0 missing, 1 twice"
    assert "out of order" in _demo.verify([0, 2, 1], 3, "file")


def test_exit_status_tells_of_a_problem(monkeypatch, capsys) -> None:
    def lossy(setup, slow, requests):
        lost = setup == "logflume"
        return {
            "p50": 0.001,
            "p99": 0.002,
            "stall": 0.003,
            "logging": 0.0,
            "records": 3,
            "problems": [_demo.verify([0, 1], 3, "file")] if lost else [],
        }

    monkeypatch.setattr(_demo, "measure", lossy)
    assert _demo.main(["--no-slow"]) == 1
    assert "logflume: file: 2 of 3 records arrived" in capsys.readouterr().out
