"""Django under an ASGI server, all in one file: the queue handler stands in LOGGING.

    pip install logflume django uvicorn
    uvicorn django_asgi:application

The first record starts the listener, in each process, and the server's end delivers what is queued. Pitfall: LOGGING is
applied when Django is set up, so what logs before that is not queued.
"""

import logging
import os

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

import logflume

settings.configure(
    DEBUG=False,
    SECRET_KEY="an example",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    LOGGING={
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
        "handlers": {
            "file": {
                "class": "logging.FileHandler",
                "filename": os.environ.get("LOG", "app.log"),
                "formatter": "line",
            },
            "queue": {"()": "logflume.LocalQueueHandler", "handlers": ["file"]},
        },
        "root": {"level": "INFO", "handlers": ["queue"]},
    },
)
django.setup()
logflume.accelerate_loggers()


async def get_order(request: HttpRequest, order: int) -> JsonResponse:
    logging.getLogger("shop").info("order %s read", order)
    return JsonResponse({"order": order})


urlpatterns = [path("orders/<int:order>", get_order)]
application = get_asgi_application()
