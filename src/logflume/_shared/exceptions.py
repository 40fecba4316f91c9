"""An exception as it was in the log call, and its text, which is made of that later, on another thread.

Both cores capture the same tuples. They hold strings, code objects, offsets, and what `linecache` asks modules for: no
exception, traceback or frame, so all of these end when the program lets go of them. The text is what
`traceback.print_exception()` would have written in the call, because the standard `TracebackException` writes it: it
is given objects that stand in for the exception, the entries of its traceback, and their frames. Only the source
lines are read when the text is made, milliseconds after the call.

What cannot be captured in this way is rendered in the call.
"""

from __future__ import annotations

import builtins
import functools
import io
import linecache
import sys
import traceback
import types
from collections.abc import Callable, Sequence
from operator import attrgetter, getitem, is_
from typing import Any

Part = tuple[
    str,  # __qualname__ of the exception's type
    str,  # and its __module__
    str,  # what str() gave for the exception, and what traceback adds to it
    tuple[str, ...] | None,  # __notes__
    dict[str, Any] | None,  # a SyntaxError's attributes
    tuple[Any, ...],  # two items for each entry of the traceback: code object, globals of its module
    Sequence[int | None],  # two numbers for each entry: tb_lasti, tb_lineno
    bool,  # __suppress_context__
]
# Of each part: the indexes of its cause, its context, and the exceptions that it groups.
Link = tuple[int | None, int | None, tuple[int, ...] | None]
ExcInfo = tuple[Any, Any, Any]


class CapturedException:
    """What the text of one exception needs, or the text."""

    __slots__ = ("_captured", "_text")

    def __init__(self, parts: Sequence[Part] | None, links: Sequence[Link] | None, text: str | None = None) -> None:
        self._captured = None if parts is None else (parts, links)
        self._text = text

    def text(self) -> str:
        """Return what `logging.Formatter.formatException()` would have returned in the call."""
        captured = self._captured
        if self._text is None and captured is not None:
            try:
                self._text = _render(*captured)
            except Exception:
                # Other threads may empty linecache's cache at the same time. Twice is no coincidence.
                self._text = _render(*captured)
            self._captured = None  # after the text is there: another thread may be between the two
        return self._text  # type: ignore[return-value]


# ---- whether `traceback` and `linecache` are the standard library's ----

_NAMES: dict[types.ModuleType | type, str] = {
    traceback: "print_exception TracebackException StackSummary FrameSummary _walk_tb_with_full_positions "
    "_get_code_position _format_final_exc_line _safe_string _compute_suggestion_error",
    traceback.TracebackException: "__init__ print format format_exception_only _format_syntax_error",
    traceback.StackSummary: "_extract_from_extended_frame_gen format format_frame_summary",
    traceback.FrameSummary: "__init__",
    linecache: "getline getlines updatecache checkcache lazycache",
}
# What each of them that there is was when logflume was imported, and the function that it is or wraps, with its code.
_FOUND = [(owner, name, vars(owner)[name]) for owner in _NAMES for name in _NAMES[owner].split() if name in vars(owner)]
OWNERS: tuple[types.ModuleType | type, ...] = tuple(owner for owner, _, _ in _FOUND)
KEYS: tuple[str, ...] = tuple(name for _, name, _ in _FOUND)
VALUES: tuple[Any, ...] = tuple(value for _, _, value in _FOUND)
_NAMESPACES = tuple(map(vars, OWNERS))
FUNCTIONS: tuple[types.FunctionType, ...] = tuple(
    getattr(value, "__func__", value) for value in VALUES if not isinstance(value, type)
)
_code_of = attrgetter("__code__")


def _are_own() -> bool:
    """Whether what is there when logflume is imported comes from the standard library."""
    return all(
        isinstance(function, types.FunctionType) and function.__globals__ in (vars(traceback), vars(linecache))
        for function in FUNCTIONS
    ) and all(value.__module__ == "traceback" for value in VALUES if isinstance(value, type))


OWN_AT_IMPORT = _are_own()
CODES = tuple(map(_code_of, FUNCTIONS)) if OWN_AT_IMPORT else ()


