"""The schemas of JsonFormatter: ecs-logging's fields, and those that Google Cloud and OpenTelemetry document."""

from __future__ import annotations

import copy
import json
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import logflume
from deliveries import DELIVERIES, deliver_compiled, one_at_a_time
from helpers import needs_gil
from json_batches import calls_of_format, calls_with, logged, one_by_one, together, unexpected, written
from json_records import TRACEBACKS, extras, field_names, record_of, records, simple_values, values

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
    assert formatter.format(record_of(extra={"http.request.method": "GET", "http": {"version": "1.1"}, "a": 1})) == (
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


# ---- batches: the same bytes as one at a time, with each core ----

SPECIAL = [
    *(
        "trace_id",
        "span_id",
        "trace_flags",
        "trace_sampled",
        "trace",
        "labels",
        "json_fields",
        "http_request",
    ),
    *("otelTraceID", "otelSpanID", "otelTraceSampled", "otelServiceName", "source_location", "error", "log"),
    *(
        "elasticapm_trace_id",
        "elasticapm_labels",
        "elasticapm_service_name",
        "http.request.method",
        "a",
        "a.b",
    ),
]
special_names = st.one_of(st.sampled_from(SPECIAL), st.sampled_from(SPECIAL), field_names)
special_values = st.one_of(
    st.sampled_from(["0", "00", "", TRACE_ID, "p/x", "t\xe9", 0, 1, True, False, None, 2**127, 7, -5, "01"]),
    values,
    st.dictionaries(st.sampled_from(["a", "b", "python_logger", "service", "x.y"]), values, max_size=3),
)
special_extras = st.one_of(extras, st.dictionaries(special_names, special_values, max_size=5))
schema_options = st.fixed_dictionaries(
    {"schema": st.sampled_from(["ecs", "gcp", "otel"])},
    optional={
        "static_fields": st.dictionaries(special_names, special_values, max_size=2),
        "defaults": st.dictionaries(special_names, simple_values, max_size=2),
        "rename_fields": st.dictionaries(special_names, st.sampled_from(SPECIAL), max_size=2),
        "json_ensure_ascii": st.booleans(),
        "prefix": st.sampled_from(["@cee: ", "\xe9"]),
    },
)
attributes = st.sampled_from(
    [
        *([{}] * 4),
        {"thread": None, "threadName": None},
        {"process": None, "processName": None},
        {"lineno": None},
        {"levelno": 30, "levelname": "WARNING"},
        {"levelno": 60, "levelname": "caf\xe9"},
    ]
)


@pytest.mark.parametrize("deliver_batch", DELIVERIES)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_batches_are_written_as_one_at_a_time(
    deliver_batch: Any, data: st.DataObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = data.draw(schema_options)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", data.draw(st.sampled_from(["", "p"])))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8", "ascii"]))
    given_records = data.draw(st.lists(st.tuples(records, special_extras, attributes), min_size=1, max_size=6))
    outcomes = []
    for deliver in (one_at_a_time, deliver_batch):
        own = [
            record_of(**{**given_record, **more, "extra": copy.copy(extra)})
            for given_record, extra, more in given_records
        ]
        with tempfile.TemporaryDirectory() as name:
            outcomes.append(
                written(
                    Path(name),
                    logflume.JsonFormatter(**chosen),
                    encoding,
                    lambda handler, batch: deliver(handler, batch, unexpected),  # noqa: B023
                    own,
                )
            )
    assert outcomes[0] == outcomes[1]


