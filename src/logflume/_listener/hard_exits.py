"""Hard exits: the functions by which a program ends its own process, and which run no exit functions.

uvicorn, for one, shuts down at SIGTERM, restores the signal's default action and raises the signal again. Attached
handlers have written everything by then; what is in a queue has to be written first.
"""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from types import ModuleType
from typing import Any

# Their default action is not the end of the process.
_HARMLESS = "SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGWINCH SIGINFO".split()

_wrapped = False


def expect_hard_exits(deliver: Callable[[], None]) -> None:
    """Have `deliver()` called before this process ends by os._exit(), os.abort(), os.exec*() or a signal of its own.

    The functions are replaced in their modules, once: a server that ends so looks them up there. Code that imported
    one by name before keeps the original.
    """
    global _wrapped
    if _wrapped:
        return
    _wrapped = True
    always: Callable[..., bool] = lambda *_: True  # noqa: E731
    _wrap(os, "_exit", always, deliver)
    _wrap(os, "abort", always, deliver)
    _wrap(os, "execv", always, deliver)  # which the other os.exec*() call, or the next
    _wrap(os, "execve", always, deliver)
    _wrap(os, "kill", lambda pid, number, *_: _means_this(pid) and _ends_process(number), deliver)
    _wrap(os, "killpg", lambda group, number, *_: _means_this(-group) and _ends_process(number), deliver)
    _wrap(signal, "pthread_kill", lambda thread, number, *_: _ends_process(number), deliver)
    _wrap(signal, "raise_signal", lambda number, *_: _ends_process(number), deliver)


def _wrap(module: ModuleType, name: str, ends: Callable[..., bool], deliver: Callable[[], None]) -> None:
    original = getattr(module, name, None)
    if original is None:
        return  # on this platform

    @functools.wraps(original)
    def deliver_first(*args: Any, **kwargs: Any) -> Any:
        try:
            if ends(*args, *kwargs.values()):
                deliver()
        except BaseException:
            pass  # of a signal handler; or the arguments are wrong, which the original says
        return original(*args, **kwargs)

    deliver_first.__module__ = module.__name__  # where pickle finds it; the original's is posix
    if original in os.supports_fd:
        os.supports_fd.add(deliver_first)
    setattr(module, name, deliver_first)


def _means_this(pid: int) -> bool:
    """Return whether `pid` is, as os.kill() takes it, this process or its group."""
    return pid in (os.getpid(), 0) or (pid < 0 and pid == -os.getpgrp())


def _ends_process(number: int) -> bool:
    """Return whether the default action of signal `number` is in effect, and is to end the process."""
    harmless = {getattr(signal, name, None) for name in _HARMLESS}
    return number != 0 and number not in harmless and signal.getsignal(number) == signal.SIG_DFL
