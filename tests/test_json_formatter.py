"""JsonFormatter: what python-json-logger writes, with either core.

Where python-json-logger is installed it is asked; its answers for the records and options in json_records.py are kept
in json_expected.json. `python tests/test_json_formatter.py` asks it for them again.
"""

from __future__ import annotations

import copy
import importlib.metadata
import json
import logging
import logging.handlers
import pickle
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import cores
import logflume
from deliveries import DELIVERIES, deliver_compiled, one_at_a_time
from helpers import needs_gil, run_code
from json_batches import calls, calls_of_format, logged, one_by_one, together, unexpected, written
from json_records import (
    EXPECTED,
    FORMAT,
    OPTIONS,
    PAIRS,
    RECORDS,
    TRACEBACKS,
    options,
    options_of,
    output,
    record_of,
    records,
)

try:
    from pythonjsonlogger.json import JsonFormatter as TheirFormatter
except ImportError:
    TheirFormatter = None  # type: ignore[assignment, misc]
VERSION: tuple[int, ...] = (0,)
if TheirFormatter is not None:
    VERSION = tuple(map(int, importlib.metadata.version("python-json-logger").split(".")[:2]))
needs_theirs = pytest.mark.skipif(TheirFormatter is None, reason="python-json-logger is not installed")
FORMATTERS = [pytest.param(logflume.JsonFormatter, id="ours")]
if TheirFormatter is not None:
    FORMATTERS.append(pytest.param(TheirFormatter, id="theirs"))


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.Formatter, "converter", __import__("time").gmtime)


# ---- the same text as python-json-logger ----


@pytest.mark.parametrize("pair", PAIRS, ids=" | ".join)
@pytest.mark.parametrize("formatter", FORMATTERS)
def test_text_is_the_recorded_one(formatter: type[logging.Formatter], pair: tuple[str, str]) -> None:
    if formatter is TheirFormatter and (
        OPTIONS[pair[0]].get("_since", (3, 0)) > VERSION or (VERSION < (4, 2) and pair[1] == "exception in dict")
    ):
        pytest.skip("this version has no such option")
    expected = json.loads(EXPECTED.read_text("ascii"))
    text = output(formatter(**options_of(pair[0])), record_of(**RECORDS[pair[1]]))
    # Recorded on 3.11, whose records have no such attribute.
    text = text.replace('"taskName": null, ', "")
    if sys.implementation.name == "pypy":  # where the attributes of an object have an order of their own
        assert sorted(text) == sorted(expected[" | ".join(pair)])
    else:
        assert text == expected[" | ".join(pair)]


@needs_theirs
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(chosen=options(VERSION), given_record=records)
def test_any_record_has_their_text(chosen: dict[str, Any], given_record: dict[str, Any]) -> None:
    record, same = record_of(**given_record), record_of(**given_record)
    if VERSION < (4, 2) and isinstance(record.msg, dict):
        record.exc_info = same.exc_info = record.stack_info = same.stack_info = None  # went into the caller's dict
    theirs = output(TheirFormatter(**chosen), same)
    assert output(logflume.JsonFormatter(**chosen), record) == theirs
    assert vars(record).keys() == vars(same).keys()


@needs_theirs
@pytest.mark.skipif(VERSION < (4, 0), reason="before, no sequence")
def test_constructor_refuses_what_theirs_refuses() -> None:
    for given_options in (
        {"style": "?"},
        {"fmt": "no field"},
        {"fmt": "{", "style": "{"},
        {"style": "$", "fmt": "$"},
    ):
        errors = []
        for formatter in (TheirFormatter, logflume.JsonFormatter):
            with pytest.raises(ValueError, match=r"Style|format|placeholder") as raised:
                formatter(**given_options)
            errors.append(str(raised.value))
        assert errors[0] == errors[1]


@needs_theirs
def test_constructor_takes_their_arguments() -> None:
    import inspect

    known = {
        name
        for cls in TheirFormatter.__mro__[:2]
        for name in inspect.signature(cls.__init__).parameters
        if name not in ("self", "args", "kwargs")
    }
    assert known <= set(inspect.signature(logflume.JsonFormatter.__init__).parameters)


# ---- batches: the same bytes as one at a time, with each core ----


