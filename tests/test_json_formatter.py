"""JsonFormatter: what python-json-logger writes, with either core; and the schemas.

Where python-json-logger is installed it is asked; its answers for the records and options in json_records.py are kept
in json_expected.json. `python tests/test_json_formatter.py` asks it for them again.
"""

from __future__ import annotations

import copy
import importlib.metadata
import json
import logging
import queue
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import logflume
from deliveries import DELIVERIES, deliver_compiled, one_at_a_time
from helpers import drain, is_lazy
from json_records import (
    EXPECTED,
    OPTIONS,
    PAIRS,
    RECORDS,
    extras,
    messages,
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
        OPTIONS[pair[0]].get("_since", (3, 0)) > VERSION
        or (VERSION < (4, 2) and pair[1] == "exception in dict")
    ):
        pytest.skip("this version has no such option")
    expected = json.loads(EXPECTED.read_text("ascii"))
    assert (
        output(formatter(**options_of(pair[0])), record_of(**RECORDS[pair[1]])) == expected[" | ".join(pair)]
    )


@needs_theirs
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(chosen=options(VERSION), given_record=records)
def test_any_record_has_their_text(chosen: dict[str, Any], given_record: dict[str, Any]) -> None:
    record, same = record_of(**given_record), record_of(**given_record)
    if VERSION < (4, 2) and isinstance(record.msg, dict):
        same.msg = record.msg.copy()  # before, the dictionary got the exception
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


def written(
    folder: Path, formatter: logging.Formatter, encoding: str, deliver: Any, batch: list[logging.LogRecord]
) -> tuple[bytes, list[str]]:
    errors: list[str] = []
    handler = logging.FileHandler(folder / "app.log", "w", encoding)
    handler.setFormatter(formatter)
    handler.handleError = lambda record: errors.append(repr(sys.exc_info()[1]))  # type: ignore[method-assign]
    deliver(handler, batch)
    handler.close()
    return (folder / "app.log").read_bytes(), errors


def unexpected(*given: Any) -> None:
    pytest.fail(f"escaped: {given}")


@pytest.mark.parametrize("formatter", FORMATTERS)
@pytest.mark.parametrize("deliver_batch", DELIVERIES)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_batches_are_written_as_one_at_a_time(
    deliver_batch: Any, formatter: Any, data: st.DataObject
) -> None:
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


@pytest.fixture
def accelerated() -> Iterator[None]:
    logflume.accelerate_loggers()
    yield
    logflume.restore_loggers()


calls = st.fixed_dictionaries({"message": messages, "extra": extras, "level": st.sampled_from([20, 35, 50])})


def lazy_records(given_calls: list[dict[str, Any]]) -> list[logging.LogRecord]:
    """What an accelerated logger puts in the queue for these calls."""
    taken: Any = queue.SimpleQueue()
    logger = logging.getLogger("caf\xe9")
    logger.setLevel(1)
    logger.propagate = False
    logger.handlers = [logflume.LocalQueueHandler(taken)]
    for call in given_calls:
        logger.log(call["level"], call["message"][0], *call["message"][1], extra=call["extra"])
    found = drain(taken)
    assert all(map(is_lazy, found))
    return found


@pytest.mark.skipif(logflume.IMPLEMENTATION != "compiled", reason="the pure core has no lazy records")
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("formatter", FORMATTERS)
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_lazy_records_are_written_as_standard_ones(
    accelerated: None, formatter: Any, shared: bool, data: st.DataObject
) -> None:
    chosen = data.draw(options(VERSION if formatter is TheirFormatter else (4, 2)))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8", "ascii"]))
    lazy = lazy_records(data.draw(st.lists(calls, min_size=1, max_size=6)))
    standard = [logging.makeLogRecord(dict(vars(copy.copy(record)))) for record in lazy]
    rounds = data.draw(st.integers(1, 3))

    def one_by_one(handler: logging.Handler, batch: list[logging.LogRecord]) -> None:
        for _ in range(rounds):
            for record in batch:
                handler.handle(copy.copy(record))

    def together(handler: logging.Handler, batch: list[logging.LogRecord]) -> None:
        for _ in range(rounds - 1):  # from the second on the handler's plan is there
            deliver_compiled(handler, list(map(copy.copy, batch)), unexpected, int(shared))
        own = list(map(copy.copy, batch))
        deliver_compiled(handler, own, unexpected, int(shared))

    with tempfile.TemporaryDirectory() as name:
        expected = written(Path(name), formatter(**chosen), encoding, one_by_one, standard)
        assert written(Path(name), formatter(**chosen), encoding, together, lazy) == expected


@pytest.mark.skipif(logflume.IMPLEMENTATION != "compiled", reason="the pure core has no lazy records")
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    numbers=st.lists(
        st.one_of(
            st.floats(),
            st.floats(-1e16, 1e16),
            st.floats(1e-5, 1),
            st.builds(
                lambda whole, power: whole / 10**power, st.integers(-(10**16), 10**16), st.integers(0, 12)
            ),
            st.integers(-(2**64), 2**64),
        ),
        max_size=20,
    )
)
def test_numbers_are_those_of_json(accelerated: None, numbers: list[float]) -> None:
    lazy = lazy_records(
        [{"message": ("m", ()), "extra": {"number": number}, "level": 20} for number in numbers]
    )
    with tempfile.TemporaryDirectory() as name:
        text, errors = written(
            Path(name),
            logflume.JsonFormatter(),
            "utf-8",
            lambda handler, batch: deliver_compiled(handler, batch, unexpected, 1),
            lazy,
        )
    assert errors == []
    assert text.decode().splitlines() == [
        json.dumps({"message": "m", "number": number}) for number in numbers
    ]


if __name__ == "__main__":
    logging.Formatter.converter = __import__("time").gmtime
    found = {
        " | ".join(pair): output(TheirFormatter(**options_of(pair[0])), record_of(**RECORDS[pair[1]]))
        for pair in PAIRS
    }
    EXPECTED.write_text(json.dumps(found, indent=0) + "\n", "ascii")
