"""Filters: of a logger, of its queue handler, of moved handlers, of a listener's own; as with the handlers attached."""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import io
import logging
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import hypothesis
import pytest
from hypothesis import strategies as st

import cores
from helpers import needs_nested_records, nothing_delivered, stopped_clock

REPLACES = sys.version_info >= (3, 12)
FORMAT = "%(asctime)s %(levelname)s %(request)s %(message)s"
PLACES = ["logger", "queue handler", "listener", "moved"]

request = contextvars.ContextVar("request", default="none")


class Base(logging.Filter):
    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.scene = scene


class Sets(Base):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request = request.get()
        return True


class DropsOdd(Base):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno % 20 == 0


class Replaces(Base):
    def filter(self, record: logging.LogRecord) -> Any:
        if not REPLACES or record.levelno != logging.WARNING:
            return True
        return logging.makeLogRecord({**vars(record), "msg": f"replaced {record.msg}"})


class Rewrites(Base):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno == logging.ERROR:
            record.msg, record.args = f"rewritten {record.msg}", None
            record.levelname = "REWRITTEN"
        return True


class MakesMutable(Base):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno == logging.INFO:
            record.msg, record.args = "%s", (self.scene.mutable,)
        return True


class Raises(Base):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno == logging.CRITICAL:
            raise RuntimeError("filter")
        return True


class Logs(Base):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno == logging.WARNING and record.msg != "nested":
            self.scene.logger.warning("nested")
        return True


class Keeps(Base):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno == logging.CRITICAL and not record.exc_info:
            self.scene.kept.append(record)
        return True


class KeepsDictionary(Base):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno == logging.CRITICAL and not record.exc_info:
            self.scene.kept_dictionaries.append(vars(record))
        return True


class ChangesHandler(Base):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.msg == "change %s":
            self.scene.handlers[0].setFormatter(logging.Formatter("changed %(message)s"))
        return True


class AddsFilter(Base):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.msg == "add %s":
            self.scene.handlers[0].addFilter(DropsOdd(self.scene))
        return True


class DeletesAttributes(Base):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno == logging.DEBUG and hasattr(record, "threadName"):
            del record.threadName, record.args
            record.args = ("again",)
        return True


class LooksAtException(Base):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request = type(record.exc_info[1]).__name__ if record.exc_info else "no exception"
        return True


FILTERS: dict[str, Callable[[Any], Any]] = {
    kind.__name__: kind
    for kind in (
        Sets, DropsOdd, Replaces, Rewrites, MakesMutable, Raises, Logs, Keeps, KeepsDictionary, ChangesHandler,
        AddsFilter, DeletesAttributes, LooksAtException,
    )
}  # fmt: skip
FILTERS["by name"] = lambda scene: logging.Filter("shop")
FILTERS["by another name"] = lambda scene: logging.Filter("elsewhere")
FILTERS["a function"] = lambda scene: lambda record: setattr(record, "request", "function") or True


class Stock(logging.Logger):
    """A logger that is not accelerated."""

    log = inspect.unwrap(logging.Logger.log)
    warning = inspect.unwrap(logging.Logger.warning)


class Scene:
    """A logger with filters at one place, and so many handlers with files."""

    def __init__(self, folder: str, stock: bool, count: int) -> None:
        self.logger = (Stock if stock else logging.Logger)("shop.orders", logging.DEBUG)
        self.mutable = ["as in the call"]
        self.kept: list[logging.LogRecord] = []
        self.kept_dictionaries: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self.handlers: list[Any] = []
        for name in ("first", "second")[:count]:
            handler = logging.FileHandler(Path(folder, name), encoding="utf-8")
            handler.setFormatter(logging.Formatter(FORMAT, defaults={"request": "-"}))
            handler.handleError = lambda record: self.errors.append(  # type: ignore[method-assign]
                f"{record.msg} {sys.exc_info()[1]!r}"
            )
            self.handlers.append(handler)

    def run(self, calls: list[Any]) -> None:
        for number, (level, message, how) in enumerate(calls):
            request.set(f"r{number % 3}")
            given: dict[str, Any] = {"extra": {"request": "extra"}} if how == "extra" else {}
            try:
                if how == "exception":
                    try:
                        raise KeyError(number)
                    except KeyError:
                        self.logger.log(level, message, number, exc_info=True)
                else:
                    self.logger.log(level, message, number, **given)
            except (RuntimeError, IndexError) as error:
                self.errors.append(f"{message} {error!r}")
            self.mutable[0] = f"changed after {number}"
            self.mutable[0] = "as in the call"

    def outcome(self) -> Any:
        texts = []
        for handler in self.handlers:
            handler.close()
            texts.append(Path(handler.baseFilename).read_text(encoding="utf-8").splitlines())
        kept = [
            [(name, value) for name, value in vars(record).items() if name in ("message", "asctime", "request")]
            for record in self.kept
        ]
        dictionaries = [found.get("message") for found in self.kept_dictionaries]
        return texts, self.errors, kept, dictionaries


