"""JsonFormatter: a record as one JSON object on one line."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Sequence
from operator import is_not
from typing import TYPE_CHECKING, Any, Literal

from ._delivery.json_formatters import add_json_formatter
from ._delivery.unpatched import take_snapshot

if TYPE_CHECKING:
    from ._delivery.json_schemas import Schema

__all__ = ["RESERVED_ATTRS", "JsonFormatter"]

# The attributes of a record that are in the output only if the format names them.
RESERVED_ATTRS: list[str] = [
    *("args", "asctime", "created", "exc_info", "exc_text", "filename", "funcName", "levelname", "levelno"),
    *("lineno", "module", "msecs", "message", "msg", "name", "pathname", "process", "processName"),
    *("relativeCreated", "stack_info", "thread", "threadName"),
]
if sys.version_info >= (3, 12):
    RESERVED_ATTRS.append("taskName")
    RESERVED_ATTRS.sort()

_DOLLAR = re.compile(r"\$(?:\$|\{(?P<braced>.+?)\}|(?P<named>[_a-z][_a-z0-9]*))", re.IGNORECASE)
_BRACES = re.compile(r"\{(.+?)\}")
_PERCENT = re.compile(r"%\((.+?)\)")


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON object: the fields that `fmt` names, and what the call gave as `extra`.

    It takes the arguments of `pythonjsonlogger.json.JsonFormatter`, has the methods that its subclasses override, and
    returns the same text:

    >>> JsonFormatter("%(levelname)s %(message)s").format(record)  # of log.info("paid", extra={"order": 7})
    '{"levelname": "INFO", "message": "paid", "order": 7}'

    Args:
        fmt: a format in one of the three styles, of which only the names of the fields count; with `style=","` their
            names between commas; or a sequence of names. A field that a record lacks is null.
        datefmt: the format of the field `asctime`
        style: `%`, `{`, `$` or `,`
        validate: whether `fmt` has to be right for `style`; without, `parse()` may be overridden for other styles
        prefix: text before the object
        rename_fields: other names for fields, as {name: name in the output}
        rename_fields_keep_missing: whether renamed fields that a record lacks are in the output, as null
        static_fields: fields for every record
        reserved_attrs: the attributes of records that are no extra fields; `RESERVED_ATTRS` unless given
        timestamp: adds the record's time in UTC, as "timestamp" or under the name given
        defaults: fields that come first, and whose values others replace
        exc_info_as_array, stack_info_as_array: tracebacks and stacks as arrays of lines
        json_default: returns something that json can encode for a value that it cannot
        json_encoder: the json.JSONEncoder; the default one encodes any object somehow
        json_serializer: is called like json.dumps, and is it unless given
        json_indent, json_ensure_ascii: as for json.dumps
        schema: "ecs" (Elastic Common Schema), "gcp" (Google Cloud Logging) or "otel" (OpenTelemetry): the fields,
            levels and times of that standard in the place of those that `fmt` and `timestamp` choose
    """

    def __init__(
        self,
        fmt: str | Sequence[str] | None = None,
        datefmt: str | None = None,
        style: str = "%",
        validate: bool = True,
        *,
        prefix: str = "",
        rename_fields: dict[str, str] | None = None,
        rename_fields_keep_missing: bool = False,
        static_fields: dict[str, Any] | None = None,
        reserved_attrs: Sequence[str] | None = None,
        timestamp: bool | str = False,
        defaults: dict[str, Any] | None = None,
        exc_info_as_array: bool = False,
        stack_info_as_array: bool = False,
        json_default: Callable[[Any], Any] | str | None = None,
        json_encoder: Callable[..., Any] | str | None = None,
        json_serializer: Callable[..., str] | str | None = None,
        json_indent: int | str | None = None,
        json_ensure_ascii: bool = True,
        schema: Literal["ecs", "gcp", "otel"] | None = None,
    ) -> None:
        # json and datetime are not imported before a program makes a formatter
        from ._delivery import json_encoder as encoding

        add_json_formatter(JsonFormatter, encoding.JsonEncoder)

        self._style: Any
        if fmt is None or isinstance(fmt, str):
            self._take_format(fmt, style, validate)
            self._required_fields = self.parse()
        else:
            self._style = "__sequence__"
            self._fmt = str(fmt)
            self._required_fields = list(fmt)
        self.datefmt = datefmt
        self.prefix = prefix
        # by item: these may be dictionaries whose items are made when they are asked for
        self.rename_fields = {key: rename_fields[key] for key in rename_fields or ()}  # type: ignore[index]
        self.static_fields = {key: static_fields[key] for key in static_fields or ()}  # type: ignore[index]
        self.rename_fields_keep_missing = rename_fields_keep_missing
        self.reserved_attrs = set(RESERVED_ATTRS if reserved_attrs is None else reserved_attrs)
        self.timestamp = timestamp
        self._skip_fields = {*self._required_fields, *self.reserved_attrs}
        self.defaults = {} if defaults is None else defaults
        self.exc_info_as_array = exc_info_as_array
        self.stack_info_as_array = stack_info_as_array
        self.json_default = _imported(json_default)
        self.json_encoder = _imported(json_encoder)
        self.json_serializer = encoding.DUMPS if json_serializer is None else _imported(json_serializer)
        self.json_indent = json_indent
        self.json_ensure_ascii = json_ensure_ascii
        if not self.json_encoder and not self.json_default:
            self.json_encoder = encoding.JsonEncoder
        self._made_encoder: tuple[Any, ...] | None = None  # the options, and the json.JSONEncoder made of them
        self.schema = schema
        self._schema = None if schema is None else _schema_of(schema)
        if schema is not None and (fmt is not None or timestamp or exc_info_as_array or stack_info_as_array):
            raise ValueError(
                f"the schema {schema!r} says which fields there are: it goes without fmt, timestamp, "
                "exc_info_as_array and stack_info_as_array"
            )

    def _take_format(self, fmt: str | None, style: str, validate: bool) -> None:
        if style in logging._STYLES:
            self._style = logging._STYLES[style][0](fmt)  # type: ignore[operator]
            if validate:
                self._style.validate()
            self._fmt = self._style._fmt
        elif style == "," or not validate:
            self._style = style
            self._fmt = fmt
        else:
            raise ValueError("Style must be one of: '%{$,'")

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON. Its message may be a dictionary, whose items become fields."""
        message: dict[Any, Any] = {}
        if isinstance(record.msg, dict):
            message = record.msg.copy()
            record.message = ""
        else:
            record.message = record.getMessage()
        if "asctime" in self._required_fields:
            record.asctime = self.formatTime(record, self.datefmt)
        if record.exc_info and not message.get("exc_info"):
            message["exc_info"] = self.formatException(record.exc_info)
        if record.exc_text and not message.get("exc_info"):
            message["exc_info"] = record.exc_text
        if record.stack_info and not message.get("stack_info"):
            message["stack_info"] = self.formatStack(record.stack_info)
        log_data: dict[Any, Any] = {}
        self.add_fields(log_data, record, message)
        return self.serialize_log_record(self.process_log_record(log_data))

    def parse(self) -> list[str]:
        """Return the names of the fields in the format; override it for a style of your own."""
        if self._fmt is None:
            return []
        if isinstance(self._style, logging.StringTemplateStyle):
            found = [match["braced"] or match["named"] for match in _DOLLAR.finditer(self._fmt)]
            return [name for name in found if name]
        if isinstance(self._style, logging.StrFormatStyle):
            return _BRACES.findall(self._fmt)
        if isinstance(self._style, logging.PercentStyle):
            return _PERCENT.findall(self._fmt)
        if self._style == "__sequence__":
            raise RuntimeError("Must not call parse when fmt is a sequence of strings")
        if self._style == ",":
            return [name.strip() for name in self._fmt.split(",") if name.strip()]
        raise ValueError(f"Style {self._style!r} is not supported")

    def add_fields(self, log_data: dict[Any, Any], record: logging.LogRecord, message_dict: dict[Any, Any]) -> None:
        """Put into `log_data` what is to be in the output.

        `message_dict` has the items of a message that is a dictionary, and `exc_info` and `stack_info` as text.
        """
        if self._schema is not None:
            self._add_schema(self._schema, log_data, record, message_dict)
            return
        renamed = self.rename_fields.get
        attributes = record.__dict__
        for key in self.defaults:
            log_data[renamed(key, key)] = self.defaults[key]
        for key in self._required_fields:
            log_data[renamed(key, key)] = attributes.get(key)
        for fields in (self.static_fields, message_dict):
            for key, value in fields.items():
                log_data[renamed(key, key)] = value
        self._add_extra(log_data, record)
        if self.timestamp:
            from ._delivery.json_encoder import utc_time

            key = self.timestamp if isinstance(self.timestamp, str) else "timestamp"
            log_data[renamed(key, key)] = utc_time(record.created)
        if self.rename_fields_keep_missing:
            for key in self.rename_fields.values():
                log_data.setdefault(key, None)

    def _add_schema(
        self, schema: Schema, log_data: dict[Any, Any], record: logging.LogRecord, message: dict[Any, Any]
    ) -> None:
        renamed = self.rename_fields.get
        traceback, stack = message.pop("exc_info", None), message.pop("stack_info", None)
        extra = {
            renamed(key, key): value
            for fields in (self.defaults, self.static_fields, message)
            for key, value in fields.items()
        }
        self._add_extra(extra, record)
        schema.add_fields(log_data, record, extra, traceback or stack)

    def _add_extra(self, log_data: dict[Any, Any], record: logging.LogRecord) -> None:
        renamed = self.rename_fields.get
        skipped = self._skip_fields
        for key, value in record.__dict__.items():
            # a key may be a number
            if key not in skipped and not (hasattr(key, "startswith") and key.startswith("_")):
                log_data[renamed(key, key)] = value

    def process_log_record(self, log_data: dict[Any, Any]) -> dict[Any, Any]:
        """Return what becomes JSON: `log_data` as it is; override it to change that."""
        return log_data

    def serialize_log_record(self, log_data: dict[Any, Any]) -> str:
        """Return the text for `log_data`: the prefix, and its JSON."""
        return self.prefix + self.jsonify_log_record(log_data)

    def jsonify_log_record(self, log_data: dict[Any, Any]) -> str:
        """Return `log_data` as JSON."""
        more: dict[str, Any] = {}
        if self._schema is not None:
            log_data = self._schema.ordered(log_data)
            more = {"separators": self._schema.separators}
        options = (self.json_serializer, self.json_encoder, self.json_default, self.json_indent, self.json_ensure_ascii)
        made = self._made_encoder
        if made is None or any(map(is_not, made[0], options)):
            from ._delivery.json_encoder import encoder_for

            made = self._made_encoder = options, encoder_for(*options, **more)
        if made[1] is not None:
            return made[1].encode(log_data)  # type: ignore[no-any-return]
        return self.json_serializer(
            log_data,
            default=self.json_default,
            cls=self.json_encoder,
            indent=self.json_indent,
            ensure_ascii=self.json_ensure_ascii,
            **more,
        )

    def formatException(self, ei: Any) -> Any:
        """Return the traceback as text, or as its lines."""
        text = super().formatException(ei)
        return text.splitlines() if self.exc_info_as_array else text

    def formatStack(self, stack_info: str) -> Any:
        """Return the stack as text, or as its lines."""
        text = super().formatStack(stack_info)
        return text.splitlines() if self.stack_info_as_array else text


def _imported(value: Any) -> Any:
    """Return the object that a dotted name stands for, as configurations give it; others as they are."""
    if not isinstance(value, str):
        return value
    import importlib

    module, name = value.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


def _schema_of(name: str) -> Schema:
    from ._delivery.json_schemas import SCHEMAS

    if name not in SCHEMAS:
        raise ValueError(f"schema must be one of {', '.join(map(repr, SCHEMAS))}, not {name!r}")
    return SCHEMAS[name]


take_snapshot(JsonFormatter)
