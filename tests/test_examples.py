"""The programs in examples/, and those of the pages, run as they stand.

Servers get requests and SIGTERM, and their lines are counted.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import pytest

from helpers import free_port, run_python, started, wait_until

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"

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


def serve(command: Sequence[str | Path], environment: Environment, folder: Path = EXAMPLES) -> tuple[int, str]:
    """Start a server, ask it for 20 orders, end it by SIGTERM; return its exit code and what it wrote to stdout."""
    with started(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as server:
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
    *lines, last = [json.loads(line) for line in run("structlog_json.py", environment).stdout.splitlines()]
    assert [line["order"] for line in lines] == list(range(100))
    assert {line["request_id"] for line in lines} == {"c0ffee"}
    assert last["exception"].endswith("KeyError: 'c0ffee'")


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


def run_celery(command: Sequence[str], environment: Environment, module: str, folder: Path) -> list[tuple[str, str]]:
    """Run a worker with a queue in files in place of a broker; return the tasks that the log tells, by id and order."""
    (folder / "messages").mkdir()
    options = {name: str(folder / "messages") for name in ("data_folder_in", "data_folder_out", "control_folder")}
    (folder / "with_files.py").write_text(
        f"from {module} import app, pay\n"
        f"app.conf.update(broker_url='filesystem://', broker_transport_options={options!r})\n"
        "if __name__ == '__main__': [pay.delay(order) for order in range(20)]\n"
    )
    run_python("with_files.py", cwd=folder, env=environment)
    log = Path(environment["LOG"])

    def paid() -> list[tuple[str, str]]:
        return re.findall(r"^\w+[: ](\S+?)[: ]order (\d+) paid$", log.read_text() if log.exists() else "", re.M)

    given = {"cwd": folder, "env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with started([sys.executable, "-m", *command], **given) as worker:
        assert wait_until(lambda: len(paid()) == 20, 60)
        worker.send_signal(signal.SIGTERM)
        worker.wait(30)
    return paid()


@on_posix
@needs("celery")
def test_celery(environment: Environment, tmp_path: Path) -> None:
    environment["PYTHONPATH"] = os.pathsep.join([str(EXAMPLES), environment.get("PYTHONPATH", "")])
    command = ["celery", "--app", "with_files", "worker", "--concurrency", "2", "--loglevel", "info"]
    paid = run_celery(command, environment, "celery_worker", tmp_path)
    assert sorted(int(order) for _, order in paid) == list(range(20))
    assert len({task for task, _ in paid} - {"-"}) == 20


# ---- the programs of the pages, each with the command below it ----

PAGES = ROOT / "docs"
START = PAGES / "start.md", "A FastAPI or Starlette service"
FRAMEWORKS = PAGES / "frameworks.md"
PORT_OPTIONS = {"uvicorn": "--port", "granian": "--port", "gunicorn": "--bind", "hypercorn": "--bind"}


def section(page: Path, heading: str) -> str:
    return page.read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]


def program(page: Path, heading: str) -> str:
    return re.findall(r"^```python\n(.*?)^```$", section(page, heading), re.S | re.M)[0]


def commands(page: Path, heading: str) -> list[str]:
    """Those in console blocks, and in tables whose last column has one."""
    found = re.findall(r"^\$ (.*)$|^\| .* \| `([^`]*)` \|$", section(page, heading), re.M)
    return [command for pair in found for command in pair if command and not command.startswith("pip ")]


def serve_page(text: str, command: str, environment: Environment, folder: Path) -> list[str]:
    """Start the program with the command, on a free port, and return the lines that it logged."""
    port = environment["PORT"]
    (folder / "app.py").write_text(text.replace("port=8080", f"port={port}"))
    name, *options = shlex.split(command.replace(":8000", f"127.0.0.1:{port}"))
    if name in PORT_OPTIONS:
        address = port if PORT_OPTIONS[name] == "--port" else f"127.0.0.1:{port}"
        options = [*options, PORT_OPTIONS[name], address]
    start = {"python": [sys.executable], "uwsgi": [str(Path(sys.executable).with_name("uwsgi"))]}
    _, output = serve([*start.get(name, [sys.executable, "-m", name]), *options], environment, folder)
    log = Path(environment["LOG"])
    return [*output.splitlines(), *(log.read_text().splitlines() if log.exists() else ())]


@on_posix
@needs("fastapi", "uvicorn")
@pytest.mark.parametrize("place", [(ROOT / "README.md", "A FastAPI service in five minutes"), START])
def test_the_service_of_the_first_page(environment: Environment, tmp_path: Path, place: tuple[Path, str]) -> None:
    [command] = commands(*place)
    lines = [json.loads(line) for line in serve_page(program(*place), command, environment, tmp_path)]
    assert orders([line["message"] for line in lines if line["name"] == "shop"]) == list(range(20))
    access = [line for line in lines if line["name"] == "uvicorn.access"]
    assert len([line for line in access if "GET /orders/" in line["message"]]) == 20


@on_posix
@needs("fastapi", "uvicorn", "uvicorn_worker", "hypercorn", "granian")
@pytest.mark.parametrize("command", commands(FRAMEWORKS, "FastAPI and Starlette"))
def test_servers_of_the_page(environment: Environment, tmp_path: Path, command: str) -> None:
    assert orders(serve_page(program(*START), command, environment, tmp_path)) == list(range(20))


@on_posix
@needs("aiohttp")
def test_aiohttp_of_the_page(environment: Environment, tmp_path: Path) -> None:
    [command] = commands(FRAMEWORKS, "aiohttp")
    lines = serve_page(program(FRAMEWORKS, "aiohttp"), command, environment, tmp_path)
    assert orders(lines) == list(range(20))
    assert len([line for line in lines if line.startswith("INFO:aiohttp.access:")]) == 20


@on_posix
@needs("django", "gunicorn")
def test_django_of_the_page(environment: Environment, tmp_path: Path) -> None:
    site = tmp_path / "mysite"
    site.mkdir()
    (site / "settings.py").write_text(
        program(FRAMEWORKS, "Django")
        + "ROOT_URLCONF = 'mysite.wsgi'\nALLOWED_HOSTS = ['*']\nSECRET_KEY = 'an example'\n"
    )
    (site / "wsgi.py").write_text(
        "import logging, os\n"
        "from django.core.wsgi import get_wsgi_application\n"
        "from django.http import HttpResponse\n"
        "from django.urls import path\n"
        "def view(request, order):\n"
        "    logging.getLogger('shop').info('order %d read', order)\n"
        "    return HttpResponse()\n"
        "urlpatterns = [path('orders/<int:order>', view)]\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'mysite.settings'\n"
        "application = get_wsgi_application()\n"
    )
    [command] = commands(FRAMEWORKS, "Django")
    assert orders(serve_page("", command, environment, tmp_path)) == list(range(20))


@on_posix
@needs("flask", "gunicorn")
def test_flask_of_the_page(environment: Environment, tmp_path: Path) -> None:
    heading = "Flask and other WSGI applications"
    [command] = commands(FRAMEWORKS, heading)
    assert orders(serve_page(program(FRAMEWORKS, heading), command, environment, tmp_path)) == list(range(20))


@on_posix
@needs("flask", "pyuwsgi")
def test_uwsgi_of_the_page(environment: Environment, tmp_path: Path) -> None:
    [command] = commands(FRAMEWORKS, "uWSGI")
    text = program(FRAMEWORKS, "Flask and other WSGI applications")
    assert orders(serve_page(text, command, environment, tmp_path)) == list(range(20))


@on_posix
@needs("celery")
def test_celery_of_the_page(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(program(FRAMEWORKS, "Celery").replace("redis://", "filesystem://"))
    [command] = commands(FRAMEWORKS, "Celery")
    paid = run_celery(shlex.split(command.replace("--app app", "--app with_files")), environment, "app", tmp_path)
    assert sorted(int(order) for _, order in paid) == list(range(20))


def test_conftest_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")  # no other configuration, from a folder above
    (tmp_path / "conftest.py").write_text(program(FRAMEWORKS, "pytest"))
    (tmp_path / "test_shop.py").write_text(
        "import logging, logflume\n"
        "def test_order(caplog, tmp_path):\n"
        "    file = tmp_path / 'app.log'\n"
        "    logging.getLogger().addHandler(logging.FileHandler(file))\n"
        "    with logflume.setup_logging_queue():\n"
        "        logging.getLogger().warning('order read')\n"
        "        assert file.read_text() == 'order read\\n'\n"
        "    assert caplog.messages == ['order read']\n"
    )
    done = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