def place_filters(scene: Scene, place: str, filters: tuple[list[str], list[str]], queue_handler: Any) -> None:
    """Add the filters; those of a logger or a queue handler once."""
    holders = {"logger": [scene.logger], "queue handler": [queue_handler or scene.logger]}
    for holder, names in zip(holders.get(place, scene.handlers), filters, strict=False):
        for name in names:
            holder.addFilter(FILTERS[name](scene))


def attached(given: dict[str, Any]) -> Any:
    with tempfile.TemporaryDirectory() as folder, stopped_clock(lambda: 1_700_000_000.25):
        scene = Scene(folder, True, given["handlers"])
        place_filters(scene, given["place"], given["filters"], None)
        scene.logger.handlers = list(scene.handlers)
        contextvars.copy_context().run(scene.run, given["calls"])
        return scene.outcome()


def queued(lf: Any, given: dict[str, Any]) -> Any:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as undo:
        undo.enter_context(stopped_clock(lambda: 1_700_000_000.25))
        scene = Scene(folder, not given["accelerated"], given["handlers"])

        def on_error(record: Any, handler: Any, error: BaseException) -> None:
            scene.errors.append(f"{record.msg} {error!r}")

        queue_handler = None
        if given["place"] == "moved":
            scene.logger.handlers = list(scene.handlers)
            listener = undo.enter_context(lf.setup_logging_queue(scene.logger, on_error=on_error))
        else:
            queue_handler = lf.LocalQueueHandler()
            scene.logger.addHandler(queue_handler)
            listener = lf.QueueListener(queue_handler.queue, *scene.handlers, on_error=on_error)
            undo.enter_context(listener)
            queue_handler.listener = listener
        place_filters(scene, given["place"], given["filters"], queue_handler)
        with nothing_delivered(listener) if given["one_batch"] else contextlib.nullcontext():
            contextvars.copy_context().run(scene.run, given["calls"])
        listener.flush()
        undo.close()
        return scene.outcome()


levels = st.sampled_from([logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL])
messages = st.sampled_from(["number %s", "number %s", "gr\u00fcn %s", "wrong %d %d", "change %s", "add %s"])
calls = st.lists(
    st.tuples(levels, messages, st.sampled_from(["", "", "", "extra", "exception"])), min_size=1, max_size=12
)


def scenes(places: list[str], accelerated: bool) -> Any:
    some = st.lists(st.sampled_from(sorted(FILTERS)), max_size=3)
    return st.fixed_dictionaries(
        {
            "place": st.sampled_from(places),
            "filters": st.tuples(some, some),
            "handlers": st.sampled_from([1, 1, 2]),
            "calls": calls,
            "one_batch": st.booleans(),
            "accelerated": st.just(accelerated),
        }
    )


def is_comparable(given: dict[str, Any]) -> bool:
    """Leave out what Behaviour and Limits say is another thing behind a queue."""
    used = {name for names in given["filters"] for name in names}
    if "Logs" in used and cores.IGNORES_NESTED:
        return False
    # A change of a handler in the call counts for what is in the queue, too, but for moved handlers.
    if given["place"] in ("logger", "queue handler") and used & {"ChangesHandler", "AddsFilter"}:
        return False
    if "AddsFilter" in used and given["place"] == "moved":
        return False
    # Without a queue a filter that raises ends the call for the handlers that follow.
    if "Raises" in used and given["handlers"] > 1:
        return False
    # A record whose message can change is copied.
    if used & {"Keeps", "KeepsDictionary"} and used & {"MakesMutable"}:
        return False
    # Each handler of several gets its own copy of what filters change, or all its records after another one.
    return not (given["handlers"] > 1 and used & {"Keeps", "KeepsDictionary", "Logs", "ChangesHandler", "AddsFilter"})


