"""The programs in examples/ run, if what they need is installed: `make test-compat` installs it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from helpers import environment, run_python

EXAMPLES = Path(__file__).parent.parent / "examples"

pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="needs the source tree")


def test_prometheus_metrics(lf):
    pytest.importorskip("prometheus_client")
    program = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "prometheus_metrics.py"), "0"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        found = re.search(r"http://\S+/metrics", program.stderr.readline())
        assert found
        with urllib.request.urlopen(found[0], timeout=30) as answer:
            text = answer.read().decode()
    finally:
        program.kill()
        program.communicate()
    assert "logflume_accepted_records_total 1.0" in text
    assert "logflume_handled_records_total 1.0" in text
    assert "logflume_pending_records 0.0" in text
    assert 'logflume_handler_records_total{handler="StreamHandler-0"} 1.0' in text


def test_opentelemetry_metrics(lf):
    pytest.importorskip("opentelemetry.sdk.metrics")
    done = run_python(str(EXAMPLES / "opentelemetry_metrics.py"))
    assert done.returncode == 0, done.stderr
    metrics = {
        metric["name"]: metric["data"]["data_points"]
        for metric in json.JSONDecoder().raw_decode(done.stdout)[0]["resource_metrics"][0]["scope_metrics"][
            0
        ]["metrics"]
    }
    handled = [
        point["value"] for point in metrics["logflume.records"] if point["attributes"]["outcome"] == "handled"
    ]
    assert handled == [100]
    assert [point["value"] for point in metrics["logflume.pending"]] == [0]
    assert len(metrics["logflume.handler.time"]) == 1
