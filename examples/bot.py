"""A bot: a long-running asyncio program that must answer in time while it logs much.

    pip install logflume
    python bot.py

It prints how late the event loop was at most, with a handler as slow as a busy disk.
"""

import asyncio
import logging
import os
import time

import logflume

log = logging.getLogger("bot")


class SlowDisk(logging.FileHandler):
    def flush(self) -> None:
        super().flush()
        time.sleep(0.005)


async def heartbeat(beats: int) -> float:
    """Return by how many seconds the event loop was late at most."""
    late = 0.0
    for _ in range(beats):
        due = time.perf_counter() + 0.01
        await asyncio.sleep(0.01)
        late = max(late, time.perf_counter() - due)
    return late


async def answer(messages: int) -> None:
    for number in range(messages):
        log.info("message %d answered", number)
        await asyncio.sleep(0.001)


async def main() -> None:
    handler = SlowDisk(os.environ.get("LOG", "app.log"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], format="%(asctime)s %(name)s %(message)s")
    async with logflume.setup_logging_queue(accelerate=True):
        late, _ = await asyncio.gather(heartbeat(50), answer(300))
    print(f"the event loop was at most {1000 * late:.1f} ms late")


asyncio.run(main())