def errors_apart(outcome: Any) -> Any:
    texts, errors, kept, dictionaries = outcome
    return texts, sorted(errors), kept, dictionaries


# ---- what a filter finds in an accelerated call ----


@pytest.fixture
def accelerates(lf: Any) -> Iterator[None]:
    if not lf.accelerate_loggers():
        pytest.skip("the pure core accelerates nothing")
    yield
    lf.restore_loggers()


@pytest.fixture(params=["logger", "queue handler", "moved"])
def filtered(request: pytest.FixtureRequest, lf: Any, accelerates: None) -> Iterator[Callable[[Any], logging.Logger]]:
    """filtered(filter) makes a logger whose records go to a file handler, with the filter at one of the places."""
    with contextlib.ExitStack() as undo:

        def make(added: Any) -> logging.Logger:
            logger = logging.Logger("shop.orders")
            handler = logging.StreamHandler(io.StringIO())
            logger.addHandler(handler)
            undo.enter_context(lf.setup_logging_queue(logger))
            holder = {"logger": logger, "queue handler": logger.handlers[0], "moved": handler}[request.param]
            holder.addFilter(added)
            return logger

        yield make


def test_a_filter_finds_a_record_of_the_standard_library(filtered: Any) -> None:
    found = []

    def look(record: logging.LogRecord) -> bool:
        found.append((type(record), list(vars(record))))
        return True

    logger = filtered(look)
    logger.info("one %s", 1, extra={"more": 1})
    expected = logging.LogRecord("", 0, "", 0, "", (), None)
    assert found == [(logging.LogRecord, [*vars(expected), "more"])]


def test_a_filter_finds_the_attributes_of_each_call(filtered: Any) -> None:
    """Also after one was dropped, and after others of other places, levels and threads, with exceptions and extra."""
    found = []

    def look(record: logging.LogRecord) -> bool:
        found.append({name: value for name, value in vars(record).items() if name not in ("created", "msecs")})
        found[-1]["times"] = record.created, record.msecs, record.relativeCreated
        record.added = len(found)
        return record.levelno != logging.WARNING

    def calls(logger: logging.Logger) -> None:
        for number in range(3):
            logger.warning("dropped %d", number)
            logger.info("one %d", number, extra={"more": number})
            logger.error("one %d", number)
            with contextlib.suppress(ValueError):
                raise_and_log(logger)
        thread = threading.Thread(target=logger.log, args=(1234, "elsewhere"), name="other")
        thread.start()
        thread.join()

    def raise_and_log(logger: logging.Logger) -> None:
        try:
            raise ValueError("bad")
        except ValueError:
            logger.exception("failed", extra={"other": 1})
            raise

    with stopped_clock(lambda: 1_700_000_000.25):
        calls(filtered(look))
        ours, found = found, []
        standard = Stock("shop.orders")
        standard.addHandler(logging.NullHandler())
        standard.addFilter(look)
        calls(standard)
    for records in (ours, found):
        for attributes in records:
            attributes["exc_info"] = attributes["exc_info"] and attributes["exc_info"][0]
            del attributes["thread"]  # that of an ended thread may be given to another
    assert ours == found
    assert [list(one) for one in ours] == [list(one) for one in found]


def test_a_filter_that_walks_out_of_logging_finds_the_caller(filtered: Any) -> None:
    found = []

    def look(record: logging.LogRecord) -> bool:
        frame: Any = sys._getframe(1)
        assert frame.f_code.co_filename == logging._srcfile  # type: ignore[attr-defined]
        while frame.f_code.co_filename == logging._srcfile:  # type: ignore[attr-defined]
            frame = frame.f_back
        found.append(frame.f_code.co_name)
        return True

    filtered(look).info("one")
    assert found == ["test_a_filter_that_walks_out_of_logging_finds_the_caller"]


@needs_nested_records  # else a call with filters takes the standard path
def test_no_frame_of_the_log_call_is_between(filtered: Any) -> None:
    """The call itself stays compiled: it is the filter that is Python."""
    found = []

    def look(record: logging.LogRecord) -> bool:
        found.append(sys._getframe(2).f_code.co_name)
        return True

    filtered(look).info("one")
    assert found == ["test_no_frame_of_the_log_call_is_between"]


