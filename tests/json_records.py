"""Records and options for the tests of JsonFormatter: some by name, whose output is recorded, and random ones."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import logging
import string
import sys
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

EXPECTED = Path(__file__).with_name("json_expected.json")
FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"

# ---- values ----


class Color(enum.Enum):
    RED = "red"
    PAIR = (1, 2)


class Level(enum.IntEnum):
    HIGH = 3


@dataclasses.dataclass
class Point:
    x: int
    y: Any = None


class Silent:
    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __repr__(self) -> str:
        return "<silent>"


class Mute(Silent):
    def __repr__(self) -> str:
        if "hypothesis" in sys._getframe(1).f_globals["__name__"]:
            return "<mute>"
        raise RuntimeError("no text either")


class Text(str):
    pass


class Whole(int):
    def __repr__(self) -> str:
        return "whole"


class BadError(Exception):
    def __repr__(self) -> str:
        return "BadError()"

    def __str__(self) -> str:
        raise RuntimeError("no text")


ZONE = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
ODD_VALUES: dict[str, Any] = {
    "datetime": datetime.datetime(2026, 11, 27, 4, 5, 6, 700, ZONE),
    "naive": datetime.datetime(2026, 11, 27),
    "date": datetime.date(2026, 11, 27),
    "time": datetime.time(4, 5, tzinfo=datetime.UTC),
    "enum": Color.RED,
    "enum pair": Color.PAIR,
    "enum class": Color,
    "int enum": Level.HIGH,
    "int enum class": Level,
    "bytes": b"\x00\xff~",
    "bytearray": bytearray(b"ab"),
    "dataclass": Point(1, [Point(2)]),
    "dataclass class": Point,
    "class": dict,
    "exception": ValueError("wrong", 1),
    "exception class": KeyError,
    "silent": Silent(),
    "mute": Mute(),
    "complex": 1 + 2j,
    "set": {1},
    "text": Text("t\xe9xt"),
    "whole": Whole(5),
    "tuple": (1, (2.5, None)),
    "nested": {"a": [{"b": {"c": [True, False, None, "\u20ac"]}}]},
    "keys": {0: "a", None: "b", True: "c", 2.5: "d"},
    "empty": [{}, [], ()],
}
STRINGS = {
    "ascii": "".join(map(chr, range(128))),
    "escapes": '"quoted" back\\slash\n\r\t\b\f\x00\x1f\x7f/',
    "latin": "caf\xe9 \x80\xff",
    "wide": "\u20ac \u2028 \U0001f600 \uffff",
    "half": "\ud83d",
    "halves": "\udc00\ud800",
    "long": "x" * 300 + '"' + "y" * 300,
}
NUMBERS = {
    "zero": 0,
    "minus": -1,
    "huge": 10**40,
    "largest": 2**63 - 1,
    "larger": 2**63,
    "float": 0.1,
    "thirds": 1 / 3,
    "whole float": 3.0,
    "minus zero": -0.0,
    "large float": 1e22,
    "small float": 1e-7,
    "nan": float("nan"),
    "infinity": float("inf"),
    "minus infinity": float("-inf"),
    "true": True,
    "false": False,
    "none": None,
}

# ---- records ----

ATTRIBUTES = {
    "created": 1795752306.123456,
    "msecs": 123.0,
    "relativeCreated": 1.5,
    "thread": 1234,
    "threadName": "Main \xe9",
    "process": 4711,
    "processName": "MainProcess",
}
UNTRACED = (ValueError, ValueError("wr\xf6ng"), None)  # without frames, whose look depends on the Python


def record_of(msg: Any = "paid", args: Any = (), extra: Any = (), **attributes: Any) -> logging.LogRecord:
    """A record that is the same on each run."""
    record = logging.LogRecord("shop.cart", 20, "/srv/shop/cart.py", 42, msg, args, None, "pay", None)
    vars(record).update(ATTRIBUTES)
    vars(record).update(attributes)
    vars(record).update(extra)
    return record


RECORDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "arguments": {"msg": 'order %d of "%s"\n', "args": (7, "caf\xe9")},
    "mapping": {"msg": "%(a)s", "args": ({"a": 1},)},
    "extra": {"extra": {"order": 7, "user": "j\xf6", "price": 9.5, "ok": True, "nothing": None}},
    "hidden": {"extra": {"_private": 1, "shown": 2}},
    "dict": {"msg": {"event": "paid", "order": 7}},
    "dict and extra": {"msg": {"a": 1, "b": 2}, "extra": {"b": 3, "c": 4}},
    "dict of names": {"msg": {"message": "mine", "levelname": "X", "timestamp": 0, "exc_info": "none"}},
    "exception": {"exc_info": UNTRACED},
    "exception text": {"exc_text": "Traceback ...\nwrong"},
    "stack": {"stack_info": 'Stack:\n  File "x"'},
    "exception in dict": {"msg": {"exc_info": "mine"}, "exc_info": UNTRACED, "stack_info": "s"},
    "clashes": {"extra": {"timestamp": "mine", "service": "mine", "message2": 1, "severity": "mine", "request": "r"}},
    "keys": {"extra": {1: "one", None: "none", "caf\xe9": 1, 'q"': 2}},
    "whole second": {"created": 1795752306.0, "msecs": 0.0},
    "other level": {"levelno": 35, "levelname": "NOTICE"},
    "strings": {"msg": STRINGS["escapes"], "extra": STRINGS},
    "numbers": {"extra": NUMBERS},
    "odd values": {"extra": ODD_VALUES},
    "odd message": {"msg": Point(1)},
}

OPTIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "format": {"fmt": FORMAT},
    "all fields": {"fmt": " ".join(f"%({name})s" for name in vars(record_of()))},
    "braces": {"fmt": "{levelname} {message:>10} {missing!r}", "style": "{", "validate": False},
    "dollar": {"fmt": "${levelname} $$ ${message}", "style": "$"},
    "names": {"fmt": "$levelname $message", "style": "$", "_since": (4, 2)},
    "commas": {"fmt": "levelname, message,,missing ", "style": ",", "_since": (4, 0)},
    "sequence": {"fmt": ("message", "levelname", "request"), "_since": (4, 0)},
    "nothing": {"fmt": (), "_since": (4, 0)},
    "twice": {"fmt": "%(message)s %(message)s"},
    "datefmt": {"fmt": FORMAT, "datefmt": '%d "%b" %Y'},
    "prefix": {"prefix": "@cee: "},
    "rename": {"fmt": FORMAT, "rename_fields": {"levelname": "severity", "message": "text", "order": "id"}},
    "rename to another": {"rename_fields": {"order": "user", "message": "order"}},
    "rename two": {"rename_fields": {"order": "x", "user": "x"}},
    "rename extra": {"rename_fields": {"user": "who", "missing": "there"}},
    "keep missing": {
        "rename_fields": {"user": "who", "missing": "there"},
        "rename_fields_keep_missing": True,
    },
    "static": {"static_fields": {"service": "shop", "version": 3, "nested": {"a": 1}}},
    "static clash": {"fmt": FORMAT, "static_fields": {"message": "static", "order": 0}},
    "defaults": {
        "defaults": {"request": "-", "user": None},
        "rename_fields": {"user": "who"},
        "_since": (3, 2),
    },
    "reserved": {"reserved_attrs": ["args", "msg", "message", "order"]},
    "reserved all": {"reserved_attrs": []},
    "timestamp": {"timestamp": True},
    "timestamp name": {"timestamp": "@timestamp", "fmt": FORMAT},
    "timestamp renamed": {"timestamp": True, "rename_fields": {"timestamp": "time"}},
    "timestamp clash": {"timestamp": "message"},
    "arrays": {"exc_info_as_array": True, "stack_info_as_array": True, "_since": (3, 3)},
    "unicode": {"fmt": FORMAT, "json_ensure_ascii": False},
    "indent": {"json_indent": 2},
    "default": {"json_default": repr},
    "encoder": {"json_encoder": json.JSONEncoder},
    "serializer": {"json_serializer": lambda data, **options: f"{list(data)} {sorted(options)}"},
    "everything": {
        "fmt": FORMAT,
        "prefix": "\xe9",
        "rename_fields": {"levelname": "level", "caf\xe9": "coffee"},
        "static_fields": {"service": "sh\xf6p"},
        "timestamp": True,
        "json_ensure_ascii": False,
    },
}
PAIRS = [
    *((options, record) for options in OPTIONS for record in ("extra", "dict and extra", "clashes")),
    *((options, record) for options in ("none", "format", "unicode", "everything") for record in RECORDS),
]


def options_of(name: str) -> dict[str, Any]:
    return {key: value for key, value in OPTIONS[name].items() if key != "_since"}


def output(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """What comes of a record: its text, or the exception."""
    try:
        return formatter.format(record)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


# ---- random ones ----

texts = st.one_of(
    st.text(max_size=12),
    st.text(alphabet=string.printable, max_size=40),
    st.text(alphabet='ab"\\\n\x7f\xe9\u20ac\U0001f600\ud800', max_size=20),
    st.sampled_from(list(STRINGS.values())),
)
simple_values = st.one_of(
    texts,
    st.integers(),
    st.integers(-5, 5),
    st.floats(),
    st.floats(0, 100).map(lambda number: round(number, 3)),
    st.booleans(),
    st.none(),
    st.sampled_from(list(NUMBERS.values())),
)
odd_values = st.one_of(
    st.sampled_from(list(ODD_VALUES)).map(ODD_VALUES.__getitem__),  # by name: hypothesis shows what it samples
    st.datetimes(timezones=st.one_of(st.none(), st.just(ZONE), st.just(datetime.UTC))),
    st.binary(max_size=5),
    st.builds(Point, st.integers(), texts),
    st.builds(ValueError, texts),
    st.just(BadError()),
    st.builds(Text, texts),
)
keys = st.one_of(texts, st.sampled_from([1, None, 2.5, True, "a", "b"]))
values = st.recursive(
    st.one_of(simple_values, simple_values, odd_values),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=2).map(tuple),
        st.dictionaries(keys, inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", (1,), b"k"]), inner, max_size=1),
    ),
    max_leaves=6,
)
field_names = st.one_of(
    st.sampled_from(["order", "user", "request", "timestamp", "service", "_hidden", "caf\xe9", "severity", "level"]),
    texts,
)
extras = st.one_of(
    st.just({}),
    st.dictionaries(field_names, simple_values, max_size=4),
    st.dictionaries(field_names, values, max_size=3),
)
messages = st.one_of(
    st.tuples(texts, st.just(())),
    st.tuples(st.sampled_from(["%s", "a %s b", '"%s"', "%s\xe9", "%d", "%r"]), st.tuples(values)),
    st.tuples(st.just("%s %d %%"), st.tuples(texts, st.integers())),
    st.tuples(st.dictionaries(field_names, values, max_size=3), st.just(())),
    st.tuples(odd_values, st.just(())),
)


def _raised() -> Any:
    try:
        raise ValueError("wr\xf6ng\n")
    except ValueError:
        return sys.exc_info()


TRACEBACKS: list[Any] = [_raised(), UNTRACED]


def _record(
    message: tuple[Any, Any],
    extra: dict[Any, Any],
    exception: tuple[int | None, str | None],
    created: float,
    stack: str | None,
) -> dict[str, Any]:
    return {
        "msg": message[0],
        "args": message[1],
        "extra": extra,
        "exc_info": None if exception[0] is None else TRACEBACKS[exception[0]],
        "exc_text": exception[1],
        "created": created,
        "msecs": float(int(created * 1000) % 1000),
        "stack_info": stack,
    }


records = st.builds(
    _record,
    messages,
    extras,
    st.sampled_from([(None, None)] * 6 + [(0, None), (1, None), (1, "text"), (None, "text"), (None, "")]),
    st.one_of(
        st.floats(0, 4e9),
        st.sampled_from([1795752306.9999996, 1795752306.0, 0.0, 1709164800.5, 951782400.25, -1.5]),
    ),
    st.sampled_from([None, None, None, "Stack:\n  File", ""]),
)

FIELDS = st.sampled_from(
    [
        *("asctime", "levelname", "message", "name", "message", "lineno", "funcName", "created", "msecs"),
        *(
            "relativeCreated",
            "thread",
            "threadName",
            "process",
            "processName",
            "exc_info",
            "exc_text",
            "args",
        ),
        *("msg", "order", "user", "missing", "taskName", "levelno", "pathname", "filename", "module"),
    ]
)


@st.composite
def options(draw: st.DrawFn, since: tuple[int, ...] = (4, 2)) -> dict[str, Any]:
    """Options that the package of a version has."""
    found: dict[str, Any] = {}
    names = draw(st.lists(FIELDS, max_size=6))
    if draw(st.integers(0, 3)):
        style = draw(st.sampled_from("%%%{$"))
        found["fmt"] = " ".join({"%": f"%({n})s", "{": f"{{{n}}}", "$": f"${{{n}}}"}[style] for n in names) or None
        found["style"] = style
        found["validate"] = False
    new_names = st.sampled_from(["level", "severity", "order", "user", "x", "message", "timestamp"])
    optional: dict[str, st.SearchStrategy[Any]] = {
        "datefmt": st.sampled_from(["%H:%M:%S", 'a "%Y" \xe9', "", "%j"]),
        "prefix": st.sampled_from(["", "@cee: ", "\xe9 "]),
        "rename_fields": st.dictionaries(st.one_of(FIELDS, field_names), new_names, max_size=3),
        "rename_fields_keep_missing": st.booleans(),
        "static_fields": st.dictionaries(st.one_of(field_names, FIELDS), st.one_of(simple_values, values), max_size=2),
        "reserved_attrs": st.sampled_from([[], ["args", "order"]]),
        "timestamp": st.sampled_from([True, "time", "message", "order"]),
        "json_ensure_ascii": st.booleans(),
        "json_indent": st.sampled_from([None, 2]),
        "json_default": st.sampled_from([None, repr]),
    }
    if since >= (3, 2):
        optional["defaults"] = st.dictionaries(st.one_of(field_names, FIELDS), simple_values, max_size=2)
    if since >= (3, 3):
        optional["exc_info_as_array"] = optional["stack_info_as_array"] = st.booleans()
    for name in draw(st.lists(st.sampled_from(sorted(optional)), max_size=4, unique=True)):
        found[name] = draw(optional[name])
    return found
