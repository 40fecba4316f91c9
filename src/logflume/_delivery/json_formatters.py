"""Which formatters make the JSON that the compiled core makes, too: this package's, and python-json-logger's.

The latter is known by its source.
"""

from __future__ import annotations

import sys
from typing import Any

from .compared import was_compared
from .unpatched import FORMATTER_METHODS, class_is_unpatched, take_snapshot

EXCEPTION = {"exc_info", "exc_text"}
MODULES = ("pythonjsonlogger.core", "pythonjsonlogger.defaults", "pythonjsonlogger.json")

JSON_METHODS = FORMATTER_METHODS | {
    "add_fields",
    "process_log_record",
    "jsonify_log_record",
    "serialize_log_record",
    "_get_rename",
}

_formatters: dict[type, type] = {}  # and the default encoder of each


def add_json_formatter(cls: type, encoder: type) -> None:
    """Note that `cls` is a JsonFormatter with this default encoder; both are unpatched if they are so now."""
    if cls not in _formatters and take_snapshot(cls) and take_snapshot(encoder):
        _formatters[cls] = encoder


def json_formatter_is_unpatched(formatter: Any) -> bool:
    """Whether `formatter` is exactly a JsonFormatter that was compared, unpatched, with its default encoder."""
    cls = type(formatter)
    if cls.__module__ == MODULES[-1] and cls.__name__ == "JsonFormatter" and cls not in _formatters and _was_compared():
        add_json_formatter(cls, sys.modules[cls.__module__].JsonEncoder)
    own = vars(formatter)
    return (
        cls in _formatters
        and class_is_unpatched(cls)
        and JSON_METHODS.isdisjoint(own)
        and _is_standard(own, _formatters[cls])
    )


def _is_standard(own: dict[str, Any], encoder: type) -> bool:
    """Whether a formatter with these attributes encodes as json.dumps() does with the default encoder."""
    from .json_encoder import DUMPS, is_unpatched

    return (
        own.get("json_serializer") is DUMPS
        and own.get("json_encoder") is encoder
        and own.get("json_default") is None
        and is_unpatched()
        and class_is_unpatched(encoder)
    )


def asks_for_exceptions(formatter: Any) -> bool:
    """Whether more of an exception matters than its text, which is all that a call captures for standard formatters."""
    own = vars(formatter)
    return bool(
        own.get("schema") is not None
        or own.get("exc_info_as_array")
        or not own["_skip_fields"] >= EXCEPTION
        or not EXCEPTION.isdisjoint(own["_required_fields"])
    )


def _was_compared() -> bool:
    """Whether the python-json-logger that is imported was compared, and its functions are its own."""
    if not was_compared(*MODULES):
        return False
    core = vars(sys.modules[MODULES[0]])
    return getattr(core.get("merge_record_extra"), "__globals__", None) is core
