"""A captured exception's text is the one that logging would have written in the call, and it keeps nothing alive."""

from __future__ import annotations

import gc
import importlib
import linecache
import logging
import sys
import textwrap
import threading
import traceback
import types
import weakref
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

import cores
from logflume import LocalQueueHandler
from logflume._py import exceptions as pure

Capture = Callable[[object], Any]
CAPTURES = [pytest.param(pure.capture, id="pure")]
if "compiled" in cores.available():
    from logflume._c import caller as compiled

    CAPTURES.append(pytest.param(compiled.capture, id="compiled"))
CPYTHON = sys.implementation.name == "cpython"


@pytest.fixture(params=CAPTURES)
def capture(request: pytest.FixtureRequest) -> Capture:
    return request.param  # type: ignore[no-any-return]


def text_now(exc_info: Any) -> str:
    return logging.Formatter().formatException(exc_info)


def raised(function: Callable[..., object], *args: object, **kwargs: object) -> Any:
    """Return sys.exc_info() as it is where `function` raises."""
    try:
        function(*args, **kwargs)
    except BaseException:
        return sys.exc_info()
    raise AssertionError(f"{function} did not raise")


# ---- exceptions that each need something else ----


def fail(value: BaseException) -> None:
    raise value


class Own(Exception):
    """An exception of this module."""

    class Inner(Exception):
        pass


class NoStr(Exception):
    def __str__(self) -> str:
        raise LookupError("no text")


class StrIsInterrupted(Exception):
    def __str__(self) -> str:
        raise KeyboardInterrupt


class StrIsNone(Exception):
    def __str__(self) -> str:
        return None  # type: ignore[return-value]


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "from __str__"

    def __format__(self, spec: str) -> str:
        return "from __format__"


class StrIsSubclass(Exception):
    def __str__(self) -> str:
        return Text("itself")


class SeesHandled(Exception):
    def __str__(self) -> str:
        return repr(sys.exc_info()[0])

    __notes__ = ("a tuple",)  # rendered in the call


class False_(Exception):
    def __bool__(self) -> bool:
        return False


class Empty(Exception):
    def __len__(self) -> int:
        return 0


class NoNotes(Exception):
    @property
    def __notes__(self) -> Any:
        raise AttributeError("none")


class NotesAreProperty(Exception):
    @property
    def __notes__(self) -> Any:
        return ["from a property"]


class NoModule(Exception):
    __module__ = None  # type: ignore[assignment]


class Meta(type):
    __qualname__ = "Metaclass"

    @property
    def __module__(cls) -> str:  # type: ignore[override]
        return "of.the.metaclass"


class WithMeta(Exception, metaclass=Meta):
    pass


class Base:
    def method(self) -> None:
        fail(Own("in a method"))

    def typo(self) -> None:
        self.metod()  # type: ignore[attr-defined]

    def own_attribute(self) -> None:
        method()  # type: ignore[name-defined] # noqa: F821


def noted(*notes: object, error: BaseException | None = None) -> BaseException:
    error = error or ValueError("noted")
    error.__notes__ = list(notes)  # type: ignore[attr-defined]
    return error


def with_notes(notes: object) -> BaseException:
    error = ValueError("noted")
    error.__notes__ = notes  # type: ignore[attr-defined]
    return error


def recursive(depth: int, error: BaseException | None = None) -> None:
    if depth:
        recursive(depth - 1, error)
    else:
        raise error or ValueError("deep")


def ping(depth: int) -> None:
    if not depth:
        raise ValueError("deep")
    pong(depth - 1)


def pong(depth: int) -> None:
    ping(depth)


def caused() -> None:
    try:
        recursive(2)
    except ValueError as error:
        raise Own("outer") from error


def in_context() -> None:
    try:
        recursive(2)
    except ValueError:
        raise Own("outer") from noted("of the cause")


def in_context_only() -> None:
    try:
        recursive(2)
    except ValueError:
        {}["missing"]


def suppressed() -> None:
    try:
        recursive(2)
    except ValueError:
        raise Own("outer") from None


def long_chain(length: int = 50) -> None:
    error: BaseException | None = None
    for number in range(length):
        try:
            try:
                if error is not None:
                    raise error
            except BaseException:
                raise Own(number)  # noqa: B904
            raise Own("first")
        except Own as latest:
            error = latest
    assert error is not None
    raise error


