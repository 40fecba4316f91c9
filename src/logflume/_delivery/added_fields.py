"""Formatters that add fields to a copy of the record, and format that as their base does: uvicorn's.

For each known class there is a function that makes the same fields of a record's values. So the text of many records
is composed without a LogRecord, or a copy of it, for each. A class is known by the source of its module: a version that
was not compared is like any other formatter.
"""

from __future__ import annotations

import sys

from .overrides import overrides, stock_base
from .unpatched import FORMATTER_METHODS, class_is_unpatched, style_is_unpatched, take_snapshot

__all__ = ["COMPARED", "fields_adder"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    # From the formatter, and a record's levelname, levelno, args and other attributes or `extra`.
    Adder = Callable[[Any, Any, Any, Any, dict[str, Any] | None], dict[str, Any]]

# The versions of uvicorn that tests/test_uvicorn_formatters.py was run with, by the SHA-256 of uvicorn/logging.py.
COMPARED = {
    "7473a22ae59b5aaf23b6710649c71e17dfd0fcbbc7a0c6c20e1827696d5a06fc": "0.23 to 0.25",
    "8a67d4cbc2d42126bfc675632a68f639412cdeaafd1652d1fe8e16e949236b4d": "0.26 and 0.27",
    "b20e03f651da5bf90a423fe498ff9ba256c286329f841ba2864b655a9f118d22": "0.28 to 0.32",
    "f9e084e273899856ed07da9f349b8454d174635dcb1941eabc5cde9984f43da4": "0.33 to 0.40",
    "2013d2a36a910562518f90b69cdec8d5c8af1408fd8ca679033c64d09a4f07df": "0.42 to 0.49",
    "9020759f8e41e4ee794920298afdb1e94406dcb9c5a8d946bdca211b20306e55": "0.51 to 0.54",
}
MODULE = "uvicorn.logging"
METHODS = FORMATTER_METHODS | {
    "color_level_name",
    "get_status_code",
    "level_name_colors",
    "status_code_colours",
}

_adders: dict[type, Adder] = {}
_met: list[object] = []  # modules
_phrases: dict[int, str] = {}  # of the status codes: without colours nothing else counts


def add_default_fields(
    formatter: Any, levelname: Any, levelno: Any, args: Any, extra: dict[str, Any] | None
) -> dict[str, Any]:
    """Return what ColourizedFormatter.formatMessage() adds; `message` if that is another one."""
    fields = {}
    separator = " " * (8 - len(levelname))
    if formatter.use_colors:
        levelname = formatter.color_level_name(levelname, levelno)
        if extra is not None and "color_message" in extra:
            message = str(extra["color_message"])
            fields["message"] = message % args if args else message
    fields["levelprefix"] = levelname + ":" + separator
    return fields


def add_access_fields(
    formatter: Any, levelname: Any, levelno: Any, args: Any, extra: dict[str, Any] | None
) -> dict[str, Any]:
    """Return what AccessFormatter.formatMessage() adds."""
    client_addr, method, full_path, http_version, status_code = args
    status_code = int(status_code)
    request_line = f"{method} {full_path} HTTP/{http_version}"
    if formatter.use_colors:
        status = formatter.get_status_code(status_code)
        request_line = _style(request_line)
    else:
        status = _phrases.get(status_code)
        if status is None:
            status = formatter.get_status_code(status_code)
            if 100 <= status_code < 600:
                _phrases[status_code] = status
    fields = add_default_fields(formatter, levelname, levelno, args, extra)
    fields["client_addr"] = client_addr
    fields["request_line"] = request_line
    fields["status_code"] = status
    return fields


def _style(request_line: str) -> str:
    module: Any = sys.modules[MODULE]
    style = module.ansi_style if "ansi_style" in vars(module) else module.click.style
    styled: str = style(request_line, bold=True)
    return styled


def fields_adder(formatter: Any) -> Adder | None:
    """Return the function for `formatter` if it is of a known class, or derived from one, and unpatched; else None."""
    cls = type(formatter)
    if MODULE in [base.__module__ for base in cls.__mro__]:
        _meet(sys.modules.get(MODULE))
    base = stock_base(cls, tuple(_adders))
    if (
        base is None
        or not class_is_unpatched(base)
        or overrides(cls, base)
        or not METHODS.isdisjoint(vars(formatter))
        or not style_is_unpatched(formatter)
    ):
        return None
    return _adders[base]


def _meet(module: Any) -> None:
    """Know uvicorn's formatters from now on, if they were compared and are unpatched."""
    if module is not None and module not in _met:
        _met.append(module)
        for name, adder in (("DefaultFormatter", add_default_fields), ("AccessFormatter", add_access_fields)):
            cls = vars(module).get(name)
            if isinstance(cls, type) and _was_compared(module) and take_snapshot(cls):
                _adders[cls] = adder


def _was_compared(module: Any) -> bool:
    import hashlib

    try:
        source = module.__spec__.loader.get_data(module.__file__)
    except Exception:  # no file, or another kind of loader
        return False
    return hashlib.sha256(source).hexdigest() in COMPARED
