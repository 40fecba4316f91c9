"""The handlers, formatters and filters that services have, all of the standard library's loggers."""

from __future__ import annotations

import contextvars
import logging
import logging.handlers
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
CALL = 'log.info("order %d of %s", i, "x", extra={"order": i})'
ACCESS_CALL = """log.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5000", "GET", f"/orders/{i}", "1.1", 200)"""
ACCESS_FORMAT = '%(levelprefix)s %(client_addr)s - "%(request_line)s" %(status_code)s'

request_id = contextvars.ContextVar("request_id", default="-")


@dataclass(frozen=True)
class Configuration:
    """Handlers by the names of their loggers, what is called, and where its lines are to be found."""

    label: str
    handlers: Callable[[str], dict[str, list[logging.Handler]]]  # from the path of the file
    sinks: Sequence[str] = ("file",)  # of these: file, stdout
    style: str = "text"
    logger: str = "a.b.c"
    call: str = CALL
    package: str = ""

    def attach(self, path: str) -> None:
        """Put the handlers on their loggers."""
        for name, handlers in self.handlers(path).items():
            logger = logging.getLogger(name)
            logger.handlers = handlers
            logger.setLevel(logging.INFO)
            logger.propagate = False


class RequestId(logging.Filter):
    """Attach the id of the request, as services with contextvars do."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class FormatterSubclass(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return super().format(record)


class FileSubclass(logging.FileHandler):
    pass


class PythonHandler(logging.Handler):
    """A handler that takes its records one at a time."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.file = open(path, "a")  # noqa: SIM115

    def emit(self, record: logging.LogRecord) -> None:
        self.file.write(self.format(record) + "\n")
        self.file.flush()


def with_(
    handler: logging.Handler,
    formatter: logging.Formatter | None = None,
    *filters: logging.Filter,
    level: int = logging.NOTSET,
) -> logging.Handler:
    handler.setFormatter(formatter or logging.Formatter(FORMAT))
    handler.setLevel(level)
    for each in filters:
        handler.addFilter(each)
    return handler


def file(path: str) -> logging.Handler:
    return logging.FileHandler(path)


def stdout() -> logging.Handler:
    return logging.StreamHandler(sys.stdout)


def on_root(*handlers: logging.Handler) -> dict[str, list[logging.Handler]]:
    return {"": list(handlers)}


def json_formatter() -> logging.Formatter:
    from pythonjsonlogger.json import JsonFormatter

    return JsonFormatter(FORMAT)


def uvicorn_default() -> logging.Formatter:
    from uvicorn.logging import DefaultFormatter

    return DefaultFormatter("%(levelprefix)s %(message)s", use_colors=False)


def uvicorn_access() -> logging.Formatter:
    from uvicorn.logging import AccessFormatter

    return AccessFormatter(ACCESS_FORMAT, use_colors=False)


def colorlog() -> logging.Formatter:
    import colorlog

    return colorlog.ColoredFormatter("%(log_color)s" + FORMAT, force_color=True)


def structlog_formatter() -> logging.Formatter:
    import structlog

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )


def rotating(path: str) -> logging.Handler:
    return logging.handlers.RotatingFileHandler(path, maxBytes=1 << 40, backupCount=3)


def midnight(path: str) -> logging.Handler:
    return logging.handlers.TimedRotatingFileHandler(path, "midnight")


PIPE = ("stdout",)
JSON = "python-json-logger"
ALL = {
    configuration.label: configuration
    for configuration in (
        Configuration("file", lambda path: on_root(with_(file(path)))),
        Configuration("stdout", lambda path: on_root(with_(stdout())), PIPE),
        Configuration("file and stdout", lambda path: on_root(with_(file(path)), with_(stdout())), ("file", "stdout")),
        Configuration(
            "file, errors to another",
            lambda path: on_root(with_(file(path)), with_(file(path + ".errors"), level=logging.ERROR)),
        ),
        Configuration("rotating file", lambda path: on_root(with_(rotating(path)))),
        Configuration("file for each day", lambda path: on_root(with_(midnight(path)))),
        Configuration("watched file", lambda path: on_root(with_(logging.handlers.WatchedFileHandler(path)))),
        Configuration(
            "file, `{` style",
            lambda path: on_root(
                with_(file(path), logging.Formatter("{asctime} {levelname} {name} {message}", style="{"))
            ),
        ),
        Configuration(
            "file, date format",
            lambda path: on_root(with_(file(path), logging.Formatter(FORMAT, "%Y-%m-%d %H:%M:%S"))),
        ),
        Configuration("file, filter by name", lambda path: on_root(with_(file(path), None, logging.Filter("a")))),
        Configuration(
            "file, request-id filter",
            lambda path: on_root(
                with_(
                    file(path),
                    logging.Formatter("%(asctime)s %(levelname)s %(request_id)s %(message)s"),
                    RequestId(),
                )
            ),
        ),
        Configuration(
            "JSON file", lambda path: on_root(with_(file(path), json_formatter())), style="json", package=JSON
        ),
        Configuration(
            "JSON stdout", lambda path: on_root(with_(stdout(), json_formatter())), PIPE, "json", package=JSON
        ),
        Configuration(
            "JSON stdout, request-id filter",
            lambda path: on_root(with_(stdout(), json_formatter(), RequestId())),
            PIPE,
            "json",
            package=JSON,
        ),
        Configuration(
            "uvicorn's default format",
            lambda path: on_root(with_(stdout(), uvicorn_default())),
            PIPE,
            "uvicorn",
            package="uvicorn",
        ),
        Configuration(
            "uvicorn's access format",
            lambda path: {
                "": [with_(stdout(), uvicorn_default())],
                "uvicorn.access": [with_(stdout(), uvicorn_access())],
            },
            PIPE,
            "uvicorn",
            "uvicorn.access",
            ACCESS_CALL,
            package="uvicorn",
        ),
        Configuration("subclass of Formatter", lambda path: on_root(with_(file(path), FormatterSubclass(FORMAT)))),
        Configuration("subclass of FileHandler", lambda path: on_root(with_(FileSubclass(path)))),
        Configuration("colorlog stdout", lambda path: on_root(with_(stdout(), colorlog())), PIPE, package="colorlog"),
        Configuration(
            "structlog's formatter, stdout",
            lambda path: on_root(with_(stdout(), structlog_formatter())),
            PIPE,
            "json",
            package="structlog",
        ),
        Configuration("handler in Python", lambda path: on_root(with_(PythonHandler(path)))),
    )
}
