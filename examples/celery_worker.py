"""A Celery worker: each process has a listener of its own, and delivers what is queued when it ends.

    pip install logflume celery
    celery --app celery_worker worker --loglevel info

Pitfall: Celery's TaskFormatter asks for the current task, which the listener's thread does not have. The filter takes
its id in the log call.
"""

import logging
import os
from typing import Any

from celery import Celery, current_task
from celery.signals import setup_logging

import logflume

app = Celery("celery_worker", broker=os.environ.get("BROKER", "memory://"))
log = logging.getLogger("shop")


class AddTaskId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.task_id = current_task.request.id if current_task else "-"
        return True


@setup_logging.connect
def configure(loglevel: int, **keywords: Any) -> None:
    """Celery leaves logging alone when a function is connected to this signal; forked workers inherit the set-up."""
    handler = logging.FileHandler(os.environ.get("LOG", "app.log"))
    handler.addFilter(AddTaskId())
    logging.basicConfig(level=loglevel, handlers=[handler], format="%(levelname)s %(task_id)s %(message)s")
    logflume.setup_logging_queue(accelerate=True)


@app.task
def pay(order: int) -> int:
    log.info("order %s paid", order)
    return order