@pytest.mark.parametrize("formatter", FORMATTERS)
@pytest.mark.parametrize("deliver_batch", DELIVERIES)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_batches_are_written_as_one_at_a_time(deliver_batch: Any, formatter: Any, data: st.DataObject) -> None:
    chosen = data.draw(options(VERSION if formatter is TheirFormatter else (4, 2)))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8", "ascii", "latin-1"]))
    given_records = data.draw(st.lists(records, min_size=1, max_size=6))
    outcomes = []
    for batches in (False, True):
        own = [record_of(**copy.copy(each)) for each in given_records]
        for record in own:
            if isinstance(record.msg, dict):
                record.msg = record.msg.copy()

        def deliver(handler: logging.Handler, batch: list[logging.LogRecord]) -> None:
            if batches:  # noqa: B023
                deliver_batch(handler, batch[:1], unexpected)
                deliver_batch(handler, batch[1:], unexpected)
            else:
                one_at_a_time(handler, batch, unexpected)

        with tempfile.TemporaryDirectory() as name:
            outcomes.append(written(Path(name), formatter(**chosen), encoding, deliver, own))
        outcomes.append([{**vars(record), "exc_info": None} for record in own])
    assert outcomes[0] == outcomes[2]
    assert repr([each.keys() for each in outcomes[1]]) == repr([each.keys() for each in outcomes[3]])


@needs_gil  # without it a clock that is replaced later is none for captured records
@pytest.mark.skipif(logflume.IMPLEMENTATION != "compiled", reason="the pure core accelerates nothing")
@pytest.mark.parametrize("made", [False, True])
@pytest.mark.parametrize("formatter", FORMATTERS)
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_captured_records_are_written_as_standard_ones(
    accelerated: None, formatter: Any, made: bool, data: st.DataObject
) -> None:
    chosen = data.draw(options(VERSION if formatter is TheirFormatter else (4, 2)))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8", "ascii"]))
    given_calls = data.draw(st.lists(calls, min_size=1, max_size=6))
    made_formatter = formatter(**chosen)
    # a message that can change is text by then; it matters only where `msg` itself is shown
    assume("msg" in made_formatter._skip_fields and "msg" not in made_formatter._required_fields)
    standard, captured = logged(given_calls, made_formatter)
    if made:
        for record in captured:
            record.as_log_record()

    with tempfile.TemporaryDirectory() as name:
        expected = written(Path(name), formatter(**chosen), encoding, one_by_one, standard)
        assert written(Path(name), formatter(**chosen), encoding, together, captured) == expected


@needs_gil  # without it a clock that is replaced later is none for captured records
@pytest.mark.skipif(logflume.IMPLEMENTATION != "compiled", reason="the pure core accelerates nothing")
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    numbers=st.lists(
        st.one_of(
            st.floats(),
            st.floats(-1e16, 1e16),
            st.floats(1e-5, 1),
            st.builds(lambda whole, power: whole / 10**power, st.integers(-(10**16), 10**16), st.integers(0, 12)),
            st.integers(-(2**64), 2**64),
        ),
        max_size=20,
    )
)
def test_numbers_are_those_of_json(accelerated: None, numbers: list[float]) -> None:
    given_calls = [{"message": ("m", ()), "extra": {"number": number}, "level": 20} for number in numbers]
    _, captured = logged(given_calls, logflume.JsonFormatter())
    with tempfile.TemporaryDirectory() as name:
        text, errors = written(
            Path(name),
            logflume.JsonFormatter(),
            "utf-8",
            lambda handler, batch: deliver_compiled(handler, batch, unexpected),
            captured,
        )
    assert errors == []
    assert text.decode().splitlines() == [json.dumps({"message": "m", "number": number}) for number in numbers]


# ---- which formatters are composed, and until when ----