def loop(kind: str) -> None:
    first, second, third = Own("first"), Own("second"), Own("third")
    setattr(first, kind, second)
    setattr(second, kind, third)
    setattr(third, kind, first)
    raise first


def loop_of_both() -> None:
    first, second = Own("first"), Own("second")
    first.__cause__, first.__suppress_context__ = second, False
    first.__context__ = second
    second.__context__ = first
    second.__cause__ = first
    second.__suppress_context__ = False
    raise first


def grouped(width: int = 3, depth: int = 2, cls: Any = ExceptionGroup) -> BaseException:
    if not depth:
        return raised(caused)[1]  # type: ignore[no-any-return]
    return cls(f"group {depth}", [grouped(width, depth - 1) for _ in range(width)])  # type: ignore[no-any-return]


def group_in_loop() -> None:
    child = Own("child")
    group = ExceptionGroup("group", [child, ValueError(3), child])
    child.__cause__ = group
    try:
        raise group
    except ExceptionGroup as error:
        raise Own("outer") from error


class GroupWithLength(ExceptionGroup[Exception]):
    def __len__(self) -> int:
        return 0


class GroupOfOthers(ExceptionGroup[Exception]):
    @property
    def exceptions(self) -> Any:  # type: ignore[override]
        return [ValueError("not in the group")]


def generator() -> Any:
    yield 1
    raise Own("in a generator")


async def coroutine() -> None:
    await inner_coroutine()


async def inner_coroutine() -> None:
    raise Own("in a coroutine")


def run_source(source: str, filename: str = "<string>", namespace: Any = None) -> None:
    exec(compile(textwrap.dedent(source), filename, "exec"), {} if namespace is None else namespace)


def without_lines(table: bytes) -> None:
    def function() -> None:
        raise Own("without lines")

    function.__code__ = function.__code__.replace(co_linetable=table)
    function()


def multiline() -> None:
    raise (
        Own(
            "severallines",
        )
    )


def wide() -> None:
    "日本語" + "é" * 3
    {}["日本語"]


def operators() -> None:
    a: Any = {"x": {"y": None}}
    (
        a["x"]["y"]["z"]["zz"]
        + 1
    )  # fmt: skip


def compiled_function() -> None:
    from logflume._c.caller import set_unpatched_methods

    set_unpatched_methods(3)


def missing(name: str) -> None:
    namespace: Any = {"collection": 1, "__name__": "somewhere"}
    exec(name, namespace)


class Wide:
    """Has more attributes than traceback compares names with."""

    def __dir__(self) -> list[str]:
        return [f"attribute_{number}" for number in range(2000)]


class BrokenDir:
    def __dir__(self) -> list[str]:
        raise LookupError


class OddDir:
    def __dir__(self) -> Any:
        return ["blech", 3]


def attribute(obj: object, name: str) -> None:
    if isinstance(name, str):
        object.__getattribute__(obj, name)
    raise AttributeError("odd", name=name, obj=obj)


def syntax_error(**attributes: object) -> None:
    error = SyntaxError("own", ("file.py", 3, 4, "a = = b\n", 3, 7))
    for name, value in attributes.items():
        setattr(error, name, value)
    raise error


def imports(statement: str) -> None:
    exec(statement, {})