def is_unpatched() -> bool:
    """Whether a text that is made later is the one that `traceback` writes now."""
    try:
        return (
            OWN_AT_IMPORT
            and all(map(is_, map(getitem, _NAMESPACES, KEYS), VALUES))
            and all(map(is_, map(_code_of, FUNCTIONS), CODES))
        )
    except KeyError:
        return False


# ---- what both cores ask for in the call, where an exception is not a simple one ----


class NotSimple(Exception):
    """The text has to be made in the call."""


class _Broken(Exception):
    def __str__(self) -> str:
        raise ValueError


STR_FAILED = str(traceback.TracebackException(_Broken, _Broken(), None))

# TracebackException treats exceptions of these types each in its own way, mostly to say "Did you mean" something: what
# it looks at for that are the exception and the frames as they are in the call. Its own code names them.
SUGGESTED: tuple[type[BaseException], ...] = tuple(
    cls
    for name in traceback.TracebackException.__init__.__code__.co_names
    if isinstance(cls := getattr(builtins, name, None), type)
    and issubclass(cls, BaseException)
    and cls not in (BaseException, Exception, BaseExceptionGroup, SyntaxError)
)


def string_of(value: object) -> str:
    """Return str(value) as traceback has it."""
    try:
        string = str(value)
    except BaseException:  # traceback does not let Ctrl-C through either
        return STR_FAILED
    if type(string) is not str:
        raise NotSimple
    return string


def string_of_suggested(value: BaseException, tb: types.TracebackType | None) -> str:
    """Return str(value) and what `traceback` adds to it for an exception of one of these types."""
    if isinstance(value, (AttributeError, NameError)) and getattr(value, "name", None) is None:
        return string_of(value)
    # Not the chain (_seen), which each core walks itself, and no entry of the traceback.
    report = traceback.TracebackException(type(value), value, tb, limit=0, lookup_lines=False, _seen=set())
    string = str(report)
    if type(string) is not str:
        raise NotSimple
    return string


_IMMUTABLE = (str, int, type(None))


def syntax_error_attributes(value: SyntaxError) -> dict[str, Any]:
    """Return the attributes that TracebackException reads of a SyntaxError."""
    attributes: dict[str, Any] = {
        name: getattr(value, name)
        for name in ("filename", "lineno", "end_lineno", "text", "offset", "end_offset", "msg")
    }
    if any(type(attribute) not in _IMMUTABLE for attribute in attributes.values()):
        raise NotSimple
    metadata = getattr(value, "_metadata", None)  # from 3.14
    if metadata is not None:
        if type(metadata) is not tuple or any(type(item) not in _IMMUTABLE for item in metadata):
            raise NotSimple
        attributes["_metadata"] = metadata
    return attributes


def source_globals(namespace: dict[str, Any]) -> dict[str, Any]:
    """Return what `linecache` reads of a frame's globals.

    The rest may be what a program gave to exec(), and is not ours to keep.
    """
    return {name: namespace[name] for name in ("__name__", "__loader__", "__spec__", "__file__") if name in namespace}


def rendered_now(exc_info: ExcInfo) -> CapturedException | None:
    """Return the text as it is now, or None if `traceback` raises."""
    try:
        stream = io.StringIO()
        traceback.print_exception(exc_info[0], exc_info[1], exc_info[2], limit=None, file=stream)
        return CapturedException(None, None, stream.getvalue().removesuffix("\n"))
    except Exception:
        return None


def most_entries() -> int:
    """Return how many entries of a traceback sys.tracebacklimit lets through now."""
    limit = getattr(sys, "tracebacklimit", None)
    if limit is None:
        return sys.maxsize
    if type(limit) is not int:
        raise NotSimple
    return limit


