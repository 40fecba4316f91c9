"""The fields, levels and times of three standards for JSON logs, for JsonFormatter(schema=...).

ecs   Elastic Common Schema, as the ECS logging specification and Elastic's ecs-logging for Python have it
gcp   the special fields of Google Cloud Logging's structured logs, and the names of google-cloud-logging for Python
otel  OpenTelemetry's data model of log records, with the names of its JSON; "Trace Context in non-OTLP Log Formats"

Each takes the ids of a trace from what a filter, OpenTelemetry's LoggingInstrumentor, or `extra` sets on the record.

The compiled core calls these with placeholders, to learn where the values of records go: see json_layouts.py. So what
depends on a value is either in `kinds`, or one of the functions that say what they do with a placeholder.
"""

from __future__ import annotations

import logging
import os
from typing import Any, ClassVar

from .json_encoder import utc_time
from .json_layouts import ANY, GIVEN, IDENTIFIER, SETTING, Placeholder, Sample

ECS_VERSION = "1.6.0"
GCP_SEVERITIES = {50: "CRITICAL", 40: "ERROR", 30: "WARNING", 20: "INFO", 10: "DEBUG"}
GCP_LEVEL_NAMES = frozenset(
    ("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY")
)
# What Elastic's APM agent sets on records.
ELASTIC_APM = {
    "elasticapm_trace_id": "trace.id",
    "elasticapm_transaction_id": "transaction.id",
    "elasticapm_span_id": "span.id",
    "elasticapm_service_name": "service.name",
    "elasticapm_service_environment": "service.environment",
}
OTEL_SEVERITIES = {50: 21, 40: 17, 30: 13, 20: 9, 10: 5}
IDS = {
    **dict.fromkeys(("trace_id", "otelTraceID", "span_id", "otelSpanID"), IDENTIFIER),
    **dict.fromkeys(("trace_flags", "trace_sampled", "otelTraceSampled", "otelServiceName"), SETTING),
}


class Schema:
    """The fields of a standard.

    separators: as json.dumps() takes them
    kinds: the kinds (see json_layouts.py) of extra fields that are special, by name; `kind` is that of the others
    sorts: whether ordered() sorts the names in dictionaries
    environment: the environment variable that is asked for, or None
    """

    separators = (",", ":")
    kinds: ClassVar[dict[str, int]] = IDS
    kind = ANY
    sorts = False
    environment: str | None = None

    def add_fields(
        self, log_data: dict[Any, Any], record: logging.LogRecord, extra: dict[Any, Any], traceback: Any
    ) -> None:
        """Put the fields into `log_data`. `extra` has those that are not the record's own, and is this method's."""
        raise NotImplementedError

    def ordered(self, log_data: dict[Any, Any]) -> dict[Any, Any]:
        """Return `log_data` in the order in which it is written."""
        return log_data


class Ecs(Schema):
    kinds: ClassVar[dict[str, int]] = {**IDS, "elasticapm_labels": ANY}
    kind = GIVEN
    sorts = True

    def add_fields(
        self, log_data: dict[Any, Any], record: logging.LogRecord, extra: dict[Any, Any], traceback: Any
    ) -> None:
        trace_id, span_id, _, service = take_ids(extra)
        log_data["@timestamp"] = time_text(record, "milliseconds")
        log_data["log.level"] = record.levelname.lower()
        log_data["message"] = extra.pop("message", record.message)
        log_data["ecs.version"] = ECS_VERSION
        fields: dict[str, Any] = {
            "log.logger": record.name,
            "log.origin.file.line": record.lineno,
            "log.origin.file.name": record.filename,
            "log.origin.function": record.funcName,
            "process.name": record.processName,
            "process.pid": record.process,
            "process.thread.id": record.thread,
            "process.thread.name": record.threadName,
            "error.stack_trace": traceback,
            "service.name": service,
            "span.id": span_id,
            "trace.id": trace_id,
        }
        fields["error.type"], fields["error.message"] = error_of(record, qualified=False)
        for name, key in ELASTIC_APM.items():
            value = extra.pop(name, None)
            if value is not None and fields.get(key) is None:
                fields[key] = value
        extra.pop("elasticapm_labels", None)  # they are those of `transaction.id`
        for each in (fields, extra):
            for key, value in each.items():
                nest(log_data, key, value)

    def ordered(self, log_data: dict[Any, Any]) -> dict[Any, Any]:
        """Three fields first, as the specification asks; the others, and those in them, by name."""
        first = {key: log_data[key] for key in ("@timestamp", "log.level", "message") if key in log_data}
        return {**first, **in_order({key: value for key, value in log_data.items() if key not in first})}


