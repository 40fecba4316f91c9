"""Flask under gunicorn with preloading: each worker has a listener of its own after the fork.

    pip install logflume flask gunicorn
    gunicorn --preload --workers 2 flask_gunicorn:app

The worker's end delivers what is queued. Pitfall: Flask's own handler writes to the stream of the current request, so
configure another one first.
"""

import logging
import os

from flask import Flask

import logflume

logging.basicConfig(
    level=logging.INFO,
    format="%(asctime)s %(process)d %(levelname)s %(name)s %(message)s",
    filename=os.environ.get("LOG", "app.log"),
)
logflume.setup_logging_queue(accelerate=True)

app = Flask("shop")


@app.get("/orders/<int:order>")
def get_order(order: int) -> dict[str, int]:
    app.logger.info("order %s read", order)
    return {"order": order}
