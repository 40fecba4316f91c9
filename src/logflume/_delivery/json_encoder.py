"""How values become JSON: the encoder of JsonFormatter. Imported when the first JsonFormatter is made."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import enum
import json
import traceback
import types
from typing import Any

DUMPS = json.dumps
_standard = {json: ("dumps", "JSONEncoder"), json.encoder: ("JSONEncoder", "c_make_encoder")}
_was_unpatched = getattr(DUMPS, "__globals__", None) is vars(json)
_were = {(module, name): getattr(module, name) for module, names in _standard.items() for name in names}


class JsonEncoder(json.JSONEncoder):
    """Encodes what json alone refuses: dates, exceptions, tracebacks, enums, bytes, dataclasses, classes.

    Of any other object it takes the `str()`, or the `repr()` if that fails.
    """

    def default(self, o: Any) -> Any:
        if isinstance(o, datetime.time | datetime.date):
            return self.format_datetime_obj(o)
        if isinstance(o, BaseException):
            return f"{o.__class__.__name__}: {o}"
        if isinstance(o, types.TracebackType):
            return "".join(traceback.format_tb(o)).strip()
        if isinstance(o, enum.Enum):
            return o.value
        if isinstance(o, enum.EnumMeta):
            return [member.value for member in o]  # type: ignore[var-annotated]
        if isinstance(o, bytes | bytearray):
            return base64.urlsafe_b64encode(o).decode("ascii")
        if isinstance(o, type):
            return o.__name__
        if dataclasses.is_dataclass(o):
            return dataclasses.asdict(o)  # type: ignore[arg-type]
        for text_of in (str, repr):
            try:
                return text_of(o)
            except Exception:
                pass
        return "__could_not_encode__"

    def format_datetime_obj(self, o: datetime.time | datetime.date) -> str:
        return o.isoformat()


def encoder_for(
    serializer: Any,
    cls: Any,
    default: Any,
    indent: Any,
    ensure_ascii: bool,
    separators: tuple[str, str] | None = None,
) -> json.JSONEncoder | None:
    """Return what json.dumps() would make of these for each record; None if that may differ from one to the next."""
    if serializer is not DUMPS or (cls is not JsonEncoder and cls is not json.JSONEncoder and cls is not None):
        return None
    encoder: json.JSONEncoder = (cls or json.JSONEncoder)(
        ensure_ascii=ensure_ascii, indent=indent, separators=separators, default=default
    )
    return encoder


def is_unpatched() -> bool:
    """Whether json is as it was when this module was imported, and was its own then."""
    return _was_unpatched and all(vars(module)[name] is value for (module, name), value in _were.items())


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def utc_time(created: float) -> datetime.datetime:
    # datetime.fromtimestamp() ends with the range of time_t, which is 2038 on some 32-bit systems, or begins in 1970.
    return _EPOCH + datetime.timedelta(seconds=created)
