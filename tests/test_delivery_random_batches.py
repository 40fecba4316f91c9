"""Delivery: random handlers, formatters and records; batches write what the standard handlers write, on both cores."""

from __future__ import annotations

import io
import logging
import logging.handlers
import os
import string
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import deliveries
import logflume
from deliveries import DELIVERIES, deliver_compiled, one_at_a_time

FIELDS = (
    *(
        "name",
        "levelname",
        "levelno",
        "pathname",
        "filename",
        "module",
        "funcName",
        "lineno",
        "created",
        "msecs",
    ),
    *("relativeCreated", "thread", "threadName", "process", "processName", "message", "asctime", "exc_text"),
    *("request", "missing"),
)
PERCENT_SPECS = ("s", "-8s", "12s", ".3s", "d", "5d", "05d", "-5d", "+d", "x", "r", ".2f", "10.3f", "0s", "c")
BRACE_SPECS = ("", ":", ":<9", ":>9", ":^9", ":12", ":05", "!r", "!s:>8", ":d", ":.2f", ":x<7")


class Odd:
    """An argument that is neither string nor number."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<{self.text}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Odd:
        return self


class Refuses:
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Text(str):
    def __str__(self) -> str:
        return "changed " + str.__str__(self)


texts = st.one_of(
    st.text(max_size=12),
    st.text(alphabet=string.printable, max_size=40),
    st.sampled_from(
        [
            "",
            "\n",
            "two\nlines",
            "ends\n",
            "50 %",
            "caf\xe9",
            "\u65e5\u672c",
            "\U0001f600",
            "half \ud83d",
            "\r",
        ]
    ),
)
arguments = st.one_of(
    texts,
    st.integers(),
    st.integers(-5, 5),
    st.floats(),
    st.booleans(),
    st.none(),
    st.binary(max_size=3),
    st.builds(Odd, texts),
    st.builds(Text, texts),
    st.just(Refuses()),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from("ab"), st.integers(), max_size=2),
    st.tuples(st.integers(), texts),
)
messages = st.one_of(
    st.tuples(texts, st.just(())),
    st.tuples(
        st.lists(st.sampled_from(["%s", "%d", "%r", "%5.1f", "%-6s|", "%%", " text ", "\xe9 "]), max_size=4).map(
            "".join
        ),
        st.lists(arguments, max_size=4).map(tuple),
    ),
    st.tuples(st.sampled_from(["%(a)s", "%(a)d and %(b)s", "%s"]), st.dictionaries(st.sampled_from("ab"), arguments)),
    st.tuples(arguments, st.just(())),
)


def _raise(text: str) -> None:
    raise ValueError(text)


def _exc_info(text: str) -> Any:
    try:
        _raise(text)
    except ValueError:
        return sys.exc_info()


TRACEBACKS = [_exc_info("wrong"), _exc_info("wr\xf6ng\n"), (None, None, None)]


records = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["root", "a.b.c", "caf\xe9"]),
        "level": st.sampled_from([10, 20, 30, 35, 50]),
        "pathname": st.sampled_from(["/srv/app/main.py", "", "x"]),
        "lineno": st.integers(0, 5000),
        "message": messages,
        "exception": st.sampled_from([None, None, None, 0, 1, 2]),
        "func": st.sampled_from(["handler", None, "<module>"]),
        "sinfo": st.sampled_from([None, None, None, "Stack:\n  File", "st\xe4ck\n"]),
        "created": st.sampled_from([1700000000.25, 1700000000.999, 1700000001.0, 0.0, -1.5, 981173106.123]),
        "msecs": st.sampled_from([0.0, 7.0, 250.0, 999.0]),
        "extra": st.one_of(
            *[st.just({})] * 4,
            st.dictionaries(
                st.sampled_from(
                    ["request", "created", "msecs", "asctime", "exc_text", "getMessage", "other", "levelname"]
                ),
                st.sampled_from(["text", 12, None, 3.5, "\xfc"]),
                max_size=1,
            ),
        ),
        "missing": st.sampled_from(
            [*[None] * 30, "msg", "args", "exc_info", "exc_text", "created", "name", "stack_info"]
        ),
    }
)


def record_of(given: dict[str, Any]) -> logging.LogRecord:
    msg, args = given["message"]
    if isinstance(args, dict):
        args = (args,)
    exc_info = None if given["exception"] is None else TRACEBACKS[given["exception"]]
    record = logging.LogRecord(
        given["name"],
        given["level"],
        given["pathname"],
        given["lineno"],
        msg,
        args,
        exc_info,
        given["func"],
        given["sinfo"],
    )
    vars(record).update({"created": given["created"], "msecs": given["msecs"], "relativeCreated": 1.5})
    vars(record).update(given["extra"])
    if record.created is None:  # to time.localtime() that is now, which two deliveries do not share
        record.created = 0.0
    if given["missing"]:
        del vars(record)[given["missing"]]
    return record


@st.composite
def formatters(draw: st.DrawFn) -> logging.Formatter | None:
    style = draw(st.sampled_from("%%%{{$-"))
    if style == "-":
        return None
    parts = []
    common = st.sampled_from(["message", "asctime", "levelname", "name", "message", "lineno", "funcName"])
    for _ in range(draw(st.integers(0, 5))):
        name = draw(st.one_of(common, common, st.sampled_from(FIELDS)))
        plain = draw(st.integers(0, 2)) > 0
        if style == "%":
            parts.append(f"%({name}){'s' if plain else draw(st.sampled_from(PERCENT_SPECS))}")
        elif style == "{":
            parts.append(f"{{{name}{'' if plain else draw(st.sampled_from(BRACE_SPECS))}}}")
        else:
            parts.append(draw(st.sampled_from([f"${{{name}}}", f"${name}"])))
        parts.append(draw(st.sampled_from(["", " ", " - ", "\n", "\xb7", {"%": "%%", "{": "{{", "$": "$$"}[style]])))
    if draw(st.integers(0, 20)) == 0:
        parts.append(draw(st.sampled_from(["%", "{", "$", "%s", "{}", "%(asctime", "{asctime[0]}", "%(message)*d"])))
    defaults = draw(st.sampled_from([None, None, {}, {"request": "none"}, {"missing": 5, "message": "default"}]))
    formatter = logging.Formatter(
        "".join(parts),
        draw(st.sampled_from([None, None, "%H:%M:%S", "%d %b %Y", "%Y caf\xe9", "", "%%"])),
        style,
        validate=False,
        defaults=defaults,
    )
    if draw(st.integers(0, 3)) == 0:
        formatter.converter = draw(st.sampled_from([time.gmtime, lambda seconds: time.gmtime(5)]))
    if draw(st.integers(0, 3)) == 0:
        formatter.default_msec_format = draw(st.sampled_from([None, "%s.%03d", "%s:%d", "%s"]))
    if draw(st.integers(0, 6)) == 0:
        formatter.default_time_format = "%H.%M"
    return formatter


@st.composite
def set_ups(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "kind": draw(st.sampled_from(["string", "bytes", "stream", "own", "file", "watched", "rotating", "timed"])),
        "encoding": draw(
            st.sampled_from(["utf-8", "utf-8", None, "ascii", "latin-1", "utf-16", "utf-8-sig", "cp1252"])
        ),
        "errors": draw(st.sampled_from([None, "replace", "backslashreplace", "ignore"])),
        "delay": draw(st.booleans()),
        "newline": draw(st.sampled_from([None, "", "\n", "\r\n"])),
        "buffering": draw(st.sampled_from([-1, 1, 16, 300])),
        "max_bytes": draw(st.sampled_from([0, 1, 60, 200, 1000])),
        "terminator": draw(st.sampled_from(["\n", "\n", "\n", "", "\r\n", "\u2028", "\0"])),
        "formatter": draw(formatters()),
    }


def build(set_up: dict[str, Any], folder: Path, errors: list[Any]) -> logging.Handler:
    kind, encoding = set_up["kind"], set_up["encoding"]
    path = folder / "app.log"
    options = {"encoding": encoding, "errors": set_up["errors"], "delay": set_up["delay"]}
    handler: logging.Handler
    if kind == "string":
        handler = logging.StreamHandler(io.StringIO(newline=set_up["newline"]))
    elif kind == "bytes":
        wrapper = io.TextIOWrapper(io.BytesIO(), encoding, set_up["errors"], set_up["newline"])
        handler = logging.StreamHandler(wrapper)
    elif kind in ("stream", "own"):
        stream = open(  # noqa: SIM115
            path, "w", set_up["buffering"], encoding, set_up["errors"], set_up["newline"]
        )
        if kind == "stream":
            handler = logging.StreamHandler(stream)
        else:
            handler = logging.FileHandler(folder / "first.log", delay=True)
            handler.setStream(stream)
    elif kind == "file":
        handler = logging.FileHandler(path, "w", **options)
    elif kind == "watched":
        handler = logging.handlers.WatchedFileHandler(path, **options)
    elif kind == "rotating":
        handler = logging.handlers.RotatingFileHandler(path, "a", set_up["max_bytes"], 3, **options)
    else:
        handler = logging.handlers.TimedRotatingFileHandler(path, "S", backupCount=2, **options)
        handler.rolloverAt = 0 if set_up["max_bytes"] == 1 else 1 << 40
        handler.suffix = "rotated"
        handler.computeRollover = lambda now: 1 << 40
    handler.terminator = set_up["terminator"]  # type: ignore[attr-defined]
    handler.setFormatter(set_up["formatter"])

    def note(record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        errors.append((record.lineno, type(error), str(error)))

    handler.handleError = note  # type: ignore[method-assign]
    return handler


def results(handler: Any, folder: Path) -> dict[str, Any]:
    """Everything that came out."""
    stream = handler.stream
    found: dict[str, Any] = {}
    if stream is not None:
        stream.flush()
    if isinstance(stream, io.StringIO):
        found["text"] = stream.getvalue()
    elif stream is not None:
        if isinstance(stream.buffer, io.BytesIO):
            found["bytes"] = stream.buffer.getvalue()
        else:
            found["position"] = os.lseek(stream.fileno(), 0, os.SEEK_CUR)
    handler.close()
    if stream is not None:
        stream.close()
    found.update({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    return found


@pytest.mark.parametrize("deliver_batch", DELIVERIES)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_same_as_one_at_a_time(deliver_batch: Any, data: st.DataObject) -> None:
    set_up = data.draw(set_ups())
    given_records = data.draw(st.lists(records, min_size=1, max_size=12))
    sizes = data.draw(st.lists(st.integers(1, 8), min_size=1, max_size=6))
    outcomes = []
    for batches in (False, True):
        errors: list[Any] = []
        escaped: list[Any] = []
        own = [record_of(given) for given in given_records]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            handler = build(set_up, folder, errors)
            # Text that waits in the stream's buffers comes before all records.
            if set_up["kind"] != "string" and handler.stream is not None:  # type: ignore[attr-defined]
                handler.stream.write("header\n")  # type: ignore[attr-defined]

            def report(record: logging.LogRecord, handler: logging.Handler) -> None:
                escaped.append((record.lineno, type(sys.exc_info()[1])))  # noqa: B023

            if batches:
                rest = list(own)
                for size in [*sizes, len(own)]:
                    batch = rest[:size]
                    del rest[:size]
                    deliver_batch(handler, batch, report)
                    assert not batch
            else:
                one_at_a_time(handler, own, report)
            outcomes.append((results(handler, folder), errors, escaped, [list(vars(r).items()) for r in own]))
    assert outcomes[0][0] == outcomes[1][0]
    assert outcomes[0][1] == outcomes[1][1]
    assert outcomes[0][2] == outcomes[1][2]
    for one, other in zip(outcomes[0][3], outcomes[1][3], strict=True):
        assert repr(one) == repr(other) or any(isinstance(v, Refuses) for _, v in one)


calls = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["a.b.c", "other", "caf\xe9"]),
        "level": st.sampled_from([20, 35, 50]),
        "message": messages,
        "exception": st.sampled_from([None, None, None, 0, 1]),
        "extra": st.one_of(st.none(), st.just({"request": "r\xe9"}), st.just({"request": 5, "other": None})),
    }
)


def logged(
    given_calls: list[dict[str, Any]], formatter: logging.Formatter | None
) -> tuple[list[logging.LogRecord], list[Any]]:
    """As deliveries.logged(), of these calls."""

    def bound(call: dict[str, Any]) -> tuple[logging.Logger, Callable[[], object]]:
        logger = logging.getLogger(call["name"])
        msg, args = call["message"]
        args = (args,) if isinstance(args, dict) else args
        exc_info = None if call["exception"] is None else TRACEBACKS[call["exception"]]
        return logger, partial(logger.log, call["level"], msg, *args, exc_info=exc_info, extra=call["extra"])

    return deliveries.logged(map(bound, given_calls), formatter)


@pytest.mark.skipif(logflume.IMPLEMENTATION != "compiled", reason="the pure core accelerates nothing")
@pytest.mark.parametrize("made", [False, True])
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_captured_records_are_written_as_standard_ones(accelerated: None, made: bool, data: st.DataObject) -> None:
    set_up = data.draw(set_ups())
    standard, captured = logged(data.draw(st.lists(calls, min_size=1, max_size=8)), set_up["formatter"])
    if made:
        for record in captured:
            record.as_log_record()
    outcomes = []
    for records, ours in ((standard, False), (captured, True)):
        errors: list[Any] = []
        with tempfile.TemporaryDirectory() as name:
            handler = build(set_up, Path(name), errors)
            if ours:
                deliver_compiled(handler, records[:], lambda *given: pytest.fail(f"escaped: {given}"))
            else:
                for record in records:
                    handler.handle(record)
            outcomes.append((results(handler, Path(name)), errors))
    assert outcomes[0] == outcomes[1]
    for one, other in zip(standard, captured, strict=True):
        if made:
            assert getattr(one, "message", None) == getattr(other.as_log_record(), "message", None)
            assert getattr(one, "asctime", None) == getattr(other.as_log_record(), "asctime", None)


class Whole(int):
    def __str__(self) -> str:
        return "changed"


conversions = st.builds(
    "%{}{}{}".format,
    st.sampled_from(["", "", "", "", "-", "0", "+", " ", "#", "--", "-0", "00", "\0"]),
    st.sampled_from(["", "", "", "", "1", "2", "7", "10", "05", "123", "9999", "12345", "*"]),
    st.one_of(
        st.sampled_from(["s", "d", "f", "r", ".2f"]),
        st.sampled_from(["s", "d", "i", "x", "c", "%", "(a)s", ""]),
        st.sampled_from([".0f", ".2f", ".9f", ".10f", ".f", ".2s", ".3d"]),
    ),
)
simple_arguments = st.one_of(
    texts,
    st.integers(-9, 9),
    st.integers(),
    st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**30, 10**5000, -1, 0]),
    st.sampled_from([True, False, None, 1.5, -2e30, float("inf"), b"b", (1, "a"), Text("a"), Whole(7)]),
    st.floats(),
)


floats = st.one_of(
    st.floats(),
    st.floats(-1e6, 1e6),
    st.integers(-3000, 3000).map(lambda number: number / 8),  # many of which lie between two decimals
    st.sampled_from([0.0, -0.0, 5e-324, 0.5, 1.5, 2.5, 9.5, 0.9999999995, 2.0**53, 2.0**53 - 1, 1e22, 1e300]),
)


@st.composite
def templates(draw: st.DrawFn) -> tuple[str, tuple[Any, ...]]:
    """A message and, mostly, as many arguments as it takes."""
    wanted = draw(st.lists(conversions, max_size=draw(st.sampled_from([4, 4, 9]))))
    between = draw(st.lists(texts, min_size=len(wanted) + 1, max_size=len(wanted) + 1))
    template = between[0] + "".join(c + text for c, text in zip(wanted, between[1:], strict=True))
    count = max(0, len(wanted) + draw(st.sampled_from([0, 0, 0, 0, 0, 0, 1, -1])))
    given: list[Any] = []
    for conversion in [*wanted, "%s"][:count]:
        kind = conversion[-1]
        usual = st.integers() if kind in "di" else floats if kind == "f" else simple_arguments
        given.append(draw(st.one_of(usual, usual, simple_arguments)))
    if "*" in template:  # any of them may be a width: of gigabytes
        given = [value % 1000 if type(value) is int else value for value in given]
    return template, tuple(given)


plain_calls = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["a.b.c", "other", "caf\xe9"]),
        "level": st.sampled_from([20, 35, 50]),
        "message": templates(),
        "exception": st.none(),
        "extra": st.none(),
    }
)


@pytest.mark.skipif(logflume.IMPLEMENTATION != "compiled", reason="the pure core accelerates nothing")
@pytest.mark.parametrize(
    "fmt",
    [
        "%(message)s",
        "%(levelno)3d %(name)-9s|%(message)s|%(asctime)s",
        "%(name)s",
        "%(asctime)s %(levelname)s %(name)s:%(module)s %(message)s <%(filename)s %(threadName)s> %(lineno)d.",
        "".join(f"{i} %(name){i}s%(message)s" for i in range(12)),
    ],
)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(given_calls=st.lists(plain_calls, min_size=1, max_size=5), ascii_only=st.booleans())
def test_messages_of_captured_records(
    accelerated: None, fmt: str, given_calls: list[dict[str, Any]], ascii_only: bool
) -> None:
    standard, captured = logged(given_calls * 2 + given_calls[:1] * 2, logging.Formatter(fmt))
    outcomes = []
    for ours in (False, True):
        errors: list[Any] = []
        set_up = {
            "kind": "file",
            "encoding": "ascii" if ascii_only else "utf-8",
            "errors": None,
            "delay": False,
            "terminator": "\n",
            "formatter": logging.Formatter(fmt),
        }
        with tempfile.TemporaryDirectory() as name:
            handler = build(set_up, Path(name), errors)
            if ours:
                deliver_compiled(handler, captured, lambda *given: pytest.fail(f"escaped: {given}"))
            else:
                for record in standard:
                    handler.handle(record)
            outcomes.append((results(handler, Path(name)), errors))
    assert outcomes[0] == outcomes[1]


class Own:
    """A formatter that is not logging's: it counts, and does something odd with some records."""

    def __init__(self, inner: logging.Formatter | None, handler: Any, acts: list[str]) -> None:
        self.inner = inner or logging.Formatter()
        self.handler = handler
        self.acts = acts
        self.calls = 0

    def format(self, record: logging.LogRecord) -> Any:
        self.calls += 1
        act = self.acts[self.calls % len(self.acts)]
        if act == "raise":
            raise ValueError(self.calls)
        if act == "recursion":
            raise RecursionError(self.calls)
        if act == "number":
            return self.calls
        if act == "error":
            return KeyError(self.calls)
        if act == "terminator":
            self.handler.terminator = f"{self.calls}\n"
        if act == "filter":
            self.handler.addFilter(lambda record: record.lineno % 2 == 0)
        if act == "formatter":
            self.handler.formatter = self.inner
        text = f"{self.calls} {self.inner.format(record)}"
        return Text(text) if act == "text" else text


