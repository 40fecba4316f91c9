"""The programs in examples/ run as they stand: servers get requests and SIGTERM, and their lines are counted."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import pytest

from helpers import free_port, run_python, started, wait_until

EXAMPLES = Path(__file__).parent.parent / "examples"

if not EXAMPLES.exists():
    pytest.skip("needs the source tree", allow_module_level=True)

Environment = dict[str, str]


def is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # nor is the package that it would be in
        return False


def needs(*packages: str) -> pytest.MarkDecorator:
    missing = [name for name in packages if not is_installed(name)]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return os.environ | {"PORT": str(free_port()), "LOG": str(tmp_path / "app.log")}


def run(name: str, environment: Environment) -> subprocess.CompletedProcess[str]:
    done = run_python(str(EXAMPLES / name), env=environment)
    assert done.returncode == 0, done.stderr
    return done


def log_lines(environment: Environment) -> list[str]:
    return Path(environment["LOG"]).read_text().splitlines()


def serve(command: Sequence[str | Path], environment: Environment) -> tuple[int, str]:
    """Start a server, ask it for 20 orders, end it by SIGTERM; return its exit code and what it wrote to stdout."""
    with started(command, cwd=EXAMPLES, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert wait_until(lambda: listens(int(environment["PORT"])), 30)
        for order in range(20):
            url = f"http://127.0.0.1:{environment['PORT']}/orders/{order}"
            with urllib.request.urlopen(url, timeout=10) as answer:
                assert answer.status == 200
        server.send_signal(signal.SIGTERM)
        output, _ = server.communicate(timeout=30)
    return server.returncode, output


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def orders(lines: list[str]) -> list[int]:
    return sorted(int(found[1]) for line in lines if (found := re.search(r"order (\d+) read", line)))


# ---- programs that end by themselves ----


def test_bot(environment: Environment) -> None:
    assert re.fullmatch(r"the event loop was at most [\d.]+ ms late\n", run("bot.py", environment).stdout)
    assert [line.split(" bot ")[1] for line in log_lines(environment)] == [f"message {i} answered" for i in range(300)]


def test_rotating_files(environment: Environment) -> None:
    assert run("rotating_files.py", environment).stdout == "8000 records\n"
    files = list(Path(environment["LOG"]).parent.glob("app.log*"))
    assert len(files) > 2
    assert sum(path.read_text().count("record") for path in files) == 8000


def test_http_batches(environment: Environment) -> None:
    assert re.fullmatch(r"5000 records in \d+ requests\n", run("http_batches.py", environment).stdout)


def test_worker_processes(environment: Environment) -> None:
    lines = run("worker_processes.py", environment).stdout.splitlines()
    assert sorted(line.split(" ", 1)[1] for line in lines) == sorted(
        ["100 tasks done", *(f"task {i} done" for i in range(100))]
    )


@needs("structlog")
def test_structlog(environment: Environment) -> None:
    lines = [json.loads(line) for line in run("structlog_json.py", environment).stdout.splitlines()]
    assert [line["order"] for line in lines] == list(range(100))
    assert {line["request_id"] for line in lines} == {"c0ffee"}


@needs("sentry_sdk")
def test_sentry(environment: Environment) -> None:
    raised = next(i for i, line in enumerate(source("sentry_events.py"), 1) if "raise KeyError" in line)
    done = run("sentry_events.py", environment)
    assert done.stdout == f"10 events; the first one was raised in line {raised}\n"
    assert len([line for line in log_lines(environment) if "is unknown" in line]) == 10


def source(name: str) -> list[str]:
    return (EXAMPLES / name).read_text().splitlines()


@needs("opentelemetry.sdk", "opentelemetry.instrumentation.logging")
def test_opentelemetry(environment: Environment) -> None:
    done = run("opentelemetry_traces.py", environment)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(line["trace_id"] for line in lines) == done.stderr.split()[2:]
    assert len(lines) == 10


@needs("opentelemetry.sdk")
def test_opentelemetry_metrics(environment: Environment) -> None:
    found, _ = json.JSONDecoder().raw_decode(run("opentelemetry_metrics.py", environment).stdout)
    [scope] = found["resource_metrics"][0]["scope_metrics"]
    metrics = {metric["name"]: metric["data"]["data_points"] for metric in scope["metrics"]}
    outcomes = {point["attributes"]["outcome"]: point["value"] for point in metrics["logflume.records"]}
    assert outcomes["handled"] == 100
    assert [point["value"] for point in metrics["logflume.pending"]] == [0]
    assert len(metrics["logflume.handler.time"]) == 1


# ---- servers ----


@needs("prometheus_client")
def test_prometheus_metrics(environment: Environment) -> None:
    command = [sys.executable, EXAMPLES / "prometheus_metrics.py", "0"]
    with started(command, env=environment, stderr=subprocess.PIPE, text=True) as program:
        assert program.stderr is not None
        found = re.search(r"http://\S+/metrics", program.stderr.readline())
        assert found
        with urllib.request.urlopen(found[0], timeout=30) as answer:
            text = answer.read().decode()
    assert "logflume_accepted_records_total 1.0" in text
    assert "logflume_handled_records_total 1.0" in text
    assert "logflume_pending_records 0.0" in text
    assert 'logflume_handler_records_total{handler="StreamHandler-0"} 1.0' in text


on_posix = pytest.mark.skipif(os.name != "posix", reason="ends servers by SIGTERM")


@on_posix
@needs("fastapi", "uvicorn")
def test_fastapi(environment: Environment) -> None:
    command = [sys.executable, "-m", "uvicorn", "--port", environment["PORT"], "fastapi_json:app"]
    _, output = serve(command, environment)
    lines = [json.loads(line) for line in output.splitlines()]
    read = [line for line in lines if line["message"] == "order read"]
    assert [line["order"] for line in read] == list(range(20))
    assert len({line["request_id"] for line in read}) == 20
    access = [line for line in lines if "GET /orders/" in line["message"]]
    assert {line["request_id"] for line in access} == {line["request_id"] for line in read}
    assert len(access) == 20
    assert {(line["level"], line["logger"]) for line in access} == {("INFO", "uvicorn.access")}


@on_posix
@needs("aiohttp")
def test_aiohttp(environment: Environment) -> None:
    serve([sys.executable, "aiohttp_service.py"], environment)
    lines = log_lines(environment)
    assert orders(lines) == list(range(20))
    assert len([line for line in lines if "aiohttp.access" in line]) == 20


@on_posix
@needs("django", "uvicorn")
def test_django(environment: Environment) -> None:
    command = [sys.executable, "-m", "uvicorn", "--port", environment["PORT"], "django_asgi:application"]
    serve(command, environment)
    assert orders(log_lines(environment)) == list(range(20))


@on_posix
@needs("flask", "gunicorn")
def test_flask_under_gunicorn(environment: Environment) -> None:
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers", "2"]
    serve([*command, "--bind", f"127.0.0.1:{environment['PORT']}", "flask_gunicorn:app"], environment)
    assert orders(log_lines(environment)) == list(range(20))


@on_posix
@needs("celery")
def test_celery(environment: Environment, tmp_path: Path) -> None:
    """With a queue in files in place of a broker."""
    environment = environment | {"BROKER": f"filesystem://{tmp_path}"}
    (tmp_path / "messages").mkdir()
    folders = ("data_folder_in", "data_folder_out", "control_folder")
    options = {name: str(tmp_path / "messages") for name in folders}
    program = (
        "import sys; from celery_worker import app, pay\n"
        f"app.conf.broker_transport_options = {options!r}\n"
        "if sys.argv[1:]: app.worker_main(sys.argv[1:])\n"
        "else: [pay.delay(order) for order in range(20)]\n"
    )
    program_file = tmp_path / "program.py"
    program_file.write_text(program)
    environment["PYTHONPATH"] = os.pathsep.join([str(EXAMPLES), environment.get("PYTHONPATH", "")])
    subprocess.run([sys.executable, program_file], env=environment, check=True, timeout=60)
    command = [sys.executable, program_file, "worker", "--concurrency", "2", "--loglevel", "info"]
    log = Path(environment["LOG"])

    def paid() -> list[tuple[str, str]]:
        return re.findall(r"^INFO (\S+) order (\d+) paid$", log.read_text() if log.exists() else "", re.M)

    given = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with started(command, **given) as worker:
        assert wait_until(lambda: len(paid()) == 20, 60)
        worker.send_signal(signal.SIGTERM)
        worker.wait(30)
    assert sorted(int(order) for _, order in paid()) == list(range(20))
    assert len({task for task, _ in paid()} - {"-"}) == 20