@needs_gil  # without it a clock that is replaced later is none for captured records
@pytest.mark.skipif(logflume.IMPLEMENTATION != "compiled", reason="the pure core accelerates nothing")
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_captured_records_are_written_as_standard_ones(
    accelerated: None, data: st.DataObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = data.draw(schema_options)
    monkeypatch.setenv("OTEL_SERVICE_NAME", data.draw(st.sampled_from(["", "p"])))
    monkeypatch.setattr(logging, "logThreads", data.draw(st.booleans()))
    monkeypatch.setattr(logging, "logProcesses", data.draw(st.booleans()))
    given_calls = data.draw(st.lists(calls_with(special_extras), min_size=1, max_size=6))
    standard, captured = logged(given_calls, logflume.JsonFormatter(**chosen))
    with tempfile.TemporaryDirectory() as name:
        expected = written(Path(name), logflume.JsonFormatter(**chosen), "utf-8", one_by_one, standard)
        assert written(Path(name), logflume.JsonFormatter(**chosen), "utf-8", together, captured) == expected


# ---- which records are composed, and until when ----


@pytest.fixture
def write(accelerated: None, tmp_path: Path) -> Iterator[Any]:
    """write(formatter, extra...) writes a captured record for each; returns them, and how many format() made."""
    if deliver_compiled is None or logflume.IMPLEMENTATION != "compiled":
        pytest.skip("the pure core calls the formatter for each record")
    handler = logging.FileHandler(tmp_path / "app.log", "w")

    def write(formatter: logging.Formatter, *extra: dict[str, Any]) -> tuple[list[Any], int]:
        handler.setFormatter(formatter)
        given_calls = [{"message": ("n", ()), "extra": each, "level": 20} for each in extra]
        _, batch = logged(given_calls, formatter)
        before = len((tmp_path / "app.log").read_text().splitlines())
        called = calls_of_format(lambda: deliver_compiled(handler, batch, unexpected))
        return [json.loads(line) for line in (tmp_path / "app.log").read_text().splitlines()[before:]], called

    yield write
    handler.close()


@needs_gil
@pytest.mark.parametrize("schema", ["ecs", "gcp", "otel"])
def test_no_formatter_is_called_for_common_records(write: Any, schema: Any) -> None:
    formatter = logflume.JsonFormatter(schema=schema, static_fields={"service": {"name": "shop"}})
    extra: tuple[dict[str, Any], ...] = (
        {},
        {"order": 7, "f": 1 / 3, "nothing": None},
        {"http.request.method": "GET", "http": {"version": "1.1"}},
        {"trace_id": "abc", "span_id": "f", "trace_flags": 1},
        {"otelTraceID": "0", "otelSpanID": "0", "otelTraceSampled": False, "otelServiceName": "shop"},
        {"labels": {"zone": "z"}, "http_request": {"status": 200}, "tags": ["a", 1]},
        *({"otelTraceID": f"{each:032x}", "otelSpanID": f"{each:016x}"} for each in range(1, 100)),
    )
    found, called = write(formatter, *extra)
    assert (len(found), called) == (len(extra), 0)


@needs_gil
def test_the_project_may_change(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    formatter = logflume.JsonFormatter(schema="gcp")
    name = "logging.googleapis.com/trace"
    for project, shown in ((None, "a"), ("p", "projects/p/traces/a"), ("q", "projects/q/traces/a")):
        if project is not None:
            monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", project)
        (first, second), called = write(formatter, {"trace": "a"}, {"trace": "projects/p/traces/b"})
        assert (first[name], second[name], called) == (shown, "projects/p/traces/b", 0)


@needs_gil
def test_what_is_in_a_static_field_may_change(write: Any) -> None:
    formatter = logflume.JsonFormatter(schema="ecs", static_fields={"service": {"name": "shop"}})
    assert write(formatter, {})[0][0]["service"] == {"name": "shop"}
    formatter.static_fields["service"]["name"] = "cart"
    assert write(formatter, {})[0][0]["service"] == {"name": "cart"}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_stream_is_replaced_while_the_environment_is_asked(
    lf: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Environment(dict[str, str]):
        def get(self, name: Any, default: Any = None) -> Any:
            while due:
                due.pop()()
            return super().get(name, default)

    due: list[Any] = []
    monkeypatch.setattr(os, "environ", Environment(os.environ))
    handler = logging.StreamHandler(open(tmp_path / "one", "w"))  # noqa: SIM115
    handler.setFormatter(lf.JsonFormatter(schema="gcp"))
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    with lf.setup_logging_queue(logger) as listener:
        logger.info("one")
        listener.flush(10)
        due.append(lambda: setattr(handler, "stream", open(tmp_path / "two", "w")))  # noqa: SIM115
        logger.info("two")
    handler.stream.close()
    assert [json.loads((tmp_path / name).read_text())["message"] for name in ("one", "two")] == ["one", "two"]