CASES: dict[str, Callable[[], Any]] = {
    "plain": lambda: raised(recursive, 0),
    "deep": lambda: raised(recursive, 20),
    "recursive": lambda: raised(recursive, 700),
    "recursive, two functions": lambda: raised(ping, 300),
    "own class": lambda: raised(fail, Own("text", 3)),
    "nested class": lambda: raised(fail, Own.Inner()),
    "no text": lambda: raised(fail, ValueError()),
    "empty text": lambda: raised(fail, ValueError("")),
    "lines": lambda: raised(fail, ValueError("first\nsecond\r\nthird\n")),
    "ends in newlines": lambda: raised(fail, ValueError("text\n\n")),
    "unicode": lambda: raised(fail, ValueError("日本\u2028語 \ud800 \x00 \x1b[0m")),
    "key": lambda: raised(lambda: {}["key"]),
    "os": lambda: raised(open, "/nowhere/at/all"),
    "unicode error": lambda: raised(lambda: b"\xff".decode("ascii")),
    "stop": lambda: raised(fail, StopIteration(3)),
    "exit": lambda: raised(sys.exit, 3),
    "interrupt": lambda: raised(fail, KeyboardInterrupt()),
    "no str": lambda: raised(fail, NoStr()),
    "str is interrupted": lambda: raised(fail, StrIsInterrupted()),
    "str is none": lambda: raised(fail, StrIsNone()),
    "str is a subclass": lambda: raised(fail, StrIsSubclass()),
    "str of an odd argument": lambda: raised(fail, ValueError(NoStr())),
    "sees what is handled": lambda: raised(fail, SeesHandled()),
    "false": lambda: raised(fail, raised(lambda: fail(False_("false")))[1]),
    "empty": lambda: raised(fail, Empty("empty")),
    "no module": lambda: raised(fail, NoModule("x")),
    "metaclass": lambda: raised(fail, WithMeta("x")),
    "cause": lambda: raised(caused),
    "cause and context": lambda: raised(in_context),
    "context": lambda: raised(in_context_only),
    "suppressed": lambda: raised(suppressed),
    "long chain": lambda: raised(long_chain),
    "false in a chain": lambda: raised(lambda: exec("raise Own('x') from c", {"Own": Own, "c": False_("c")})),
    "loop of causes": lambda: raised(loop, "__cause__"),
    "loop of contexts": lambda: raised(loop, "__context__"),
    "loop of both": lambda: raised(loop_of_both),
    "group": lambda: raised(fail, grouped()),
    "wide group": lambda: raised(fail, grouped(20, 1)),
    "group one too wide": lambda: raised(fail, grouped(16, 1)),
    "deep group": lambda: raised(fail, grouped(1, 14)),
    "base group": lambda: raised(fail, BaseExceptionGroup("base", [KeyboardInterrupt(), grouped()])),
    "caused group": lambda: raised(group_in_loop),
    "group with notes": lambda: raised(
        fail,
        noted("one", "two", error=ExceptionGroup("g", [noted("inner") for _ in "ab"])),  # type: ignore[misc]
    ),
    "group with length": lambda: raised(fail, GroupWithLength("g", [ValueError(1)])),
    "group of others": lambda: raised(fail, GroupOfOthers("g", [ValueError(1)])),
    "notes": lambda: raised(fail, noted("one", "two\nlines", "")),
    "empty notes": lambda: raised(fail, noted()),
    "notes of other types": lambda: raised(fail, noted("one", 3, None, NoStr(), Text("x"))),
    "notes are none": lambda: raised(fail, with_notes(None)),
    "notes are a tuple": lambda: raised(fail, with_notes(("one", "two"))),
    "notes are text": lambda: raised(fail, with_notes("text")),
    "notes are bytes": lambda: raised(fail, with_notes(b"text")),
    "notes are a number": lambda: raised(fail, with_notes(3)),
    "notes have no repr": lambda: raised(fail, with_notes(NoStr())),
    "no notes": lambda: raised(fail, NoNotes("x")),
    "notes are a property": lambda: raised(fail, NotesAreProperty("x")),
    "generator": lambda: raised(lambda: list(generator())),
    "coroutine": lambda: raised(lambda: coroutine().send(None)),
    "lambda": lambda: raised(lambda: (lambda: 1 / 0)()),
    "comprehension": lambda: raised(lambda: [1 / number for number in (1, 0)]),
    "method": lambda: raised(Base().method),
    "class body": lambda: raised(run_source, "class Body:\n    1 / 0\n"),
    "exec": lambda: raised(run_source, "def f():\n    1 / 0\n\nf()\n"),
    "exec of stdin": lambda: raised(run_source, "1 / 0", "<stdin>"),
    "exec of numbered stdin": lambda: raised(run_source, "1 / 0", "<stdin-3>"),
    "exec under a name": lambda: raised(run_source, "1 / 0", "<string>", {"__name__": "logging"}),
    "exec under an odd name": lambda: raised(run_source, "1 / 0", "<string>", {"__name__": [3]}),
    "exec as a file that is not there": lambda: raised(run_source, "1 / 0", "/nowhere/x.py"),
    "exec as another file": lambda: raised(run_source, "1 / 0", __file__),
    "exec as a folder": lambda: raised(run_source, "1 / 0", "/"),
    "exec with null": lambda: raised(run_source, "1 / 0", "/nowhere/x.py", {"__loader__": None, "__name__": "x"}),
    "several lines": lambda: raised(multiline),
    "wide characters": lambda: raised(wide),
    "operators": lambda: raised(operators),
    "syntax": lambda: raised(compile, "x = = 1", "<file>", "exec"),
    "syntax, keyword": lambda: raised(compile, "whille True:\n    pass\n", "<file>", "exec"),
    "syntax, tab": lambda: raised(compile, "if 1:\n  x\n\ty", "<file>", "exec"),
    "syntax, unicode": lambda: raised(compile, "日本 = 'x' y", "file.py", "exec"),
    "syntax, own": lambda: raised(syntax_error),
    "syntax, no line": lambda: raised(syntax_error, lineno=None),
    "syntax, no text": lambda: raised(syntax_error, text=None, msg=None),
    "syntax, zero": lambda: raised(syntax_error, end_offset=0, offset=-3),
    "syntax, no details": lambda: raised(fail, SyntaxError("only text")),
    "name": lambda: raised(missing, "collectoin"),
    "name of a module": lambda: raised(missing, "heapq"),
    "name, nothing near": lambda: raised(missing, "zzzzzzzzzzzzz"),
    "name, own attribute": lambda: raised(Base().own_attribute),
    "name without name": lambda: raised(fail, NameError("text")),
    "name, odd": lambda: raised(fail, NameError("text", name=3)),
    "unbound": lambda: raised(lambda: exec("def f():\n    x\n    x = 1\nf()", {})),
    "attribute": lambda: raised(attribute, [], "appendd"),
    "attribute of a module": lambda: raised(lambda: sys.modulez),  # type: ignore[attr-defined]
    "attribute of none": lambda: raised(lambda: None.split()),  # type: ignore[attr-defined]
    "attribute of none, near": lambda: raised(attribute, None, "__dok__"),
    "attribute of text": lambda: raised(attribute, "x", "upperr"),
    "attribute of text, other language": lambda: raised(attribute, "x", "toUpperCase"),
    "attribute of a number": lambda: raised(attribute, 3, "__or"),
    "attribute of self that is none": lambda: raised(Base.typo, None),
    "attribute of self, with underscore": lambda: raised(lambda self: self._uppr, "x"),
    "attribute of a list, other language": lambda: raised(attribute, [], "addAll"),
    "name, not ascii": lambda: raised(missing, "collectiön"),
    "name, not normal": lambda: raised(missing, "ﬁx"),
    "attribute of self": lambda: raised(Base().typo),
    "attribute from elsewhere": lambda: raised(attribute, [], "push"),
    "attribute, nested": lambda: raised(attribute, types.SimpleNamespace(a=Base()), "method"),
    "attribute, nothing near": lambda: raised(attribute, [], "zzzzzzzzzzzz"),
    "attribute, many": lambda: raised(attribute, Wide(), "attribute_99999"),
    "attribute, broken": lambda: raised(attribute, BrokenDir(), "blech"),
    "attribute, not ascii": lambda: raised(attribute, types.SimpleNamespace(naïve=1), "naive"),
    "attribute without object": lambda: raised(fail, AttributeError("text", name="x")),
    "attribute without name": lambda: raised(fail, AttributeError("text")),
    "import": lambda: raised(imports, "import no_such_module_at_all"),
    "import of a name": lambda: raised(imports, "from collections import OrderedDictt"),
    "import from nowhere": lambda: raised(imports, "from no_such_module import x"),
    "import of a submodule": lambda: raised(imports, "import logging.handlerz"),
    "none": lambda: (None, None, None),
    "only a type": lambda: (ValueError, None, None),
    "no traceback": lambda: (ValueError, ValueError("text"), None),
    "another type": lambda: (KeyError, *raised(recursive, 2)[1:]),
    "no type": lambda: (None, *raised(recursive, 2)[1:]),
    "traceback alone": lambda: (None, None, raised(recursive, 2)[2]),
    "part of the traceback": lambda: (*(found := raised(recursive, 5))[:2], found[2].tb_next.tb_next),
    "other traceback": lambda: (*raised(recursive, 5)[:2], raised(caused)[2]),
    "with_traceback": lambda: raised(fail, ValueError("x").with_traceback(raised(recursive, 4)[2])),
    "made traceback": lambda: (
        *(found := raised(recursive, 5))[:2],
        types.TracebackType(found[2], found[2].tb_frame, found[2].tb_lasti, 12345),
    ),
    "made traceback without offset": lambda: (
        *(found := raised(recursive, 5))[:2],
        types.TracebackType(found[2], found[2].tb_frame, -1, 12345),
    ),
    "raised by C": lambda: raised(sorted, [3, "x"]),
}
if CPYTHON:  # PyPy's traceback cannot render it
    CASES["lines of nothing"] = lambda: raised(without_lines, b"\xff" * 9)
