"""An application for tests/test_servers.py: ten records for each request, into a sink that is slow.

The environment says how logging is set up: SET_UP is one of SET_UPS, or empty if the server's configuration does it.
"""

from __future__ import annotations

import asyncio
import logging
import logging.config
import os
import queue
import signal
import sys
from pathlib import Path
from typing import Any

import logflume
from server_sink import FORMAT, Slow

RECORDS = 10

# For the server, or for dictConfig().
CONFIG = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"named": {"format": FORMAT}},
    "handlers": {
        "slow": {"class": "server_sink.Slow", "formatter": "named"},
        "queue": {"()": "logflume.LocalQueueHandler", "handlers": ["slow"]},
    },
    "root": {"level": "INFO", "handlers": ["queue"]},
    # The servers add handlers of their own to loggers that are not named.
    "loggers": {name: {"level": "INFO", "handlers": []} for name in ("gunicorn.error", "gunicorn.access", "_granian")},
}

INI = f"""
[loggers]
keys=root
[handlers]
keys=slow,queue
[formatters]
keys=named
[logger_root]
level=INFO
handlers=queue
[handler_slow]
class=server_sink.Slow
formatter=named
[handler_queue]
class=logflume.LocalQueueHandler
kwargs={{'handlers': ['slow']}}
[formatter_named]
format={FORMAT}
"""


def slow() -> Slow:
    handler = Slow()
    handler.setFormatter(logging.Formatter(FORMAT))
    return handler


def moved() -> logflume.QueueListener:
    logging.root.addHandler(slow())
    logging.root.setLevel(logging.INFO)
    return logflume.setup_logging_queue(exit_timeout=float(os.environ.get("EXIT_TIMEOUT", "10")))


def by_hand() -> None:
    logging.root.addHandler(logflume.LocalQueueHandler(handlers=[slow()]))
    logging.root.setLevel(logging.INFO)


def own_listener() -> logflume.QueueListener:
    records: queue.SimpleQueue[Any] = queue.SimpleQueue()
    handler = logflume.LocalQueueHandler(records)
    handler.listener = logflume.QueueListener(records, slow())
    handler.listener.start()
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.INFO)
    return handler.listener


def file_config() -> None:
    path = Path(os.environ["SINK"] + f".{os.getpid()}.ini")
    path.write_text(INI)
    logging.config.fileConfig(path, disable_existing_loggers=False)


SET_UPS = {
    "setup_logging_queue": moved,
    "dictConfig": lambda: logging.config.dictConfig(CONFIG),
    "fileConfig": file_config,
    "by hand": by_hand,
    "own listener": own_listener,
}
IN_LIFESPAN = {"lifespan": moved, "async with": moved}

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
if os.environ.get("IGNORE_SIGTERM"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

SET_UP = os.environ.get("SET_UP", "")
if SET_UP in SET_UPS:
    kept = SET_UPS[SET_UP]()

logger = logging.getLogger("server_app")


def log(path: str) -> None:
    for i in range(RECORDS):
        logger.info("request %s record %d", path, i)


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    log(scope["path"])
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", b"2"), (b"connection", b"close")],
        }
    )
    await send({"type": "http.response.body", "body": b"ok"})


async def lifespan(receive: Any, send: Any) -> None:
    await receive()
    listener = IN_LIFESPAN[SET_UP]() if SET_UP in IN_LIFESPAN else None
    await send({"type": "lifespan.startup.complete"})
    await receive()
    if SET_UP == "async with" and listener is not None:
        async with listener:
            pass
    await send({"type": "lifespan.shutdown.complete"})


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    log(environ["PATH_INFO"])
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


# `python -m server_app KIND PORT`: servers that a program runs itself.


def run_uvicorn(port: int) -> None:
    import uvicorn

    uvicorn.run(asgi, port=port, log_config=None)


def serve_uvicorn(port: int) -> None:
    import uvicorn

    asyncio.run(uvicorn.Server(uvicorn.Config(asgi, port=port, log_config=None)).serve())


def run_wsgiref(port: int) -> None:
    from wsgiref.simple_server import make_server

    make_server("127.0.0.1", port, wsgi).serve_forever()


def run_django(port: int) -> None:
    from django.conf import settings
    from django.core.management import execute_from_command_line
    from django.http import HttpResponse
    from django.urls import path

    def view(request: Any, number: str) -> Any:
        log(number)
        return HttpResponse(b"ok")

    urls: Any = type(sys)("server_app_urls")
    urls.urlpatterns = [path("<str:number>", view)]
    sys.modules["server_app_urls"] = urls
    settings.configure(
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="none",
        ROOT_URLCONF="server_app_urls",
        LOGGING_CONFIG="logging.config.dictConfig" if not SET_UP else None,
        LOGGING=CONFIG,
    )
    execute_from_command_line(["manage", "runserver", "--noreload", str(port)])


if __name__ == "__main__":
    kinds = {"run": run_uvicorn, "serve": serve_uvicorn, "wsgiref": run_wsgiref, "django": run_django}
    kinds[sys.argv[1]](int(sys.argv[2]))
