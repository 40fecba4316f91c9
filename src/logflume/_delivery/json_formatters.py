"""Which formatters make the JSON that the compiled core makes, too: this package's, and python-json-logger's.

The latter is known by its source: a version that was not compared is like any other formatter.
"""

from __future__ import annotations

import sys
from typing import Any

from .compared import source_hash
from .unpatched import FORMATTER_METHODS, class_is_unpatched, take_snapshot

# The versions of python-json-logger that tests/test_json_formatter.py was run with, by the SHA-256 of MODULES.
COMPARED = {
    "05b20cf3687e54c7c9c3d47776160f61fdba837c5836eaf228110ffeb89819a8": "3.1.0",
    "c24fb5e075dbbd61c665c6cbccfc7987a9be611a18d9afdb59dc35660d258d62": "3.2.0 and 3.2.1",
    "58d01f1e40de426cbaf9fc6f4ace6ff1ae15a2b62558e1a1334c25cf45c7d193": "3.3.0",
    "4712999cdf7b0880914a9eb5629eaf80ebe8daac14979d82c7e46cb4d7ad3fcd": "4.0.0",
    "2ae7661e821193923d4a3fbfdc8131f73b096066ad5788de6fb6a9db1a313860": "4.1.0",
    "e52ef5b2e91c6b6aa2488e9e55fb606a6cd53a634242595df980c1e153ef7881": "4.2.0",
}
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
    """Whether the python-json-logger that is imported is one of COMPARED, and its functions are its own."""
    if source_hash(*MODULES) not in COMPARED:
        return False
    core = vars(sys.modules[MODULES[0]])
    return getattr(core.get("merge_record_extra"), "__globals__", None) is core