class GoogleCloud(Schema):
    kinds: ClassVar[dict[str, int]] = {
        **IDS,
        **dict.fromkeys(("trace", "source_location", "http_request"), IDENTIFIER),
        **dict.fromkeys(("labels", "json_fields"), GIVEN),
    }
    environment = "GOOGLE_CLOUD_PROJECT"

    def add_fields(
        self, log_data: dict[Any, Any], record: logging.LogRecord, extra: dict[Any, Any], traceback: Any
    ) -> None:
        trace = extra.pop("trace", None)
        trace_id, span_id, sampled, service = take_ids(extra)
        trace = trace or trace_id
        project = os.environ.get(self.environment)
        if trace and project:
            trace = trace_name(trace, f"projects/{project}/traces/")
        log_data["severity"] = gcp_severity(record.levelname, record.levelno)
        log_data["message"] = extra.pop("message", record.message)
        log_data["time"] = time_text(record, "microseconds")
        log_data["logging.googleapis.com/sourceLocation"] = extra.pop("source_location", None) or {
            "file": record.pathname,
            "line": text_of_line(record),  # a 64-bit number, which JSON of protocol buffers has as a string
            "function": record.funcName,
        }
        labels = {"python_logger": record.name}
        if service:
            labels["service"] = service
        given = extra.pop("labels", None)
        log_data["logging.googleapis.com/labels"] = labels | given if isinstance(given, dict) else labels
        if given is not None and not isinstance(given, dict):
            log_data["labels"] = given
        if trace:
            log_data["logging.googleapis.com/trace"] = trace
        if span_id:
            log_data["logging.googleapis.com/spanId"] = span_id
        if sampled is not None:
            log_data["logging.googleapis.com/trace_sampled"] = bool(sampled)
        request = extra.pop("http_request", None)
        if request:
            log_data["httpRequest"] = request
        if traceback:
            log_data["stack_trace"] = traceback  # where Error Reporting looks first
        fields = extra.pop("json_fields", None)
        log_data.update(extra)
        if isinstance(fields, dict):
            log_data.update(fields)


class OpenTelemetry(Schema):
    environment = "OTEL_SERVICE_NAME"

    def add_fields(
        self, log_data: dict[Any, Any], record: logging.LogRecord, extra: dict[Any, Any], traceback: Any
    ) -> None:
        trace_id, span_id, sampled, service = take_ids(extra)
        log_data["timestamp"] = time_text(record, "microseconds")
        log_data["severity_text"] = "WARN" if record.levelname == "WARNING" else record.levelname
        log_data["severity_number"] = otel_severity(record.levelno)
        log_data["body"] = extra.pop("message", record.message)
        if trace_id:
            log_data["trace_id"] = trace_id
            if span_id:
                log_data["span_id"] = span_id
            log_data["trace_flags"] = f"{int(sampled or 0):02x}" if isinstance(sampled, int | None) else sampled
        log_data["scope"] = {"name": record.name}
        service = service or os.environ.get(self.environment)
        if service:
            log_data["resource"] = {"service.name": service}
        attributes: dict[Any, Any] = {
            "code.file.path": record.pathname,
            "code.function.name": record.funcName,
            "code.line.number": record.lineno,
            "thread.id": record.thread,
            "thread.name": record.threadName,
        }
        attributes["exception.type"], attributes["exception.message"] = error_of(record, qualified=True)
        attributes["exception.stacktrace"] = traceback
        log_data["attributes"] = {key: value for key, value in attributes.items() if value is not None} | extra


SCHEMAS: dict[str, Schema] = {"ecs": Ecs(), "gcp": GoogleCloud(), "otel": OpenTelemetry()}


# ---- values: of a record, or a placeholder ----


