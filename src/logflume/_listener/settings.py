"""Checks of what a user gives: an error names the parameter and what it takes, a warning the line of the call."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterable
from typing import Any

CO_COROUTINE = 0x80
_OURS = ("logflume", "logging")  # packages whose frames are not the user's


def warn(message: str) -> None:
    """Warn of `message`, with the place of the nearest call that is not of logging's or this package's."""
    stacklevel = 2
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in _OURS:
        frame = frame.f_back
        stacklevel += 1
    warnings.warn(f"logflume: {message}", UserWarning, stacklevel=stacklevel)


def function(given: Any, name: str) -> Any:
    """Return `given`, a function or None."""
    if given is not None and not callable(given):
        raise TypeError(f"{name} takes a function or None, not {given!r}")
    return given


def seconds(given: Any, name: str) -> float:
    """Return a time in seconds, as long as threads can wait at most."""
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise TypeError(f"{name} takes a number of seconds, not {given!r}")
    if not given >= 0:  # nor NaN
        raise ValueError(f"{name} takes 0 or more seconds, not {given!r}")
    return min(given, threading.TIMEOUT_MAX)


def records(given: Any, name: str) -> int | None:
    """Return `given`, a number of records or None."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int):
        raise TypeError(f"{name} takes a number of records (an int), or None, not {given!r}")
    if given < 1:
        raise ValueError(f"{name} takes a number of records, at least 1, or None, not {given!r}")
    return given


def choice(given: Any, name: str, choices: tuple[str, ...]) -> str:
    """Return `given`, which is one of `choices`."""
    if given not in choices:
        raise ValueError(f"{name} takes {', '.join(map(repr, choices[:-1]))} or {choices[-1]!r}, not {given!r}")
    return str(given)


def level(given: Any, name: str) -> int:
    """Return the number of a level, given as that or by its name."""
    if isinstance(given, str):
        found = logging.getLevelNamesMapping().get(given)
        if found is None:
            names = ", ".join(logging.getLevelNamesMapping())
            raise ValueError(f"{name} takes a level; there is none named {given!r}, but {names}")
        return found
    if not isinstance(given, int):
        raise TypeError(f"{name} takes the number or the name of a level, not {given!r}")
    return given


def handler(given: Any, name: str) -> Any:
    """Return `given`, a handler, or what can handle a record like one."""
    if not callable(getattr(given, "handle", None)) or isinstance(given, (type, logging.Logger)):
        raise TypeError(f"{name} takes handlers, as logging.StreamHandler(), not {given!r}")
    return given


def handlers(given: Any, name: str) -> Iterable[Any]:
    """Return `given`, handlers or their names."""
    if isinstance(given, (str, logging.Handler)):
        shown = repr(given)
        raise TypeError(f"{name} takes a list of handlers or their names, not {shown}; give [{shown}]")
    try:
        found = iter(given)
    except TypeError:
        raise TypeError(f"{name} takes a list of handlers or their names, not {given!r}") from None
    if isinstance(given, (list, tuple)):  # those of dictConfig() turn names into handlers when they are read
        for each in found:
            if not isinstance(each, str):
                handler(each, name)
    return given  # type: ignore[no-any-return]


def listener_class(given: Any, name: str) -> Any:
    """Return `given`, a class of listeners or another function that makes one."""
    if not callable(given):
        hint = "; assign a listener to the attribute `listener`" if hasattr(given, "dequeue") else ""
        raise TypeError(f"{name} takes a class of listeners or its dotted name, not {given!r}{hint}")
    return given


def queue(given: Any) -> Any:
    """Return `given`, a queue with a get() that other threads may call."""
    get = getattr(given, "get", None)
    if not callable(get):
        raise TypeError(
            f"a queue needs a get() method, and {type(given).__name__!r} has none; give a queue.SimpleQueue"
        )
    if _is_coroutine_function(get):
        raise TypeError(
            "queue takes one that threads share, as queue.SimpleQueue, and "
            f"{type(given).__name__!r} is for one event loop"
        )
    return given


def _is_coroutine_function(function: Any) -> bool:
    """As inspect.iscoroutinefunction(), without importing inspect, which is large."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return bool(getattr(code, "co_flags", 0) & CO_COROUTINE)


def checked(attribute: str, check: Callable[[Any, str], Any], name: str, doc: str) -> Any:
    """Return a property whose value, checked, is in `attribute`."""

    def get(self: Any) -> Any:
        return getattr(self, attribute)

    def set(self: Any, given: Any) -> None:
        setattr(self, attribute, check(given, name))

    return property(get, set, doc=doc)
