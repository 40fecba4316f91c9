"""Servers that end by a signal deliver all that was logged, however logging was set up, into a sink that is slow.

Each test runs a server as a process of its own. A server that is not installed is skipped: `make test-compat` installs
them all. What they have to do with logging is the same in both cores; the tests run the one that the environment asks
for.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import server_app
from helpers import environment, free_port, needs_fork, not_delivered, started

pytestmark = needs_fork

REQUESTS = 20

UVICORN = "-m uvicorn server_app:asgi --port {port}"
# uvicorn_worker does not end at SIGINT, with or without logflume, until gunicorn's time is up.
GUNICORN = "-m gunicorn --bind 127.0.0.1:{port} --graceful-timeout 4"
HYPERCORN = "-m hypercorn server_app:asgi --bind 127.0.0.1:{port}"
GRANIAN = "-m granian --port {port}"

# The arguments of the interpreter.
SERVERS = {
    "uvicorn": UVICORN,
    "uvicorn --workers": UVICORN + " --workers 2",
    "uvicorn --reload": UVICORN + " --reload",
    "uvicorn.run()": "-m server_app run {port}",
    "uvicorn.Server.serve()": "-m server_app serve {port}",
    "gunicorn": GUNICORN + " server_app:wsgi",
    "gunicorn --preload": GUNICORN + " --preload server_app:wsgi",
    "gunicorn gthread": GUNICORN + " -k gthread --threads 4 server_app:wsgi",
    "gunicorn gthread --preload": GUNICORN + " -k gthread --threads 4 --preload server_app:wsgi",
    "gunicorn uvicorn_worker": GUNICORN + " -k uvicorn_worker.UvicornWorker server_app:asgi",
    "gunicorn uvicorn_worker --preload": GUNICORN + " -k uvicorn_worker.UvicornWorker --preload server_app:asgi",
    "hypercorn": HYPERCORN,
    "hypercorn --workers": HYPERCORN + " --workers 2",
    "granian asgi": GRANIAN + " --interface asgi server_app:asgi",
    "granian wsgi": GRANIAN + " --interface wsgi server_app:wsgi",
    "django runserver --noreload": "-m server_app django {port}",
    "wsgiref": "-m server_app wsgiref {port}",
}

# How a server is given a configuration.
CONFIGURED = {
    "uvicorn": ["--log-config", "{config}"],
    "gunicorn": ["--log-config-json", "{config}"],
    "hypercorn": ["--log-config", "json:{config}"],
    "granian": ["--log-config", "{config}"],
    "django": [],
}

# How each ends without logflume, where that is not with 0.
CODES = {
    ("uvicorn", "SIGTERM"): -signal.SIGTERM,
    ("uvicorn.run()", "SIGTERM"): -signal.SIGTERM,
    ("uvicorn.Server.serve()", "SIGTERM"): -signal.SIGTERM,
    ("uvicorn.Server.serve()", "SIGINT"): -signal.SIGINT,
    ("django runserver --noreload", "SIGTERM"): -signal.SIGTERM,
    ("wsgiref", "SIGTERM"): -signal.SIGTERM,
    ("wsgiref", "SIGINT"): -signal.SIGINT,
}


def kind(server: str) -> str:
    """The package that has to be installed, or wsgiref."""
    return server.replace(".", " ").split()[0]


def set_ups(server: str) -> list[str]:
    of_app = [way for way in server_app.SET_UPS if server == "uvicorn" or way not in ("fileConfig", "own listener")]
    if "asgi" in SERVERS[server] or kind(server) == "uvicorn":
        of_app += server_app.IN_LIFESPAN
    return of_app + (["configuration"] if kind(server) in CONFIGURED and "()" not in server else [])


# At SIGINT a way to set up in the application, and one beside it, stand for the others.
CELLS = [
    pytest.param(server, set_up, name, id=f"{server}-{set_up}-{name}")
    for server in SERVERS
    for name in ("SIGTERM", "SIGINT")
    for set_up in set_ups(server)
    if name == "SIGTERM" or set_up in ("setup_logging_queue", "configuration")
]


def get(port: int, number: int) -> None:
    """Returns when the server has closed the connection: wsgiref catches a KeyboardInterrupt in a request."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"GET /{number} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode())
        response = b"".join(iter(functools.partial(connection.recv, 4096), b""))
    assert b"\r\n\r\n" in response
    assert b"ok" in response.split(b"\r\n\r\n", 1)[1]


def get_first(port: int, process: subprocess.Popen[bytes], errors: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            return get(port, 0)
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(errors.read_text())
            time.sleep(0.05)


def run(tmp_path: Path, server: str, set_up: str, name: str, **more: str) -> tuple[int, list[str], str]:
    """Run `server`, send requests and then the signal `name`; return the exit code, the sink's lines, and stderr."""
    for module in [kind(server), *(["uvicorn_worker"] if "uvicorn_worker" in server else [])]:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    port = free_port()
    sink, errors, config = tmp_path / "sink", tmp_path / "errors", tmp_path / "config.json"
    config.write_text(json.dumps(server_app.CONFIG))
    command = SERVERS[server].format(port=port).split()
    if set_up == "configuration":
        command += [option.format(config=config) for option in CONFIGURED[kind(server)]]
    env = environment(SINK=str(sink), SET_UP="" if set_up == "configuration" else set_up, **more)
    given = {"env": env, "cwd": tmp_path}
    with (
        open(errors, "wb") as stderr,
        started([sys.executable, *command], stdout=stderr, stderr=stderr, **given) as process,
    ):
        get_first(port, process, errors)
        for number in range(1, REQUESTS):
            get(port, number)
        time.sleep(0.1)  # the server is in its loop again
        process.send_signal(getattr(signal, name))
        code = process.wait(60)
    return code, sink.read_text().splitlines(), errors.read_text()


@pytest.mark.parametrize(("server", "set_up", "name"), CELLS)
def test_all_is_delivered(tmp_path: Path, server: str, set_up: str, name: str) -> None:
    # When its first worker has come to its end, hypercorn ends the others by SIGTERM.
    ignore = "1" if server == "hypercorn --workers" else ""
    code, lines, stderr = run(tmp_path, server, set_up, name, IGNORE_SIGTERM=ignore)
    handled = [line for line in lines if line.startswith("server_app ")]
    assert len(handled) == REQUESTS * server_app.RECORDS, stderr
    assert code == CODES.get((server, name), 0), stderr
    if kind(server) == "uvicorn" and set_up == "configuration":
        assert any("Finished server process" in line for line in lines)


@pytest.mark.parametrize("set_up", ["setup_logging_queue", "lifespan", "async with"])
@pytest.mark.parametrize("server", ["uvicorn", "uvicorn --workers", "gunicorn", "hypercorn"])
def test_a_sink_that_hangs_does_not_keep_the_server(tmp_path: Path, server: str, set_up: str) -> None:
    if set_up not in set_ups(server):
        pytest.skip("WSGI has no lifespan")
    code, _, stderr = run(tmp_path, server, set_up, "SIGTERM", SINK_SECONDS="3600", EXIT_TIMEOUT="0.5")
    assert code == CODES.get((server, "SIGTERM"), 0), stderr
    assert any(seconds >= 0.5 for _, seconds in not_delivered(stderr)), stderr
