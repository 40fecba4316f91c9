"""The thread of a listener: how it starts, or why it does not."""

from __future__ import annotations

import _thread
import logging
import os
import sys
import threading
from collections.abc import Callable
from contextvars import Context
from typing import Any

from .._shared.state import STOPPED
from .dispatch import Dispatcher
from .life import PATIENCE, Run
from .process import exit_has_come, expect_exit, threads_run
from .queue_handlers import QueueHandlers
from .sigterm import deliver_at_sigterm
from .worker import Worker


class Launcher:
    """Starts a thread for each run of the listener of `dispatcher`, which `queue_handlers` feed.

    look_up_handlers: returns the listener's handlers, if they are configured only after the listener; else None
    """

    def __init__(self, dispatcher: Dispatcher, queue_handlers: QueueHandlers) -> None:
        self.listener = dispatcher.listener
        self.dispatcher = dispatcher
        self.queue_handlers = queue_handlers
        self.look_up_handlers: Callable[[], tuple[logging.Handler, ...]] | None = None

    def launch(self, run: Run) -> None:
        """Start the thread of `run`, or, where none can be started, have the callers handle their records.

        May be interrupted anywhere, and be called again. What must not be interrupted is done by a thread in between:
        Thread.start() does not bear an exception of a signal handler, and these run in the main thread only.
        """
        if not threads_run():
            return
        if self.look_up_handlers is not None:
            self.listener.handlers = self.look_up_handlers()
            self.look_up_handlers = None
            self.queue_handlers.close_first()
        self.queue_handlers.reopen()
        if os.environ.get("LOGFLUME_DIRECT", "") not in ("", "0"):
            self._go_without_thread(run)
            return
        deliver_at_sigterm(self.listener)
        worker = Worker(self.listener, run, self.dispatcher, self.dispatcher.errors)
        try:
            thread = ListenerThread(worker.run)
            _thread.start_new_thread(self._start, (run, thread))
        except RuntimeError as error:  # no threads here (Pyodide, subinterpreters), no more of them, or exiting
            if type(error).__module__ != "builtins":
                raise  # of a signal handler
            self._go_without_thread(run)
        else:
            run.begun.wait(PATIENCE)

    def _start(self, run: Run, thread: threading.Thread) -> None:
        if not run.may_launch():
            return
        try:
            if exit_has_come():
                raise RuntimeError
            expect_exit(self.listener)
            thread.start()
        except Exception:  # as above, or there is no memory
            self._go_without_thread(run)
            self.dispatcher.deliver_here(self.listener.exit_timeout)

    def _go_without_thread(self, run: Run) -> None:
        if run.cancel():
            self.listener.state = STOPPED


class ListenerThread(threading.Thread):
    """Calls `run`. It is a daemon, but not to the code that runs in it.

    So the threads that a handler starts are no daemons, as if the thread that logged had started them.
    """

    def __init__(self, run: Callable[[], None]) -> None:
        # From 3.14 on a thread may begin with the contextvars of the thread that starts it.
        context: Any = {"context": Context()} if sys.version_info >= (3, 14) else {}
        super().__init__(target=run, name="logflume", **context)
        self._runs = False

    @property
    def daemon(self) -> bool:
        return not (self._runs and threading.get_ident() == self.ident)

    @daemon.setter
    def daemon(self, daemonic: bool) -> None:
        raise RuntimeError("a listener's thread is always a daemon")

    def run(self) -> None:
        self._runs = True
        super().run()


def on_listener_thread() -> bool:
    """Return whether the calling thread is that of a listener."""
    return isinstance(threading.current_thread(), ListenerThread)