def test_what_a_filter_raises(filtered: Any, request: pytest.FixtureRequest, capsys: Any) -> None:
    """It comes out of the call, as with the handlers attached; that of a moved handler is reported."""

    def fail(record: logging.LogRecord) -> bool:
        raise RuntimeError("filter")

    logger = filtered(fail)
    if "moved" in request.node.name:
        logger.info("one")
        assert "RuntimeError: filter" in capsys.readouterr().err
    else:
        with pytest.raises(RuntimeError, match="filter"):
            logger.info("one")


def test_extra_is_judged_before_the_filters(filtered: Any) -> None:
    asked: list[Any] = []
    logger = filtered(lambda record: asked.append(record) or True)
    with pytest.raises(KeyError):
        logger.info("one", extra={"message": "no"})
    assert not asked


# ---- filters that look at the name only ----


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "name",
    ["", "shop", "shop.orders", "shop.orders.new", "sho", "shop.order", "shop.", "shop\u00fc", "other"],
)
def test_filters_by_name(lf: Any, accelerates: None, place: str, name: str) -> None:
    for change in (lambda added: None, lambda added: setattr(added, "name", "shop")):  # nlen stays
        given = {
            "place": place,
            "filters": ([], []),
            "handlers": 1,
            "calls": [(logging.INFO, "number %s", "")] * 3,
            "one_batch": True,
            "accelerated": True,
        }
        made = logging.Filter(name)
        change(made)
        FILTERS["made"] = lambda scene, made=made: made
        given["filters"] = (["made"], [])
        try:
            assert queued(lf, given) == attached(given)
        finally:
            del FILTERS["made"]


def test_a_patched_standard_filter_counts(lf: Any, accelerates: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    logger = logging.Logger("shop")
    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(logging.Filter("shop"))
    logger.addHandler(handler)
    with lf.setup_logging_queue(logger):
        logger.info("one")
        monkeypatch.setattr(logging.Filter, "filter", lambda self, record: asked.append(record.msg))
        logger.info("two")
        monkeypatch.undo()
        logger.info("three")
    assert asked == ["two"]
    assert handler.stream.getvalue() == "one\nthree\n"


def test_only_a_filter_that_changes_the_record_makes_a_copy(lf: Any, accelerates: None) -> None:
    """Handlers with the same filter get one record, in one batch."""
    logger = logging.Logger("shop")
    seen: list[logging.LogRecord] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record)

    def same(record: logging.LogRecord) -> bool:
        record.request = "r1"
        return True

    logger.handlers = [Handler(), Handler()]
    for handler in logger.handlers:
        handler.addFilter(same)
    with lf.setup_logging_queue(logger):
        logger.info("one")
    assert len(seen) == 2
    assert seen[0] is seen[1]
    assert seen[0].request == "r1"  # type: ignore[attr-defined]


# ---- random filters ----

settings = hypothesis.settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[
        hypothesis.HealthCheck.function_scoped_fixture,
        hypothesis.HealthCheck.filter_too_much,
    ],
)


@settings
@hypothesis.given(given=scenes(PLACES, False).filter(is_comparable))
def test_random_filters_behave_as_with_handlers_attached(lf: Any, given: dict[str, Any]) -> None:
    assert errors_apart(queued(lf, given)) == errors_apart(attached(given))


@settings
@hypothesis.given(given=scenes(PLACES, True).filter(is_comparable))
def test_random_filters_of_accelerated_calls(lf: Any, accelerates: None, given: dict[str, Any]) -> None:
    assert errors_apart(queued(lf, given)) == errors_apart(attached(given))


def test_the_end_of_a_value_logs_while_a_filter_gets_its_record(lf: Any, accelerate: bool) -> None:
    """The LogRecord that a filter gets may have the memory of the last one, whose values end then."""

    class Name(str):
        def __del__(self) -> None:
            logger.warning("nested")

    def add(record: logging.LogRecord) -> bool:
        record.request = "r"
        return True

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelno)s %(levelname)s %(message)s %(request)s"))
    handler.addFilter(add)
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    with mock.patch.dict(logging._levelToName), lf.setup_logging_queue(logger, accelerate=accelerate) as listener:
        logging._levelToName[35] = Name("odd")
        logger.log(35, "one")
        listener.flush(10)
        logging._levelToName[35] = "other"
        logger.warning("two")
        listener.flush(10)
        lines = stream.getvalue().splitlines()
    assert sorted(line for line in lines if "nested" not in line) == ["30 WARNING two r", "35 odd one r"]
    assert set(lines) <= {"30 WARNING two r", "35 odd one r", "30 WARNING nested r"}