def time_text(record: logging.LogRecord | Sample, precision: str) -> Any:
    """The record's time in UTC, as RFC 3339 has it."""
    if isinstance(record, Sample):
        return Placeholder(precision)
    if precision == "milliseconds":  # those of the record, not rounded again
        return f"{utc_time(record.created).isoformat(timespec='seconds')[:-6]}.{int(record.msecs):03d}Z"
    return utc_time(record.created).isoformat(timespec=precision)[:-6] + "Z"


def text_of_line(record: logging.LogRecord | Sample) -> Any:
    """The number of the record's line, as text."""
    return Placeholder("text of line") if isinstance(record, Sample) else str(record.lineno)


def gcp_severity(name: str, number: int) -> str:
    """The severity of a level: its own name if Google knows that, else that of the next level below."""
    if name in GCP_LEVEL_NAMES:
        return name
    return next((severity for level, severity in GCP_SEVERITIES.items() if number >= level), "DEFAULT")


def otel_severity(number: int) -> int:
    """The number for a level; those between two of logging's come after the lower one, at most three steps."""
    for lowest, severity in OTEL_SEVERITIES.items():
        if number >= lowest:
            return severity + min(number - lowest, 3)
    return 0


def trace_name(trace: Any, prefix: str) -> Any:
    """The name of a trace in its project; `trace` itself if that is one."""
    if isinstance(trace, Placeholder):
        return trace.after(prefix)
    return trace if "/" in str(trace) else f"{prefix}{trace}"


def hexadecimal(value: Any, digits: int) -> Any:
    """An id as its digits; None for the id 0, which stands for no trace."""
    if isinstance(value, int):
        return f"{value:0{digits}x}" if value else None
    return None if not value or (isinstance(value, str) and not value.strip("0")) else value


# ---- and what the schemas do with them ----


def take_ids(extra: dict[Any, Any]) -> tuple[Any, Any, Any, Any]:
    """Take the ids of trace and span, the flags and the service's name out of `extra`; None for what is not there."""
    trace_id = hexadecimal(first_of(extra, "trace_id", "otelTraceID"), 32)
    span_id = hexadecimal(first_of(extra, "span_id", "otelSpanID"), 16)
    sampled = first_of(extra, "trace_flags", "trace_sampled", "otelTraceSampled")
    return trace_id, span_id, sampled if trace_id else None, first_of(extra, "otelServiceName") or None


def first_of(extra: dict[Any, Any], *names: str) -> Any:
    """Take all of `names` out of `extra`, and return the first of their values that is not None."""
    found = [extra.pop(name, None) for name in names]
    return next((value for value in found if value is not None), None)


def error_of(record: logging.LogRecord, *, qualified: bool) -> tuple[str | None, str | None]:
    """The class and the text of the record's exception."""
    info: Any = record.exc_info
    if not isinstance(info, tuple) or info[0] is None:
        return None, None
    name = info[0].__name__
    if qualified and info[0].__module__ != "builtins":
        name = f"{info[0].__module__}.{info[0].__qualname__}"
    return name, str(info[1])


def nest(into: dict[Any, Any], key: Any, value: Any) -> None:
    """Put `value` under a dotted name into dictionaries in dictionaries, and nothing for None or an empty dictionary.

    Where a part of the name has a value that is no dictionary, or the whole name has one, the field goes to `labels`.
    """
    if isinstance(value, dict):
        for name, each in value.items():
            nest(into, f"{key}.{name}", each)
    elif value is not None and not put(into, key.split(".") if isinstance(key, str) else [key], value):
        labels = into.setdefault("labels", {})
        (labels if isinstance(labels, dict) else into)[key] = value


def put(into: dict[Any, Any], names: list[Any], value: Any) -> bool:
    """Put `value` where the names lead; false if something else is there."""
    *parts, last = names
    for part in parts:
        into = into.setdefault(part, {})
        if not isinstance(into, dict):
            return False
    if isinstance(into.get(last), dict):
        return False
    into[last] = value
    return True


def in_order(value: Any) -> Any:
    """`value` with the dictionaries in it in the order of their keys."""
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return [in_order(each) for each in value]
    return value