if len(CAPTURES) > 1:
    CASES["compiled code"] = lambda: raised(setattr, LocalQueueHandler(), "queue", 3)
    CASES["compiled code, no property"] = lambda: raised(compiled_function)
# What traceback itself cannot render on each Python, or on older ones, is left to it.
ODD: dict[str, Callable[[], Any]] = {
    "not an exception": lambda: (None, "text", None),
    "odd traceback": lambda: (None, ValueError(), "traceback"),
    "odd dir": lambda: raised(attribute, OddDir(), "blach"),
    "syntax, odd": lambda: raised(syntax_error, offset="x", text=3.0),
    "syntax, list": lambda: raised(syntax_error, text=["text"], filename=NoStr()),
    "syntax, no message": lambda: raised(syntax_error, msg=NoStr()),
}


@pytest.mark.parametrize("case", CASES)
def test_text_is_what_logging_writes_in_the_call(capture: Capture, case: str) -> None:
    exc_info = CASES[case]()
    captured = capture(exc_info)
    assert captured is not None
    text = text_now(exc_info)
    assert captured.text() == text
    assert captured.text() is captured.text()


@pytest.mark.parametrize("case", [case for case in CASES if "recursive" not in case])
def test_first_use_of_a_file(capture: Capture, case: str) -> None:
    """linecache knows nothing yet."""
    linecache.clearcache()
    exc_info = CASES[case]()
    captured = capture(exc_info)
    assert captured is not None
    text = text_now(exc_info)
    linecache.clearcache()
    assert captured.text() == text


