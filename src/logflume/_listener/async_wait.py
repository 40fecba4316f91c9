"""Waiting for a call that blocks, in a coroutine: under asyncio and trio, and so under uvloop and anyio."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from .._shared.event_loops import asyncio_loop, is_in_trio

Result = TypeVar("Result")


async def call_in_thread(function: Callable[[], Result], when_cancelled: Callable[[], object] | None = None) -> Result:
    """Return what `function` returns, called in a thread of its own, without blocking the event loop.

    A cancellation of the task takes effect when the function has returned; or at once, with `when_cancelled`: then that
    is called, and the function goes on. Not in the loop's own pool of threads: all of them may be busy, and wait for
    what the loop does next.
    """
    call = _Call(function)
    loop = asyncio_loop()
    if is_in_trio():
        wait = _wait_in_trio(call, shield=when_cancelled is None)
    elif loop is not None:
        wait = _wait_in_asyncio(loop, call, shield=when_cancelled is None)
    else:
        return function()  # a library that is not known
    try:
        await wait
    except BaseException:
        if when_cancelled is not None:
            when_cancelled()
        raise
    return call.result()  # type: ignore[no-any-return]


class _Call:
    """A call in a thread, or here if none can be started; `when_done` is called after it, in that thread."""

    def __init__(self, function: Callable[[], object]) -> None:
        self.function = function
        self.returned: Any = None
        self.error: BaseException | None = None

    def begin(self, when_done: Callable[[], object]) -> None:
        self.when_done = when_done
        try:
            threading.Thread(target=self._run, name="logflume wait", daemon=True).start()
        except RuntimeError:
            self._run()

    def _run(self) -> None:
        try:
            self.returned = self.function()
        except BaseException as error:
            self.error = error
        with contextlib.suppress(RuntimeError):  # the loop was closed
            self.when_done()

    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.returned


async def _wait_in_trio(call: _Call, shield: bool) -> None:
    trio: Any = sys.modules["trio"]
    done = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def when_done() -> None:
        with contextlib.suppress(trio.RunFinishedError):
            token.run_sync_soon(done.set)

    call.begin(when_done)
    with trio.CancelScope(shield=shield):
        await done.wait()


async def _wait_in_asyncio(loop: Any, call: _Call, shield: bool) -> None:
    asyncio: Any = sys.modules["asyncio"]
    done = loop.create_future()
    call.begin(lambda: loop.call_soon_threadsafe(_set, done))
    if not shield:
        await done
        return
    cancelled = None
    while not done.done():
        try:
            await asyncio.shield(done)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        call.result()  # an error of the call comes first
        raise cancelled


def _set(done: Any) -> None:
    if not done.done():  # else it was cancelled
        done.set_result(None)
