"""A Celery worker: what Celery configures is moved behind a queue, and delivered when a worker process ends.

    pip install logflume celery
    celery --app celery_worker worker

Pitfall: Celery's TaskFormatter asks for the current task, which the listener's thread does not have. The filter takes
its id in the log call.
"""

import logging
import os
from typing import Any

from celery import Celery, current_task
from celery.signals import setup_logging, worker_process_shutdown, worker_shutdown

import logflume

app = Celery("celery_worker", broker=os.environ.get("BROKER", "memory://"))
log = logging.getLogger("shop")


class AddTaskId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.task_id = current_task.request.id if current_task else "-"
        return True


@setup_logging.connect
def configure(**keywords: Any) -> None:
    """Celery leaves logging alone when a function is connected to this signal."""
    handler = logging.FileHandler(os.environ.get("LOG", "app.log"))
    handler.addFilter(AddTaskId())
    logging.basicConfig(level=logging.INFO, handlers=[handler], format="%(levelname)s %(task_id)s %(message)s")
    logflume.setup_logging_queue(accelerate=True)


@worker_process_shutdown.connect
@worker_shutdown.connect
def deliver(**keywords: Any) -> None:
    """A worker process may end by os._exit()."""
    for handler in logging.getLogger().handlers:
        handler.flush()


@app.task
def pay(order: int) -> int:
    log.info("order %s paid", order)
    return order