def captured_chain(
    value: Any, tb: types.TracebackType | None, capture_one: Callable[[Any, Any, int], Part]
) -> CapturedException:
    """Capture `value` and what it is linked to.

    Follows the chain as TracebackException.__init__ does, so that the same loops are cut in the same places.
    """
    limit = most_entries()
    if value is None:
        return CapturedException([capture_one(value, tb, limit)], None)
    parts: list[Part] = []
    links: list[Link] = []
    waiting: list[tuple[int, BaseException]] = []
    seen: set[int] = set()

    def add(exception: BaseException, entries: types.TracebackType | None) -> int:
        seen.add(id(exception))
        parts.append(capture_one(exception, entries, limit))
        links.append((None, None, None))
        waiting.append((len(parts) - 1, exception))
        return len(parts) - 1

    def add_once(exception: BaseException | None) -> int | None:
        if exception is None or id(exception) in seen:
            return None
        return add(exception, exception.__traceback__)

    add(value, tb)
    while waiting:
        index, exception = waiting.pop()
        context = group = None
        cause = add_once(exception.__cause__)
        if cause is None and not exception.__suppress_context__:
            context = add_once(exception.__context__)
        if isinstance(exception, BaseExceptionGroup):
            if type(exception.exceptions) is not tuple:
                raise NotSimple
            group = tuple([add(each, each.__traceback__) for each in exception.exceptions])
        links[index] = cause, context, group
    return CapturedException(parts, links)


# ---- the text ----


class _StandIn:
    """The exception, as far as TracebackException looks at it; its chain is put together afterwards."""

    __cause__ = None
    __context__ = None
    __suppress_context__ = False
    __notes__: list[str] | None = None
    string = ""

    def __str__(self) -> str:
        return self.string


@functools.lru_cache(maxsize=256)
def _stand_in_type(qualname: str, module: str, base: Any) -> type[Any]:
    """Return a type that has these names, and that TracebackException treats as it treats `base`."""
    bases = (_StandIn,) if base is None else (_StandIn, base)
    return type("StandIn", bases, {"__qualname__": qualname, "__module__": module})


class _Frame:
    __slots__ = ("f_code", "f_globals")

    def __init__(self, code: types.CodeType, namespace: dict[str, Any]) -> None:
        self.f_code = code
        self.f_globals = namespace


# Whether a traceback finds its line when it is asked, as from 3.11.7 and 3.12.1 on: until then it has -1. Before, -1 is
# what it says of code that has no lines.
_FINDS_LINE = not isinstance(vars(types.TracebackType)["tb_lineno"], types.MemberDescriptorType)


class _Entry:
    __slots__ = ("_lineno", "tb_frame", "tb_lasti", "tb_next")

    def __init__(self, frame: _Frame, lasti: Any, lineno: Any, following: _Entry | None) -> None:
        self.tb_frame = frame
        self.tb_lasti = lasti
        self._lineno = lineno
        self.tb_next = following

    @property
    def tb_lineno(self) -> int | None:
        """The line; asked for only where the code has none for this offset."""
        if self._lineno != -1 or not _FINDS_LINE:
            return self._lineno  # type: ignore[no-any-return]
        # Not found yet when it was captured: as the property of a traceback does.
        code = self.tb_frame.f_code
        if self.tb_lasti < 0:
            return code.co_firstlineno
        for start, end, line in code.co_lines():
            if start <= self.tb_lasti < end:
                return line
        return None


def _entries(objects: tuple[Any, ...], positions: Sequence[Any]) -> _Entry | None:
    if isinstance(positions, bytes):
        positions = memoryview(positions).cast("i")
    entry = None
    for index in range(len(objects) - 2, -1, -2):
        entry = _Entry(_Frame(objects[index], objects[index + 1]), positions[index], positions[index + 1], entry)
    return entry


def _report(part: Part) -> traceback.TracebackException:
    qualname, module, string, notes, attributes, objects, positions, suppresses = part
    cls: Any = _stand_in_type(qualname, module, None if attributes is None else SyntaxError)
    value = cls.__new__(cls)
    value.string = string
    value.__suppress_context__ = suppresses
    if notes is not None:
        value.__notes__ = list(notes)
    if attributes is not None:
        for name, attribute in attributes.items():
            setattr(value, name, attribute)
    entries: Any = _entries(objects, positions)
    # All the entries that there are: sys.tracebacklimit counted in the call.
    return traceback.TracebackException(cls, value, entries, limit=len(objects) // 2, compact=True)


def _render(parts: Sequence[Part], links: Sequence[Link] | None) -> str:
    reports = [_report(part) for part in parts]
    for report, (cause, context, group) in zip(reports, links or (), strict=bool(links)):
        report.__cause__ = None if cause is None else reports[cause]
        report.__context__ = None if context is None else reports[context]
        if group is not None:
            report.exceptions = [reports[index] for index in group]
    return "".join(reports[0].format()).removesuffix("\n")
