"""aiohttp with its access log behind the queue.

    pip install logflume aiohttp
    python aiohttp_service.py

The clean-up context's end delivers what is queued: it comes first in the list, so that it ends last. Pitfall: outside
of debug mode run_app() gives the access log no handler and no level, so the root logger gets both here.
"""

import logging
import os
from collections.abc import AsyncIterator

from aiohttp import web

import logflume


async def logging_queue(app: web.Application) -> AsyncIterator[None]:
    async with logflume.setup_logging_queue(all_loggers=True, accelerate=True):
        yield


async def get_order(request: web.Request) -> web.Response:
    logging.getLogger("shop").info("order %s read", request.match_info["order"])
    return web.json_response({"order": request.match_info["order"]})


app = web.Application()
app.cleanup_ctx.append(logging_queue)
app.router.add_get("/orders/{order}", get_order)

if __name__ == "__main__":
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        filename=os.environ.get("LOG", "app.log"),
    )
    web.run_app(app, port=int(os.environ.get("PORT", "8000")), print=None)