@pytest.mark.parametrize("case", ODD)
def test_what_traceback_cannot_render_travels_as_it_is(capture: Capture, case: str) -> None:
    exc_info = ODD[case]()
    captured = capture(exc_info)
    try:
        text = text_now(exc_info)
    except Exception:
        assert captured is None
    else:
        assert captured is not None
        assert captured.text() == text


@pytest.mark.parametrize(
    "exc_info",
    [None, True, (), (None,), (None, None, None, None), [None, None, None], ValueError("x"), "abc"],
)
def test_what_is_not_exc_info_travels_as_it_is(capture: Capture, exc_info: object) -> None:
    assert capture(exc_info) is None


def test_exceptions_are_captured_not_rendered(capture: Capture) -> None:
    """The common ones: else the rest of these tests would hold if everything were rendered in the call."""
    names = [
        "plain",
        "recursive",
        "own class",
        "no str",
        "cause",
        "long chain",
        "loop of both",
        "group",
        "notes",
    ]
    names += [
        "empty notes",
        "generator",
        "exec",
        "syntax",
        "name",
        "attribute",
        "import",
        "none",
    ]
    for name in names:
        captured = capture(CASES[name]())
        assert captured is not None, name
        assert captured._captured is not None, name


def test_endless_chains(capture: Capture) -> None:
    """Neither capture nor text recurses, and the end of what was made for it does not either."""
    error: BaseException | None = None
    for number in range(3000):
        outer = Own(number)
        outer.__context__ = error
        error = outer
    tb = None
    found = raised(recursive, 1)[2]
    for _ in range(3000):
        tb = types.TracebackType(tb, found.tb_frame, found.tb_lasti, found.tb_lineno)
    exc_info = Own, error, tb
    captured = capture(exc_info)
    assert captured.text() == text_now(exc_info)
    del captured


