"""Pure twin of the compiled capture of exceptions: see _shared/exceptions.py for what becomes of it."""

from __future__ import annotations

import sys
from types import ModuleType, TracebackType
from typing import Any

from .._shared.exceptions import (
    SUGGESTED,
    CapturedException,
    NotSimple,
    Part,
    captured_chain,
    is_unpatched,
    rendered_now,
    source_globals,
    string_of,
    string_of_suggested,
    syntax_error_attributes,
)

_namespace_of: Any = vars(ModuleType)["__dict__"].__get__


def capture(exc_info: object) -> CapturedException | None:
    """Return what the text of `exc_info` needs, or None if it has to travel as it is.

    That is so for anything but a tuple like that of `sys.exc_info()`, if `traceback` itself raises, and while its
    functions or those of `linecache` are monkeypatched.
    """
    try:
        if type(exc_info) is not tuple or len(exc_info) != 3 or not is_unpatched():
            return None
        return captured_chain(exc_info[1], exc_info[2], _capture_one)
    except Exception:
        pass  # rendered after this block: a __str__ may look at the exception that is being handled
    return rendered_now(exc_info)  # type: ignore[arg-type]


def _capture_one(value: Any, tb: Any, limit: int) -> Part:
    cls = type(value)
    if value is None:
        suppresses = False
    elif not issubclass(cls, BaseException) or hasattr(cls, "__bool__") or hasattr(cls, "__len__"):
        raise NotSimple  # older versions of traceback ask whether an exception is true
    else:
        suppresses = bool(value.__suppress_context__)
    qualname = cls.__qualname__
    module = cls.__module__
    if type(module) is not str:
        raise NotSimple
    objects, positions = _entries(tb, limit)

    notes = getattr(value, "__notes__", None)
    if notes is not None:
        if type(notes) is not list:
            raise NotSimple
        notes = tuple(notes)
        if any(type(note) is not str for note in notes):
            raise NotSimple

    attributes = None
    if issubclass(cls, SUGGESTED):
        string = string_of_suggested(value, tb)
    else:
        if issubclass(cls, SyntaxError):
            attributes = syntax_error_attributes(value)
        string = string_of(value)
    return qualname, module, string, notes, attributes, objects, positions, suppresses


def _entries(tb: Any, limit: int) -> tuple[tuple[Any, ...], list[int | None]]:
    """Return two objects and two numbers for each entry of the traceback, and none of its frames."""
    objects: list[Any] = []
    positions: list[int | None] = []
    namespace = kept = None
    while tb is not None and limit > 0:
        if type(tb) is not TracebackType:
            raise NotSimple
        frame = tb.tb_frame
        if frame.f_globals is not namespace:
            namespace = frame.f_globals
            if type(namespace) is not dict:
                raise NotSimple
            name = namespace.get("__name__")
            module = sys.modules.get(name) if type(name) is str else None
            # Not the attribute: there are modules that import everything when they are asked for it.
            is_module = issubclass(type(module), ModuleType) and _namespace_of(module) is namespace
            kept = namespace if is_module else source_globals(namespace)
        objects += frame.f_code, kept
        positions += tb.tb_lasti, tb.tb_lineno
        tb = tb.tb_next
        limit -= 1
    return tuple(objects), positions