@pytest.fixture
def write(accelerated: None, tmp_path: Path) -> Iterator[Any]:
    """write(formatter) writes a few captured records; returns the lines and how many format() was called for."""
    if not cores.HAS_GIL:
        pytest.skip("without it a clock that is replaced later is none for captured records")
    if deliver_compiled is None or logflume.IMPLEMENTATION != "compiled":
        pytest.skip("the pure core calls the formatter for each record")
    handler = logging.FileHandler(tmp_path / "app.log", "w")

    def write(formatter: logging.Formatter, *extra: dict[str, Any]) -> tuple[list[str], int]:
        handler.setFormatter(formatter)
        given_calls = [
            {"message": ("n %d", (i,)), "extra": each, "level": 20} for i, each in enumerate(extra or ({}, {}))
        ]
        _, batch = logged(given_calls, formatter)
        before = len((tmp_path / "app.log").read_text().splitlines())
        called = calls_of_format(lambda: deliver_compiled(handler, batch, unexpected))
        return (tmp_path / "app.log").read_text().splitlines()[before:], called

    yield write
    handler.close()


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_no_formatter_is_called_for_common_records(write: Any, formatter: Any) -> None:
    extra = ({"order": 1}, {"f": 1 / 3, "n": None}, {"nested": {"a": [1]}, "price": 2.5}, {})
    for chosen in ({}, {"timestamp": True, "rename_fields": {"message": "text", "order": "id"}}):
        assert write(formatter(**chosen), *extra)[1] == 0
    assert write(formatter(), {"message2": 1}, {"exc_info2": 2}) == (
        ['{"message": "n 0", "message2": 1}', '{"message": "n 1", "exc_info2": 2}'],
        0,
    )


@pytest.mark.parametrize("schema", [None, "ecs"])
def test_any_number_of_names_is_composed(write: Any, schema: Any) -> None:
    formatter = logflume.JsonFormatter(schema=schema)
    for first in range(0, 600, 100):  # layouts are dropped when there are many
        names = [f"name {each}" for each in range(first, first + 100)]
        lines, called = write(formatter, *({name: each} for name in names for each in range(10)))
        assert called == 0
        assert [f'"name {i // 10}"' in line for i, line in enumerate(lines, first * 10)] == [True] * 1000


def test_names_that_do_not_come_again_are_left_to_the_formatter(write: Any) -> None:
    formatter = logflume.JsonFormatter()
    lines, called = write(formatter, *({f"name {each}": each} for each in range(1000)))
    assert [json.loads(line).popitem() for line in lines] == [(f"name {each}", each) for each in range(1000)]
    assert 500 < called < 1000
    assert write(formatter, *({"name 1": each} for each in range(10)))[1] == 0


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_what_changes_in_the_formatter_shows(write: Any, formatter: Any) -> None:
    changed = formatter(static_fields={"a": 1})
    for text, change in (
        ('{"message": "n 0", "a": 1}', lambda: None),
        ('{"message": "n 0", "a": 1}', lambda: None),
        ('{"message": "n 0", "a": 2}', lambda: changed.static_fields.update(a=2)),
        ('{"message": "n 0", "a": true}', lambda: changed.static_fields.update(a=True)),
        ('{"text": "n 0", "a": true}', lambda: changed.rename_fields.update(message="text")),
        ('> {"text": "n 0", "a": true}', lambda: setattr(changed, "prefix", "> ")),
        ('> [{"text": "n 0", "a": true}]', lambda: setattr(changed, "jsonify_log_record", in_list)),
    ):

        def in_list(data: Any) -> str:
            return f"[{json.dumps(data)}]"

        change()
        assert write(changed)[0][0] == text


