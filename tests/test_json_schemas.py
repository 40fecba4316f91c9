"""The schemas of JsonFormatter: ecs-logging's fields, and those that Google Cloud and OpenTelemetry document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import logflume
from json_records import TRACEBACKS, record_of, simple_values

try:
    from ecs_logging import StdlibFormatter as EcsFormatter
except ImportError:
    EcsFormatter = None  # type: ignore[assignment, misc]


def schema_of(name: str, **attributes: Any) -> dict[str, Any]:
    text = logflume.JsonFormatter(schema=name, static_fields={"team": "a"}).format(record_of(**attributes))
    found: dict[str, Any] = json.loads(text)
    return found


FAILED: dict[str, Any] = {"levelno": 40, "levelname": "ERROR", "exc_info": (KeyError, KeyError("k"), None)}
TRACED = {"trace_id": 0xABC, "span_id": "00000000000000ff", "trace_flags": 1}
TRACE_ID = "00000000000000000000000000000abc"


def test_ecs() -> None:
    formatter = logflume.JsonFormatter(schema="ecs")
    assert formatter.format(
        record_of(extra={"http.request.method": "GET", "http": {"version": "1.1"}, "a": 1})
    ) == (
        '{"@timestamp":"2026-11-27T04:05:06.123Z","log.level":"info","message":"paid","a":1,"ecs.version":"1.6.0",'
        '"http":{"request":{"method":"GET"},"version":"1.1"},'
        '"log":{"logger":"shop.cart","origin":{"file":{"line":42,"name":"cart.py"},"function":"pay"}},'
        '"process":{"name":"MainProcess","pid":4711,"thread":{"id":1234,"name":"Main \\u00e9"}}}'
    )
    found = schema_of("ecs", extra=TRACED, **FAILED)
    assert (found["log.level"], found["trace"], found["span"]) == (
        "error",
        {"id": TRACE_ID},
        {"id": "00000000000000ff"},
    )
    assert found["error"] == {"message": "'k'", "type": "KeyError", "stack_trace": "KeyError: 'k'"}
    assert found["team"] == "a"
    apm = {"elasticapm_trace_id": "t", "elasticapm_transaction_id": "x", "elasticapm_labels": {}, "empty": {}}
    found = schema_of("ecs", extra=apm)
    assert (found["trace"], found["transaction"]) == ({"id": "t"}, {"id": "x"})
    assert not {"elasticapm_labels", "labels", "empty"} & found.keys()


# ---- the same fields as ecs-logging ----

dotted_names = st.lists(
    st.sampled_from(["a", "b", "http", "log", "error", "x-y", "service", "trace", "id", "caf\xe9", "labels"]),
    min_size=1,
    max_size=3,
).map(".".join)
json_values = st.recursive(
    simple_values,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(dotted_names, inner, max_size=3)),
    max_leaves=5,
)


@pytest.mark.skipif(EcsFormatter is None, reason="ecs-logging is not installed")
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    extra=st.dictionaries(dotted_names, json_values, max_size=4),
    exception=st.sampled_from([None, *TRACEBACKS]),
    stack=st.sampled_from([None, "Stack:\n  File"]),
    message=st.sampled_from(["paid", "caf\xe9\ud800"]),
    apm=st.booleans(),
)
def test_ecs_is_that_of_ecs_logging(
    extra: dict[str, Any], exception: Any, stack: str | None, message: str, apm: bool
) -> None:
    if apm:
        extra = {
            "elasticapm_trace_id": "t",
            "elasticapm_transaction_id": "x",
            "elasticapm_span_id": None,
            "elasticapm_service_name": "s",
            "elasticapm_service_environment": "e",
            "elasticapm_labels": {"transaction.id": "x"},
            **extra,
        }
    given_record = {"msg": message, "extra": extra, "exc_info": exception, "stack_info": stack}
    try:
        text = EcsFormatter().format(record_of(**given_record))
    except (TypeError, ValueError):
        assume(False)  # names that exclude each other
    found = []
    for line in (text, logflume.JsonFormatter(schema="ecs").format(record_of(**given_record))):
        fields = json.loads(line)
        fields["log"].pop("original", None)
        if isinstance(fields.get("error"), dict):
            fields["error"].pop("stack_trace", None)  # with the causes, and the text of the exception
        found.append(json.dumps(fields))  # with the order
    assert found[0] == found[1]


# ---- by name ----


def test_ecs_keeps_names_that_exclude_each_other() -> None:
    found = schema_of("ecs", extra={"log": "text", "message.part": 1, "a": 1, "a.b": 2, "error": {"code": 1}})
    assert found["message"] == "paid"
    assert found["a"] == 1
    assert found["error"] == {"code": 1}
    assert found["labels"] == {"log": "text", "message.part": 1, "a.b": 2}


def test_google_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    extra = {**TRACED, "http_request": {"status": 200}, "labels": {"zone": "z"}, "order": 7}
    assert schema_of("gcp", extra=extra, **FAILED) == {
        "severity": "ERROR",
        "message": "paid",
        "time": "2026-11-27T04:05:06.123456Z",
        "logging.googleapis.com/sourceLocation": {
            "file": "/srv/shop/cart.py",
            "line": "42",
            "function": "pay",
        },
        "logging.googleapis.com/labels": {"python_logger": "shop.cart", "zone": "z"},
        "logging.googleapis.com/trace": f"projects/p/traces/{TRACE_ID}",
        "logging.googleapis.com/spanId": "00000000000000ff",
        "logging.googleapis.com/trace_sampled": True,
        "httpRequest": {"status": 200},
        "stack_trace": "KeyError: 'k'",
        "team": "a",
        "order": 7,
    }
    levels = {5: "DEFAULT", 10: "DEBUG", 25: "INFO", 30: "WARNING", 45: "ERROR", 60: "CRITICAL"}
    for level, severity in levels.items():
        assert schema_of("gcp", levelno=level, levelname=f"Level {level}")["severity"] == severity
    assert schema_of("gcp", levelno=25, levelname="NOTICE")["severity"] == "NOTICE"


def test_opentelemetry() -> None:
    extra = {"otelTraceID": TRACE_ID, "otelSpanID": "00000000000000ff", "otelTraceSampled": True, "order": 7}
    assert schema_of("otel", extra=extra, **FAILED) == {
        "timestamp": "2026-11-27T04:05:06.123456Z",
        "severity_text": "ERROR",
        "severity_number": 17,
        "body": "paid",
        "trace_id": TRACE_ID,
        "span_id": "00000000000000ff",
        "trace_flags": "01",
        "scope": {"name": "shop.cart"},
        "attributes": {
            "code.file.path": "/srv/shop/cart.py",
            "code.function.name": "pay",
            "code.line.number": 42,
            "thread.id": 1234,
            "thread.name": "Main \xe9",
            "exception.type": "KeyError",
            "exception.message": "'k'",
            "exception.stacktrace": "KeyError: 'k'",
            "team": "a",
            "order": 7,
        },
    }
    for level, number in {5: 0, 10: 5, 20: 9, 25: 12, 30: 13, 50: 21, 60: 24}.items():
        assert schema_of("otel", levelno=level)["severity_number"] == number
    assert schema_of("otel", levelno=30, levelname="WARNING")["severity_text"] == "WARN"
    untraced = schema_of("otel", extra={"otelTraceID": "0", "otelSpanID": "0", "otelTraceSampled": False})
    assert not {"trace_id", "span_id", "trace_flags"} & untraced.keys()


def test_schemas_say_what_they_exclude() -> None:
    with pytest.raises(ValueError, match="schema must be one of 'ecs', 'gcp', 'otel'"):
        logflume.JsonFormatter(schema="other")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="goes without fmt"):
        logflume.JsonFormatter("%(message)s", schema="ecs")
