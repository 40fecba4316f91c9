"""FastAPI with JSON lines on stdout: request ids from a filter, uvicorn's access log behind the queue as well.

    pip install logflume fastapi uvicorn
    python fastapi_json.py

The lifespan's end delivers what is queued. Pitfall: without all_loggers=True uvicorn's own handlers stay attached.
"""

import contextlib
import contextvars
import logging
import logging.config
import os
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import uvicorn
from fastapi import FastAPI, Request, Response

import logflume

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="-")


class AddRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": AddRequestId}},
    "formatters": {"json": {"()": "logflume.JsonFormatter", "timestamp": True}},
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": "json",
            "filters": ["request_id"],
        }
    },
    "root": {"level": "INFO", "handlers": ["stdout"]},
    "loggers": {"uvicorn": {"level": "INFO"}, "uvicorn.access": {"level": "INFO"}},
}

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


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "8000"))
    sys.exit(uvicorn.run(app, port=port, log_config=LOGGING))
