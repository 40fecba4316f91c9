"""Waiting for a call that blocks, in a coroutine: under asyncio and trio, and so under anyio."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["call_in_thread"]


async def call_in_thread(function: Callable[[], object]) -> None:
    """Call `function` in a thread of its own, and wait for its end without blocking the event loop.

    A cancellation of the task takes effect then. Not in the loop's own pool of threads: all of them may be busy, and
    wait for what the loop does next.
    """
    trio = sys.modules.get("trio")
    if trio is not None and _is_in_trio(trio):
        await _wait_in_trio(trio, _Call(function))
        return
    asyncio = sys.modules.get("asyncio")
    loop = None
    if asyncio is not None:
        with contextlib.suppress(RuntimeError):
            loop = asyncio.get_running_loop()
    if loop is None:
        function()  # a library that is not known
    else:
        await _wait_in_asyncio(asyncio, loop, _Call(function))


class _Call:
    """A call in a thread, or here if none can be started; `when_done` is called after it, in that thread."""

    def __init__(self, function: Callable[[], object]) -> None:
        self.function = function
        self.error: BaseException | None = None

    def begin(self, when_done: Callable[[], object]) -> None:
        self.when_done = when_done
        try:
            threading.Thread(target=self._run, name="logflume stop", daemon=True).start()
        except RuntimeError:
            self._run()

    def _run(self) -> None:
        try:
            self.function()
        except BaseException as error:
            self.error = error
        with contextlib.suppress(RuntimeError):  # the loop was closed
            self.when_done()

    def end(self) -> None:
        if self.error is not None:
            raise self.error


def _is_in_trio(trio: Any) -> bool:
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True


async def _wait_in_trio(trio: Any, call: _Call) -> None:
    done = trio.Event()
    token = trio.lowlevel.current_trio_token()
    call.begin(lambda: token.run_sync_soon(done.set))
    with trio.CancelScope(shield=True):
        await done.wait()
    call.end()


async def _wait_in_asyncio(asyncio: Any, loop: Any, call: _Call) -> None:
    done = loop.create_future()
    call.begin(lambda: loop.call_soon_threadsafe(done.set_result, None))
    cancelled = None
    while not done.done():
        try:
            await asyncio.shield(done)
        except asyncio.CancelledError as error:
            cancelled = error
    call.end()
    if cancelled is not None:
        raise cancelled