@pytest.mark.parametrize("kind", [list, dict])
@pytest.mark.parametrize("formatter", FORMATTERS)
def test_a_static_field_that_contains_itself_is_an_error_of_each_record(
    write: Any, formatter: Any, kind: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    endless = kind()
    endless.append(endless) if kind is list else endless.update(a=endless)
    assert write(formatter(static_fields={"endless": endless}), {})[0] == []
    assert "Circular reference" in capsys.readouterr().err


@pytest.mark.parametrize("base", FORMATTERS)
def test_hooks_are_called(write: Any, base: Any) -> None:
    class Hooked(base):
        def parse(self) -> list[str]:
            return [*super().parse(), "levelname"]

        def add_fields(self, log_data: dict[str, Any], record: Any, message_dict: dict[str, Any]) -> None:
            super().add_fields(log_data, record, message_dict)
            log_data["added"] = record.levelno

        def process_log_record(self, log_data: dict[str, Any]) -> Any:
            return super().process_log_record({**log_data, "processed": True})

        def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
            return super().jsonify_log_record({**log_data, "jsonified": True})

        def serialize_log_record(self, log_data: dict[str, Any]) -> str:
            return "> " + super().serialize_log_record(log_data)

    text = '> {"message": "n 0", "levelname": "INFO", "added": 20, "processed": true, "jsonified": true}'
    assert write(Hooked())[0][0] == text


HOOKS = (
    *("format", "parse", "add_fields", "process_log_record", "jsonify_log_record", "serialize_log_record"),
    *("formatTime", "formatException", "formatStack", "formatMessage", "usesTime"),
)


def calls_of_hooks(base: type[Any], given_records: list[logging.LogRecord]) -> list[Any]:
    """Which methods a formatter of this class calls, and with what."""
    called: list[Any] = []

    def noting(name: str) -> Any:
        def method(self: Any, *args: Any) -> Any:
            shown = [repr(dict(arg)) if isinstance(arg, dict) else type(arg).__name__ for arg in args]
            called.append((name, shown))
            found = getattr(base, name)(self, *args)
            called.append((name, repr(found)))
            return found

        return method

    formatter = type("Noting", (base,), {name: noting(name) for name in HOOKS})(FORMAT, timestamp=True)
    for record in given_records:
        called.append(output(formatter, record))
        called.append(list(vars(record)))
    return called


@needs_theirs
def test_hooks_are_called_as_theirs() -> None:
    given: list[dict[str, Any]] = [
        *(RECORDS[name] for name in RECORDS if name != "exception in dict" or VERSION >= (4, 2)),
        {"exc_info": TRACEBACKS[0], "exc_text": "text", "stack_info": "stack"},
        {"exc_text": "text", "stack_info": "stack"},
    ]
    ours, theirs = (
        calls_of_hooks(base, [record_of(**each) for each in given]) for base in (logflume.JsonFormatter, TheirFormatter)
    )
    assert [re.sub(" at 0x[0-9A-Fa-f]+", "", str(each)) for each in ours] == [
        re.sub(" at 0x[0-9A-Fa-f]+", "", str(each)) for each in theirs
    ]


def test_a_changed_python_json_logger_is_called(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if TheirFormatter is None:
        pytest.skip("python-json-logger is not installed")
    formatter = TheirFormatter()
    assert write(formatter)[1] == 0
    monkeypatch.setattr(TheirFormatter.__mro__[1], "process_log_record", lambda self, data: {"patched": True})
    lines, called = write(formatter)
    assert lines == ['{"patched": true}'] * 2
    assert called


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"exc_info_as_array": True},
        {"schema": "ecs"},
        {"fmt": "%(exc_text)s"},
        {"fmt": ["levelname", "message"]},
        {"fmt": "levelname,message", "style": ","},
    ],
)
@pytest.mark.parametrize("most_bytes", [0, 1 << 20])
def test_exceptions_are_those_of_the_call(
    lf: ModuleType, most_bytes: int, chosen: dict[str, Any], tmp_path: Path
) -> None:
    lines = []
    for queued in (False, True):
        handler = logging.handlers.RotatingFileHandler(tmp_path / f"{queued}.log", maxBytes=most_bytes)
        handler.setFormatter(lf.JsonFormatter(**chosen))
        logging.root.handlers = [handler]
        listener = lf.setup_logging_queue(accelerate=True) if queued else None
        for _ in range(3):
            try:
                raise KeyError("k")
            except KeyError:
                logging.getLogger("shop").exception("failed")
        if listener is not None:
            listener.stop()
        handler.close()
        lines.append(re.sub('"[0-9-]+T[^"]*"', "", (tmp_path / f"{queued}.log").read_text()))
    assert lines[0].splitlines() == lines[1].splitlines()
    assert lines[0].count("KeyError") >= 3


# ---- the formatter itself ----


def test_it_can_be_copied_and_pickled(lf: Any) -> None:
    formatter = lf.JsonFormatter(FORMAT, timestamp=True)
    text = formatter.format(record_of())
    assert copy.deepcopy(formatter).format(record_of()) == text
    assert pickle.loads(pickle.dumps(formatter)).format(record_of()) == text


def test_json_is_imported_with_the_first_formatter() -> None:
    code = "import sys, logflume; print('json' in sys.modules); logflume.JsonFormatter(); print('json' in sys.modules)"
    assert run_code(code).stdout.split() == ["False", "True"]


if __name__ == "__main__":
    logging.Formatter.converter = __import__("time").gmtime
    found = {
        " | ".join(pair): output(TheirFormatter(**options_of(pair[0])), record_of(**RECORDS[pair[1]])) for pair in PAIRS
    }
    EXPECTED.write_text(json.dumps(found, indent=0) + "\n", "ascii")
