"""FastAPI with JSON lines on stdout: request ids from a filter, uvicorn's access log behind the queue as well.

    pip install logflume fastapi uvicorn
    uvicorn fastapi_json:app

The lifespan's end delivers what is queued. Pitfall: uvicorn configures its loggers before it imports this module, so
the dictionary names them; else the access log would stay as it is, and without a request id.
"""

import contextlib
import contextvars
import logging
import logging.config
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi import FastAPI, Request, Response

import logflume
from logflume.json_formatter import RESERVED_ATTRS

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="-")


class AddRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": AddRequestId}},
    "formatters": {
        "json": {
            "()": "logflume.JsonFormatter",
            "fmt": "%(levelname)s %(name)s %(message)s",
            "rename_fields": {"levelname": "level", "name": "logger"},
            "timestamp": True,
            # uvicorn gives its records a second text, with colours
            "reserved_attrs": [*RESERVED_ATTRS, "color_message"],
        }
    },
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": "json",
            "filters": ["request_id"],
        }
    },
    "root": {"level": "INFO", "handlers": ["stdout"]},
    # uvicorn's own handlers give way to that of the root logger
    "loggers": {name: {"handlers": [], "propagate": True} for name in ("uvicorn", "uvicorn.access")},
}
logging.config.dictConfig(LOGGING)

log = logging.getLogger("shop")


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with logflume.setup_logging_queue(all_loggers=True, accelerate=True):
        yield


app = FastAPI(lifespan=lifespan)


@app.middleware("http")
async def name_request(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    request_id.set(request.headers.get("x-request-id", uuid.uuid4().hex))
    return await call_next(request)


@app.get("/orders/{order}")
async def get_order(order: int) -> dict[str, int]:
    log.info("order read", extra={"order": order})
    return {"order": order}
