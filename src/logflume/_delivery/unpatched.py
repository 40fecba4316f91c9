"""Which classes, handlers and formatters are as the standard library made them, and may be delivered in batches.

A class passes if it is one of logging's own and none of its functions, or of a base's, was replaced since, or if it is
derived from such a one and overrides nothing that matters; an instance passes if no attribute of its own hides such a
method. Data (`terminator`, `converter`, `default_time_format`, ...) may differ: it is read when records are written.
"""

from __future__ import annotations

import logging
import logging.handlers
import string
import sys
import types
from typing import Any

from .._shared.moved import Guarded
from .overrides import DATA, base_among, overrides

HANDLERS: tuple[type[logging.Handler], ...] = (
    logging.StreamHandler,
    logging.FileHandler,
    logging.handlers.RotatingFileHandler,
    logging.handlers.TimedRotatingFileHandler,
    logging.handlers.WatchedFileHandler,
)
# These take their records one at a time, but ask nothing of one but its text.
FORMATTING_HANDLERS: tuple[type[logging.Handler], ...] = (
    logging.handlers.SysLogHandler,
    logging.handlers.SMTPHandler,
    logging.handlers.NTEventLogHandler,
)
FORMATTERS: tuple[type, ...] = (logging.Formatter,)
STYLES: tuple[type, ...] = (logging.PercentStyle, logging.StrFormatStyle, logging.StringTemplateStyle)

# Methods that a batch replaces or relies on. The others (handleError, doRollover, close, ...) are called on
# the instance by us or by the standard `handle`, so hiding them changes nothing here.
HANDLER_METHODS = frozenset("handle filter emit format flush acquire release shouldRollover reopenIfNeeded".split())
FILTER = frozenset(["filter"])
# What FORMATTING_HANDLERS ask with a record.
FORMATTING_METHODS = frozenset("getSubject getEventCategory getEventType getMessageID".split())
FORMATTER_METHODS = frozenset("format formatTime formatException formatMessage formatStack usesTime".split())
STYLE_METHODS = frozenset("format _format usesTime".split())

# Data, and what copy, pickle and inspection keep on a class.
_IGNORED = DATA.union(
    "__init__ __repr__ __doc__ __annotations__ __annotations_cache__ __annotate_func__".split(),
    "__abstractmethods__ __slotnames__".split(),
)


def _behaviour(cls: type) -> dict[str, object]:
    return {name: value for name, value in vars(cls).items() if name not in _IGNORED}


def _own(cls: type) -> bool:
    """Whether the functions in `cls` were all written in the module that the class comes from."""
    home = sys.modules[cls.__module__]
    return all(
        value.__globals__ is vars(home) and value.__code__.co_name == name
        for name, value in _behaviour(cls).items()
        if isinstance(value, types.FunctionType)
    )


# The classes as they are when logflume is imported; one that was patched before that is not here.
_snapshots: dict[type, dict[str, object]] = {
    base: dict(vars(base))
    for cls in (
        *HANDLERS,
        *FORMATTING_HANDLERS,
        *STYLES,
        logging.Formatter,
        logging.LogRecord,
        logging.Filter,
        string.Template,
    )
    for base in cls.__mro__[:-1]
    if _own(base)
}


def take_snapshot(cls: type) -> bool:
    """Note `cls` and its bases as unpatched, as they are now; false if they contain what is not theirs."""
    unknown = [base for base in cls.__mro__[:-1] if base not in _snapshots]
    if not all(_own(base) for base in unknown):
        return False
    _snapshots.update((base, dict(vars(base))) for base in unknown)
    return True


def class_is_unpatched(cls: type) -> bool:
    """Whether `cls` and its bases behave as the standard library's classes of that name."""
    for base in cls.__mro__[:-1]:
        snapshot = _snapshots.get(base)
        if snapshot is None:
            return False
        if vars(base) != snapshot:  # compares by identity first, so this is quick
            now = _behaviour(base)
            then = {name: value for name, value in snapshot.items() if name not in _IGNORED}
            if now.keys() != then.keys() or any(now[name] is not then[name] for name in then):
                return False
    return True


def overridden(cls: type, bases: tuple[type, ...]) -> frozenset[str] | None:
    """Return what `cls` overrides of the one of `bases` that it is derived from; None if that is none, or patched."""
    base = base_among(cls, bases)
    return overrides(cls, base) if base is not None and class_is_unpatched(base) else None


def formatter_of(handler: logging.Handler) -> Any:
    """The formatter that `handler.format` would use."""
    return vars(handler).get("formatter") or logging._defaultFormatter  # type: ignore[attr-defined]


def formatter_is_unpatched(formatter: Any) -> bool:
    """Whether `formatter` does as an unpatched `logging.Formatter` in one of the three styles."""
    return (
        overridden(type(formatter), FORMATTERS) == frozenset()
        and FORMATTER_METHODS.isdisjoint(vars(formatter))
        and style_is_unpatched(formatter)
    )


def only_standard(filters: Any) -> bool:
    """Whether all of `filters` are exactly logging's own, unpatched: they look at nothing but the logger's name."""
    return type(filters) is list and all(
        type(each) is logging.Filter and class_is_unpatched(logging.Filter) and "filter" not in vars(each)
        for each in filters
    )


def style_is_unpatched(formatter: Any) -> bool:
    """Whether the style of `formatter` is one of the three, unpatched."""
    style = vars(formatter).get("_style")
    return type(style) in STYLES and class_is_unpatched(type(style)) and STYLE_METHODS.isdisjoint(vars(style))


def overridden_by(handler: logging.Handler, asked: bool = False) -> frozenset[str] | None:
    """Return the methods of its standard base that `handler` or its class overrides.

    None if it has no such base, or filters that are still to be asked (`asked`: they were in the call).
    """
    names = overridden(type(handler), HANDLERS)
    if names is None:
        return None
    own = vars(handler)
    if not (asked or only_standard(own.get("filters"))) or own.get("lock") is None:
        return None
    return (names | hidden_by(own)) - (FILTER if asked else frozenset())


def hidden_by(own: dict[str, object]) -> frozenset[str]:
    """Return which of HANDLER_METHODS a handler's own attributes hide, other than by calling the method."""
    return frozenset(name for name in HANDLER_METHODS & own.keys() if type(own.get(name)) is not Guarded)


def needs_no_exception(handler: logging.Handler, asked: bool = False) -> bool:
    """Whether `handler` is unpatched, and its formatter, so that of a record's exception it writes the text.

    `asked` tells that its filters were asked in the log call.
    """
    if overridden_by(handler, asked) != frozenset() and not (
        type(handler) in FORMATTING_HANDLERS
        and class_is_unpatched(type(handler))
        and (asked or handler.filters == [])
        and not hidden_by(vars(handler))
        and FORMATTING_METHODS.isdisjoint(vars(handler))
    ):
        return False
    formatter = formatter_of(handler)
    return formatter_is_unpatched(formatter) and not shows_exception(formatter)


def shows_exception(formatter: Any) -> bool:
    """Whether an unpatched formatter may show exc_info or exc_text as they are in the call."""
    return "exc_" in format_of(formatter)


def format_of(formatter: Any) -> str:
    """The format of an unpatched formatter; that of a JSON formatter may be a sequence of names, as text."""
    style = formatter._style
    return str(style._fmt if hasattr(style, "_fmt") else formatter._fmt)