# ---- what happens after the call ----


def later(exc_info: Any, change: Callable[[Any], object]) -> Callable[[Capture], None]:
    def check(capture: Capture) -> None:
        captured, text = capture(exc_info), text_now(exc_info)
        change(exc_info[1])
        assert captured.text() == text
        assert text_now(exc_info) != text

    return check


def raise_again(error: BaseException) -> None:
    raised(recursive, 3, error)


def regroup(error: Any) -> None:
    error.exceptions[0].add_note("of the child")


def rename(error: Any) -> None:
    type(error).__qualname__ = "Renamed"
    type(error).__module__ = "elsewhere"


def test_what_changes_later_is_not_in_the_text(capture: Capture) -> None:
    class Renamed(Exception):
        pass

    for exc_info, change in [
        (raised(fail, ValueError("x")), lambda error: error.add_note("later")),
        (raised(fail, noted("first")), lambda error: error.add_note("later")),
        (raised(fail, KeyError("secret")), lambda error: setattr(error, "args", ("redacted",))),
        (raised(caused), lambda error: setattr(error, "__cause__", None)),
        (raised(caused), lambda error: error.__cause__.add_note("later")),
        (raised(caused), lambda error: raise_again(error.__cause__)),
        (raised(in_context_only), lambda error: setattr(error, "__suppress_context__", True)),
        (raised(in_context_only), lambda error: setattr(error, "__context__", None)),
        (raised(suppressed), lambda error: setattr(error, "__suppress_context__", False)),
        (raised(fail, grouped()), regroup),
        (raised(fail, Renamed("x")), rename),
        (raised(syntax_error), lambda error: setattr(error, "text", "other")),
    ]:
        later(exc_info, change)(capture)


def test_exception_raised_again(capture: Capture) -> None:
    exc_info = raised(recursive, 3)
    captured, text = capture((*exc_info[:2], exc_info[1].__traceback__)), text_now(exc_info)
    raise_again(exc_info[1])
    exc_info[2].tb_next = None
    assert captured.text() == text