acts = st.lists(
    st.sampled_from(
        [*["none"] * 12, "raise", "recursion", "number", "error", "terminator", "filter", "formatter", "text"]
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("deliver_batch", DELIVERIES)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(set_up=set_ups(), given_records=st.lists(records, min_size=1, max_size=12), acts=acts)
def test_formatters_of_another_class(
    deliver_batch: Any, set_up: dict[str, Any], given_records: list[dict[str, Any]], acts: list[str]
) -> None:
    outcomes = []
    for batches in (False, True):
        errors: list[Any] = []
        own = [record_of(given) for given in given_records]
        with tempfile.TemporaryDirectory() as name:
            handler = build(set_up, Path(name), errors)
            handler.formatter = formatter = Own(set_up["formatter"], handler, acts)  # type: ignore[assignment]

            def report(record: logging.LogRecord, handler: logging.Handler) -> None:
                errors.append((record.lineno, "escaped", repr(sys.exc_info()[1])))  # noqa: B023

            if batches:
                deliver_batch(handler, own[:], report)
            else:
                one_at_a_time(handler, own, report)
            outcomes.append((results(handler, Path(name)), errors, [list(vars(r).items()) for r in own]))
            outcomes[-1] += (formatter.calls,)  # type: ignore[assignment]
    assert outcomes[0][:2] == outcomes[1][:2]
    assert outcomes[0][3:] == outcomes[1][3:]
    for one, other in zip(outcomes[0][2], outcomes[1][2], strict=True):
        assert repr(one) == repr(other) or any(isinstance(v, Refuses) for _, v in one)