def test_tracebacklimit_is_that_of_the_call(capture: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in (0, 1, 2, 100, -1, None, True, 2**100):
        monkeypatch.setattr(sys, "tracebacklimit", limit, raising=False)
        exc_info = raised(caused)
        captured, text = capture(exc_info), text_now(exc_info) if limit != 2**100 else None
        monkeypatch.setattr(sys, "tracebacklimit", 1)
        if text is not None:
            assert captured.text() == text
    monkeypatch.setattr(sys, "tracebacklimit", "odd")
    with pytest.raises((TypeError, ValueError)):
        text_now(exc_info)
    assert capture(exc_info) is None


def test_str_is_asked_once_in_the_call(capture: Capture) -> None:
    class Counts(Exception):
        asked = 0

        def __str__(self) -> str:
            self.asked += 1
            return str(self.asked)

    error = Counts()
    captured = capture(raised(fail, error))
    assert error.asked == 1
    assert captured.text().endswith(": 1")
    assert error.asked == 1


def test_text_in_many_threads(capture: Capture) -> None:
    texts = []
    for case in ["cause", "group", "notes"] * 5:
        exc_info = CASES[case]()
        captured, expected = capture(exc_info), text_now(exc_info)
        barrier = threading.Barrier(4)

        def render(captured: Any = captured, barrier: Any = barrier) -> None:
            barrier.wait()
            texts.append(captured.text())

        threads = [threading.Thread(target=render) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert texts == [expected] * 4
        texts.clear()


# ---- what lives on ----


class Kept:
    pass


@pytest.mark.skipif(not CPYTHON, reason="objects end with their last reference on CPython only")
@pytest.mark.parametrize("kind", ["plain", "cause", "context", "group", "exec", "attribute", "name", "syntax"])
def test_frames_end_with_the_except_block(capture: Capture, kind: str) -> None:
    references: list[weakref.ref[Any]] = []

    def work() -> None:
        local = Kept()
        references.append(weakref.ref(local))
        if kind == "exec":
            namespace = {"local": local, "__name__": "nowhere"}
            run_source("1 / 0", namespace=namespace)
        if kind == "attribute":
            local.missing  # type: ignore[attr-defined] # noqa: B018
        if kind == "name":
            lokal  # type: ignore[name-defined] # noqa: B018, F821
        if kind == "syntax":
            compile("x = = 1", "<file>", "exec")
        raise ValueError("x")

    def call() -> Any:
        try:
            if kind == "cause":
                try:
                    work()
                except ValueError as error:
                    raise Own("outer") from error
            elif kind == "context":
                try:
                    work()
                finally:
                    raise Own("outer")
            elif kind == "group":
                try:
                    work()
                except ValueError as error:
                    raise ExceptionGroup("g", [error]) from None
            else:
                work()
        except Exception:
            return capture(sys.exc_info()), text_now(sys.exc_info())

    gc.disable()
    try:
        captured, text = call()
        assert [reference() for reference in references] == [None]
    finally:
        gc.enable()
    assert captured.text() == text


@pytest.mark.skipif(
    not CPYTHON or not cores.HAS_GIL,
    reason="classes end later, or never, without counted references or without the GIL",
)
def test_class_of_the_exception_is_not_kept(capture: Capture) -> None:
    def call() -> Any:
        class Local(Exception):
            pass

        try:
            raise Local("x")
        except Local as error:
            return weakref.ref(Local), capture((Local, error, error.__traceback__)), text_now(sys.exc_info())

    reference, captured, text = call()
    gc.collect()  # a class is a cycle
    assert reference() is None
    assert captured.text() == text


@pytest.mark.skipif(not CPYTHON, reason="counts references")
def test_nothing_leaks(capture: Capture) -> None:
    exc_infos = [CASES[name]() for name in CASES if "recursive" not in name]
    values = [value for _, value, _ in exc_infos if value is not None]  # others refer to None, too
    code, namespace = recursive.__code__, globals()
    for exc_info in exc_infos:
        capture(exc_info)
    before = sys.getrefcount(code), sys.getrefcount(namespace), [sys.getrefcount(value) for value in values]
    for _ in range(5):
        for exc_info in exc_infos:
            captured = capture(exc_info)
            del captured
    after = sys.getrefcount(code), sys.getrefcount(namespace), [sys.getrefcount(value) for value in values]
    assert after == before


# ---- where the source comes from ----


def test_module_in_a_zip_file(capture: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "modules.zip", "w") as archive:
        archive.writestr("zipped_for_logflume.py", "def fail():\n    raise ValueError('in a zip')\n")
    monkeypatch.syspath_prepend(str(tmp_path / "modules.zip"))
    module = importlib.import_module("zipped_for_logflume")
    try:
        captured = capture(raised(module.fail))
        text = text_now(raised(module.fail))
        unloaded = capture(raised(module.fail))
        del sys.modules["zipped_for_logflume"]
        without = capture(raised(module.fail))
    finally:
        sys.modules.pop("zipped_for_logflume", None)
    assert "raise ValueError('in a zip')" in text
    del module
    gc.collect()
    for each in (captured, unloaded, without):
        linecache.clearcache()
        assert each.text() == text


@pytest.mark.parametrize("where", ["__loader__", "__spec__"])
def test_source_of_a_loader(capture: Capture, where: str) -> None:
    class Loader:
        def get_source(self, name: str) -> str:
            return f"# {name}\n1 / 0\n"

    loader = Loader()
    spec = types.SimpleNamespace(loader=loader, name="loaded")
    namespace = {"__name__": "loaded", "__loader__": loader, "__spec__": spec}
    if where == "__spec__":
        del namespace["__loader__"]
    filename = f"/nowhere/{where}.py"
    linecache.clearcache()
    exc_info = raised(run_source, "\n1 / 0", filename, namespace)
    captured, text = capture(exc_info), text_now(exc_info)
    linecache.clearcache()
    namespace.clear()
    assert "1 / 0" in text
    assert captured.text() == text


def test_globals_of_other_types(capture: Capture) -> None:
    class Namespace(dict[str, Any]):
        pass

    exc_info = raised(run_source, "1 / 0", "<string>", Namespace())
    assert capture(exc_info).text() == text_now(exc_info)


# ---- monkeypatching ----


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (traceback, "print_exception"),
        (traceback, "TracebackException"),
        (traceback.TracebackException, "__init__"),
        (traceback.TracebackException, "format"),
        (traceback.TracebackException, "format_exception_only"),
        (traceback.StackSummary, "format"),
        (traceback.StackSummary, "format_frame_summary"),
        (linecache, "getline"),
        (linecache, "getlines"),  # as doctest does
        (linecache, "checkcache"),  # as IPython did
    ],
)
def test_monkeypatched_functions_are_left_to_them(
    capture: Capture, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    exc_info = raised(recursive, 1)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, lambda *args, **kwargs: None)
        assert capture(exc_info) is None
    with monkeypatch.context() as patch:
        patch.delattr(owner, name)
        assert capture(exc_info) is None
    assert capture(exc_info).text() == text_now(exc_info)


@pytest.mark.skipif(not CPYTHON, reason="sets the code of a function")
def test_replaced_code_is_left_to_it(capture: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    exc_info = raised(recursive, 1)
    with monkeypatch.context() as patch:
        patch.setattr(traceback.print_exception, "__code__", (lambda *args, **kwargs: None).__code__)
        assert capture(exc_info) is None
    assert capture(exc_info) is not None


@pytest.mark.parametrize("name", ["FORCE_COLOR", "PYTHON_COLORS"])
def test_no_colours(capture: Capture, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    for case in ("plain", "syntax", "notes", "group"):
        exc_info = CASES[case]()
        text = capture(exc_info).text()
        assert text == text_now(exc_info)
        assert "\x1b" not in text


# ---- trees ----

messages = st.one_of(
    st.sampled_from(["", "text", "two\nlines", "\n", "日本語", "\ud800", "a" * 200, "{x} %s"]),
    st.integers(),
    st.none(),
    st.builds(NoStr),
    st.builds(Text, st.just("x")),
)
notes = st.one_of(
    st.lists(messages, max_size=3),
    st.lists(st.text(max_size=5), max_size=3),
    st.lists(st.text(max_size=5), max_size=3).map(tuple),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.integers(),
    st.none(),
    st.just({"a": 1}),
)
classes = st.sampled_from(
    [
        ValueError,
        KeyError,
        Own,
        Own.Inner,
        NoStr,
        StrIsSubclass,
        False_,
        Empty,
        OSError,
        RuntimeError,
        NameError,
        AttributeError,
        ImportError,
        SyntaxError,
        NotesAreProperty,
        KeyboardInterrupt,
        StopIteration,
    ]
)
SETTERS = ["__cause__", "__context__"]


@st.composite
def trees(draw: st.DrawFn) -> BaseException:
    """Exceptions with random links between them, in random groups, raised through random frames."""
    errors: list[BaseException] = []
    for _ in range(draw(st.integers(1, 7))):
        if errors and draw(st.integers(0, 3)) == 0:
            children = draw(st.lists(st.sampled_from(errors), min_size=1, max_size=20))
            error: BaseException = BaseExceptionGroup(draw(st.text(max_size=5)), children)
        else:
            cls = draw(classes)
            arguments = draw(st.lists(messages, max_size=1 if cls is SyntaxError else 2))
            error = cls(*arguments)
        if draw(st.booleans()):
            try:
                error.__notes__ = draw(notes)  # type: ignore[attr-defined]
            except AttributeError:
                pass
        if draw(st.booleans()):
            draw(st.sampled_from([raise_again, lambda error: raised(fail, error), lambda error: raised(ping, 8)]))(
                error
            )
        errors.append(error)
    for error in errors:
        for kind in SETTERS:
            if draw(st.integers(0, 2)) == 0:
                setattr(error, kind, draw(st.sampled_from(errors)))
        if draw(st.integers(0, 3)) == 0:
            error.__suppress_context__ = draw(st.booleans())
    return draw(st.sampled_from(errors))


@hypothesis.settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
@hypothesis.given(error=trees())
@pytest.mark.parametrize("capture_", CAPTURES)
def test_random_trees(capture_: Capture, error: BaseException) -> None:
    exc_info = type(error), error, error.__traceback__
    captured = capture_(exc_info)
    try:
        text = text_now(exc_info)
    except Exception:
        assert captured is None
        return
    assert captured is not None
    error.args = ("changed",)
    error.__cause__ = None
    assert captured.text() == text
