"""Moved handlers: asked in the log call, and standing behind their queue handler as if they were on the logger."""

from __future__ import annotations

import contextlib
import contextvars
import io
import logging
import logging.handlers
import multiprocessing
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest

from helpers import Collect, Gate

ATTACHED = "attached"


def both_ways(lf: Any, make: Any, act: Any, accelerate: bool, **options: Any) -> tuple[Any, Any]:
    """What the handlers of `make()` have after `act(logger)`, attached, and behind the queue."""
    outcomes = []
    for queued in (False, True):
        logger = logging.Logger("shop", logging.DEBUG)
        handlers, outcome = make()
        for handler in handlers:
            logger.addHandler(handler)
        if queued:
            with lf.setup_logging_queue(logger, accelerate=accelerate, **options):
                act(logger)
        else:
            act(logger)
        outcomes.append(outcome())
    return outcomes[0], outcomes[1]


class Text(logging.StreamHandler):  # type: ignore[type-arg]
    def __init__(self, fmt: str = "%(message)s", level: int = 0) -> None:
        super().__init__(io.StringIO())
        self.setFormatter(logging.Formatter(fmt, defaults={"rid": "-", "by": "-"}))
        self.setLevel(level)

    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


def plain(fmt: str, level: int = 0) -> Any:
    """A handler that is exactly the standard library's, which gets batches."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter(fmt, defaults={"rid": "-", "by": "-"}))
    handler.setLevel(level)
    return handler


local = threading.local()
request = contextvars.ContextVar("request", default="none")
current = {"task": "none"}


class FromLocal(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.rid = getattr(local, "rid", "none")
        return True


class FromContext(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.rid = request.get()
        return True


class FromGlobal(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.rid = current["task"]
        return True


def log_in_threads(logger: logging.Logger) -> None:
    def work(number: int) -> None:
        local.rid = f"r{number}"
        request.set(f"r{number}")
        for i in range(20):
            current["task"] = f"r{number}"
            logger.info("record %d of %d", i, number)
            current["task"] = "other"

    for number in range(3):
        thread = threading.Thread(target=work, args=(number,))
        thread.start()
        thread.join()


@pytest.mark.parametrize("kind", [FromLocal, FromContext, FromGlobal])
@pytest.mark.parametrize("make", [Text, plain], ids=["subclass", "exact"])
def test_a_filter_sees_what_belongs_to_the_call(
    lf: Any, clean_logging: None, kind: Any, make: Any, accelerate: bool
) -> None:
    def handlers() -> Any:
        handler = make("%(rid)s %(message)s")
        handler.addFilter(kind())
        return [handler], lambda: handler.stream.getvalue()

    attached, queued = both_ways(lf, handlers, log_in_threads, accelerate)
    assert queued == attached
    assert queued.count("r2 record") == 20


class Shout(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = record.msg.upper()
        record.by = "shout"
        return True


class Odd(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.args[0] % 2 == 1  # type: ignore[index, operator, misc]


class Fails(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        raise RuntimeError("filter")


class Replaces(logging.Filter):
    def filter(self, record: logging.LogRecord) -> Any:
        if sys.version_info < (3, 12):
            return True
        return logging.makeLogRecord({**vars(record), "msg": "replaced %d"})


SCENES = {
    "hidden in the second only": [(), (Shout,)],
    "seen by those that follow": [(Shout,), ()],
    "in the middle": [(), (Shout,), (), (Odd,), ()],
    "some pass": [(Odd,), (), (Shout, Odd)],
    "replaced for one": [(), (Replaces,), ()],
    "two that change": [(Shout,), (Replaces, Shout), (Shout,)],
}


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("make", [Text, plain], ids=["subclass", "exact"])
@pytest.mark.parametrize("levels", [(0, 0, 0, 0, 0), (0, 30, 20, 40, 30)])
def test_each_handler_gets_what_it_had(
    lf: Any, clean_logging: None, scene: str, make: Any, levels: tuple[int, ...], accelerate: bool
) -> None:
    def handlers() -> Any:
        made = []
        for filters, level in zip(SCENES[scene], levels, strict=False):
            handler = make("%(levelname)s %(by)s %(message)s", level)
            for each in filters:
                handler.addFilter(each())
            made.append(handler)
        return made, lambda: [handler.stream.getvalue() for handler in made]

    def act(logger: logging.Logger) -> None:
        for i in range(30):
            logger.log((i % 5 + 1) * 10, "number %d", i)

    attached, queued = both_ways(lf, handlers, act, accelerate)
    assert queued == attached


class Hides(logging.Filter):
    """Changes what is there, as a filter does that removes secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.levelname = "hidden"
        record.by = "hidden"
        return True


class Wrapped(logging.LogRecord):
    def getMessage(self) -> str:
        return f"<{super().getMessage()}>"


class Wraps(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.__class__ = Wrapped
        return True


@pytest.mark.parametrize("change", [Hides, Shout, Wraps])
@pytest.mark.parametrize("argument", [1, [1]], ids=["immutable", "can change"])
@pytest.mark.parametrize("places", ["two loggers", "one logger"])
def test_a_record_that_is_changed_later_in_the_call(
    lf: Any, clean_logging: None, change: Any, argument: Any, places: str, accelerate: bool
) -> None:
    """Each handler gets it as it was when its turn came, whichever logger has the handlers."""
    outcomes = []
    for queued in (False, True):
        root, shop = logging.getLogger(), logging.getLogger("shop")
        first, second = (make("%(levelname)s %(by)s %(message)s") for make in (plain, Text))
        second.addFilter(change())
        for logger in root, shop:
            logger.handlers = []
        (shop if places == "two loggers" else root).addHandler(first)
        root.addHandler(second)
        with contextlib.ExitStack() as stack:
            if queued:
                stack.enter_context(lf.setup_logging_queue(all_loggers=True, accelerate=accelerate))
            for _ in range(5):
                shop.warning("number %s", argument, extra={"by": "shop"})
        outcomes.append([handler.stream.getvalue() for handler in (first, second)])
    assert outcomes[0] == outcomes[1]


class Batches(logging.Handler):
    """Takes batches, the first one once it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.open = threading.Event(), threading.Event()
        self.sizes: list[int] = []
        self.messages: list[str] = []

    def handle_batch(self, records: list[logging.LogRecord]) -> None:
        self.entered.set()
        assert self.open.wait(10)
        self.sizes.append(len(records))
        self.messages += [record.getMessage() for record in records]


def test_copies_of_records_that_a_filter_changes_make_batches(lf: Any, clean_logging: None) -> None:
    plain, changed = Batches(), Batches()
    changed.open.set()
    changed.addFilter(lambda record: setattr(record, "mark", object()) or True)
    logging.root.handlers = [plain, changed]
    with lf.setup_logging_queue() as listener:
        logging.warning("0")
        assert plain.entered.wait(10)
        for i in range(1, 50):
            logging.warning("%d", i)
        plain.open.set()
        assert listener.flush(10)
    for handler in plain, changed:
        assert handler.messages == [str(i) for i in range(50)]
        assert max(handler.sizes) > 1


def test_a_filter_that_keeps_something_for_a_record(lf: Any, clean_logging: None, accelerate: bool) -> None:
    """Its formatter finds it, as it gets the same record."""

    def handlers() -> Any:
        kept: weakref.WeakKeyDictionary[logging.LogRecord, str] = weakref.WeakKeyDictionary()

        class Formatter(logging.Formatter):
            def format(self, record: logging.LogRecord) -> str:
                return f"{super().format(record)} {kept.get(record)}"

        def keep(record: logging.LogRecord) -> bool:
            kept[record] = f"kept for {record.args}"
            return True

        handler = Text()
        handler.setFormatter(Formatter())
        handler.addFilter(keep)
        return [handler], handler.lines

    attached, queued = both_ways(lf, handlers, lambda logger: logger.info("number %d", 1), accelerate)
    assert queued == attached


def test_a_filter_that_raises_is_reported_and_the_others_go_on(lf: Any, clean_logging: None) -> None:
    bad, good = Text(), Text()
    bad.addFilter(Fails())
    logger = logging.Logger("shop")
    logger.handlers = [bad, good]
    errors: list[Any] = []
    with lf.setup_logging_queue(logger, on_error=lambda *given: errors.append(given)):
        logger.error("one")
    assert (bad.lines(), good.lines()) == ([], ["one"])
    [(record, handler, error)] = errors
    assert (record.msg, handler, str(error)) == ("one", bad, "filter")


def test_filters_can_be_left_to_the_listener(lf: Any, clean_logging: None) -> None:
    threads = []

    class Slow(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            threads.append(threading.current_thread())
            return True

    handler = Text()
    handler.addFilter(Slow())
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    with lf.setup_logging_queue(logger, filter_in_call=False):
        logger.error("one")
    assert handler.lines() == ["one"]
    assert threading.current_thread() not in threads
    assert len(threads) == 1


@pytest.mark.parametrize("queued_only", [True, False])
def test_a_filter_is_asked_once(lf: Any, clean_logging: None, queued_only: bool) -> None:
    asked: list[str] = []

    class Counts(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            asked.append(record.getMessage())
            return True

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            pass

    logger = logging.Logger("shop")
    for handler in (Handler(), plain("%(message)s"), logging.handlers.MemoryHandler(100)):
        handler.addFilter(Counts())
        logger.addHandler(handler)
    with lf.setup_logging_queue(logger):
        logger.error("one")
        logger.error("two")
    assert sorted(asked) == ["one"] * 3 + ["two"] * 3


def test_a_handler_that_overrides_handle_asks_its_filters_itself(lf: Any, clean_logging: None) -> None:
    class Own(Text):
        def handle(self, record: logging.LogRecord) -> Any:
            record.by = "own"
            return super().handle(record)

    handler = Own("%(by)s %(message)s")
    handler.addFilter(Odd())
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    with lf.setup_logging_queue(logger):
        for i in range(4):
            logger.error("%d", i)
    assert handler.lines() == ["own 1", "own 3"]


@pytest.mark.parametrize("make", [Text, plain], ids=["subclass", "exact"])
def test_levels_and_filters_count_as_they_are_in_the_call(
    lf: Any, clean_logging: None, make: Any, accelerate: bool
) -> None:
    def handlers() -> Any:
        handler = make("%(message)s")
        return [handler], lambda: handler.stream.getvalue()

    def act(logger: logging.Logger) -> None:
        moved = getattr(logger.handlers[0], "moved", None)
        handler = moved.handlers[0] if moved else logger.handlers[0]
        only_odd = Odd()
        for i in range(60):
            logger.info("number %d", i)
            handler.setLevel((0, 20, 30)[i % 3])
            (handler.addFilter if i % 4 < 2 else handler.removeFilter)(only_odd)

    attached, queued = both_ways(lf, handlers, act, accelerate)
    assert queued == attached


# ---- the queue handler stands in for them ----


def test_the_level_of_the_queue_handler_is_the_lowest(lf: Any, clean_logging: None) -> None:
    logger = logging.Logger("shop")
    first, second = Text(level=40), Text(level=30)
    logger.handlers = [first, second]
    with lf.setup_logging_queue(logger):
        [queue_handler] = logger.handlers
        assert queue_handler.level == 30
        second.setLevel(50)
        assert queue_handler.level == 40
        queue_handler.setLevel(45)
        assert queue_handler.level == 45


def test_a_moved_handler_is_not_added_again(lf: Any, clean_logging: None, accelerate: bool) -> None:
    logger = logging.Logger("shop")
    handler = Text()
    logger.addHandler(handler)
    with lf.setup_logging_queue(logger, accelerate=accelerate):
        for _ in range(3):
            logger.addHandler(handler)
            logger.error("one")
        assert handler in logger.handlers
        assert len(logger.handlers) == 1
    assert handler.lines() == ["one"] * 3
    assert logger.handlers == [handler]


def test_a_moved_handler_that_is_removed_gets_no_more(lf: Any, clean_logging: None, accelerate: bool) -> None:
    logger = logging.Logger("shop")
    first, second = Text(), Text()
    logger.handlers = [first, second]
    with lf.setup_logging_queue(logger, accelerate=accelerate):
        logger.error("one")
        logger.removeHandler(first)
        logger.error("two")
        assert first not in logger.handlers
    assert (first.lines(), second.lines()) == (["one"], ["one", "two"])
    assert logger.handlers == [second]


def test_a_moved_handler_that_is_removed_has_what_was_logged_before(
    lf: Any, clean_logging: None, accelerate: bool
) -> None:
    logger = logging.Logger("shop")
    handler = Text()
    logger.handlers = [handler, Text()]
    with lf.setup_logging_queue(logger, accelerate=accelerate):
        for i in range(100):
            logger.error("%d", i)
        logger.removeHandler(handler)
        assert handler.lines() == [str(i) for i in range(100)]
        logger.addHandler(handler)
        logger.error("again")
        assert handler.lines()[-1] == "again"


def test_a_logger_whose_moved_handlers_are_all_removed_has_none(
    lf: Any, clean_logging: None, accelerate: bool, capsys: Any
) -> None:
    logger = logging.Logger("shop")
    handlers = [Text(), Text()]
    logger.handlers = list(handlers)
    with lf.setup_logging_queue(logger, accelerate=accelerate):
        logger.error("one")
        for handler in handlers:
            assert logger.hasHandlers()
            logger.removeHandler(handler)
        assert not logger.hasHandlers()
        logger.error("two")
    assert logger.handlers == []
    assert [handler.lines() for handler in handlers] == [["one"]] * 2
    assert capsys.readouterr().err == "two\n"


def test_it_can_be_added_again_once_the_queue_handler_is_gone(lf: Any, clean_logging: None) -> None:
    logger = logging.Logger("shop")
    handler = Text()
    logger.addHandler(handler)
    with lf.setup_logging_queue(logger):
        logger.handlers.clear()
        logger.addHandler(handler)
        logger.error("one")
        assert handler.lines() == ["one"]


def test_nothing_to_move_starts_no_thread(lf: Any, clean_logging: None) -> None:
    logging.basicConfig(handlers=[Text()])
    first = lf.setup_logging_queue()
    before = threading.active_count()
    with pytest.warns(UserWarning, match="was called before"):
        others = [lf.setup_logging_queue() for _ in range(30)]
    assert threading.active_count() == before
    for listener in (*others, first):
        listener.stop()


# ---- those that stay ----


def test_direct_handlers_stay_where_they_are(lf: Any, clean_logging: None) -> None:
    class Bound(logging.Handler):
        def __init__(self) -> None:
            super().__init__()
            self.threads: list[Any] = []

        def emit(self, record: logging.LogRecord) -> None:
            self.threads.append(threading.current_thread())

    logger = logging.Logger("shop")
    by_class, itself, moved = Bound(), Collect(), Text()
    logger.handlers = [by_class, moved, itself]
    with lf.setup_logging_queue(logger, direct=[Bound, itself]) as listener:
        assert listener.handlers == (moved,)
        logger.error("one")
        assert by_class.threads == [threading.current_thread()]
        assert itself.messages == ["one"]
    assert moved.lines() == ["one"]
    assert logger.handlers == [by_class, moved, itself]


def test_direct_takes_one_too_and_says_what_it_takes(lf: Any, clean_logging: None) -> None:
    logger = logging.Logger("shop")
    logger.handlers = [handler := Text()]
    with lf.setup_logging_queue(logger, direct=handler) as listener:
        assert listener.handlers == ()
    with pytest.raises(TypeError, match="direct takes handlers or their classes, not 'file'"):
        lf.setup_logging_queue(logger, direct=["file"])
    assert logger.handlers == [handler]


# ---- what a program does to a moved handler itself ----


CHANGES = {
    "close": lambda handler: handler.close(),
    "formatter": lambda handler: handler.setFormatter(logging.Formatter("changed %(message)s")),
    "level": lambda handler: handler.setLevel(logging.CRITICAL),
    "stream": lambda handler: handler.setStream(open(f"{handler.baseFilename}.other", "a")).close(),  # noqa: SIM115
    "rollover": lambda handler: handler.doRollover(),
    "filter": lambda handler: handler.addFilter(Odd()),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("held", [False, True], ids=["", "lock held"])
def test_records_before_a_change_are_written_as_before(
    lf: Any, clean_logging: None, tmp_path: Path, change: str, accelerate: bool, held: bool
) -> None:
    """A program may hold the handler's lock meanwhile, as logging.shutdown() does."""
    if held and change == "rollover":
        pytest.skip("emit() calls it so, in the middle of a record")
    files = []
    for folder in ("attached", "queued"):
        (tmp_path / folder).mkdir()
        logger = logging.Logger("shop")
        handler = logging.handlers.RotatingFileHandler(tmp_path / folder / "log", "w", backupCount=2)
        logger.addHandler(handler)
        queued = lf.setup_logging_queue(logger, accelerate=accelerate) if folder == "queued" else None
        for i in range(200):
            logger.error("before %d", i)
        with handler.lock if held else contextlib.nullcontext():  # type: ignore[attr-defined]
            CHANGES[change](handler)
        for i in range(3):
            logger.error("after %d", i)
        if queued:
            queued.stop()
        handler.close()
        files.append({path.name: path.read_text() for path in (tmp_path / folder).iterdir()})
    assert files[1] == files[0]


@pytest.mark.parametrize("make", [Text, plain], ids=["subclass", "exact"])
def test_flush_of_a_moved_handler_delivers(lf: Any, clean_logging: None, make: Any, accelerate: bool) -> None:
    logger = logging.Logger("shop")
    logger.addHandler(handler := make("%(message)s"))
    with lf.setup_logging_queue(logger, accelerate=accelerate):
        for i in range(50):
            for j in range(i):
                logger.error("%d %d", i, j)
            handler.flush()
            assert len(handler.stream.getvalue().splitlines()) == sum(range(i + 1))
    assert "flush" not in vars(handler)


@pytest.mark.parametrize("make_lock", [threading.RLock, multiprocessing.RLock], ids=["", "lock between processes"])
def test_a_moved_handler_on_another_logger_rotates_without_waiting(
    lf: Any, clean_logging: None, tmp_path: Path, accelerate: bool, make_lock: Any
) -> None:
    """Its emit() there rotates and flushes with the handler's lock, which the listener may need next."""
    file = logging.handlers.RotatingFileHandler(tmp_path / "log", maxBytes=100, backupCount=1)
    file.lock = make_lock()
    moved, other = logging.Logger("moved"), logging.Logger("other")
    other.addHandler(file)
    for handler in (gate := Gate(), file):
        moved.addHandler(handler)
    with lf.setup_logging_queue(moved, accelerate=accelerate, exit_timeout=60):
        moved.error("waits at the gate")
        assert gate.entered.wait(30)
        thread = threading.Thread(target=lambda: [other.error("a longer message, number %d", i) for i in range(20)])
        thread.start()
        thread.join(30)
        waits = thread.is_alive()
        gate.open.set()
        thread.join()
    file.close()
    assert not waits


def test_the_stop_of_one_listener_leaves_a_shared_handler_to_the_other(lf: Any, clean_logging: None) -> None:
    first, second = logging.Logger("first"), logging.Logger("second")
    first.addHandler(handler := Text())
    second.addHandler(handler)
    with lf.setup_logging_queue(first):
        with lf.setup_logging_queue(second):
            pass
        first.error("one")
        handler.flush()
        assert handler.lines() == ["one"]
    assert "flush" not in vars(handler)


@pytest.mark.parametrize("method", ["flush", "close"])
def test_a_moved_handler_waits_for_no_lock_that_the_caller_holds(lf: Any, clean_logging: None, method: str) -> None:
    """A signal handler that flushes them all may come in the flush() of one, and the close() of one close another."""
    logger = logging.Logger("shop")
    for handler in (first := Text(), second := Text()):
        logger.addHandler(handler)

    def act() -> None:
        with first.lock:  # type: ignore[union-attr]
            logger.error("one")
            getattr(second, method)()

    with lf.setup_logging_queue(logger, exit_timeout=60):
        thread = threading.Thread(target=act)
        thread.start()
        thread.join(30)
        assert not thread.is_alive()
    assert first.lines() == second.lines() == ["one"]


class HasThread(logging.Handler):
    """Collects records, which a thread of its own would send: both take a lock of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.own_lock = threading.RLock()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        with self.own_lock:
            self.messages.append(record.getMessage())

    def flush(self) -> None:
        with self.own_lock:
            self.messages.append("flushed")


def test_a_flush_of_its_own_waits_for_nothing(lf: Any, clean_logging: None) -> None:
    logger = logging.Logger("shop")
    logger.addHandler(handler := HasThread())

    def send() -> None:
        with handler.own_lock:
            logger.error("one")
            handler.flush()

    with lf.setup_logging_queue(logger, exit_timeout=60):
        thread = threading.Thread(target=send)
        thread.start()
        thread.join(30)
        assert not thread.is_alive()
    assert handler.messages[:2] == ["flushed", "one"]


class CountsFlushes(logging.StreamHandler):
    """Counts the calls of its flush()."""

    flushes = 0

    def emit(self, record: logging.LogRecord) -> None:
        pass

    def flush(self) -> None:
        self.flushes += 1


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize(
    "act",
    [
        lambda lf, other: lf.setup_logging_queue(all_loggers=True),
        lambda lf, other: other.setFormatter(logging.Formatter()),
    ],
    ids=["a second set-up", "a change of another handler"],
)
def test_no_handler_is_flushed_for_what_happens_to_another(
    lf: Any, clean_logging: None, monkeypatch: pytest.MonkeyPatch, act: Any, direct: bool
) -> None:
    """Attached it would not be: a closed stream would be reported, and a MemoryHandler would write too early."""
    if direct:
        monkeypatch.setenv("LOGFLUME_DIRECT", "1")
    logging.root.handlers = [
        other := logging.StreamHandler(io.StringIO()),
        counts := CountsFlushes(io.StringIO()),
    ]
    logging.getLogger("shop.other").addHandler(Collect())
    with lf.setup_logging_queue() as listener:
        logging.warning("one")
        listener.flush(10)
        flushed = counts.flushes
        act(lf, other)
        assert counts.flushes == flushed


@pytest.mark.parametrize("change", ["moved back", "another listener", "no listener"])
def test_what_is_asked_changes_the_queue_handler(lf, change, accelerate):
    """A level may be a property, which may do anything, as another thread may meanwhile."""

    class Own(Collect):
        @property
        def level(self):
            while changes:
                changes.pop()()
            return 0

        @level.setter
        def level(self, level):
            pass

    changes = []
    own = Own()
    logger = logging.Logger("shop", logging.DEBUG)
    logger.addHandler(own)
    with lf.setup_logging_queue(logger, accelerate=accelerate) as listener:
        [queue_handler] = logger.handlers
        other = lf.QueueListener(queue_handler.queue, own)
        for call in ("one", "two"):
            if change == "moved back":
                changes.append(lambda: setattr(queue_handler, "moved", None))
            elif change == "another listener":
                changes.append(lambda: setattr(queue_handler, "listener", other))
            else:
                changes.append(lambda: setattr(queue_handler, "listener", None))
            logger.info(call)
        queue_handler.listener = listener
        logger.info("three")
        other.stop()
        assert listener.flush(10)
    assert sorted(own.messages) == ["one", "three", "two"]


@pytest.mark.parametrize("others", [True, False])
def test_a_handler_is_removed_though_the_queue_handler_has_another_listener(lf, others):
    handlers = [Collect(), Collect()]
    logging.root.handlers = list(handlers)
    listener = lf.setup_logging_queue()
    logging.root.warning("before")
    [queue_handler] = logging.root.handlers
    queue_handler.listener = lf.QueueListener(queue_handler.queue) if others else None
    logging.root.removeHandler(handlers[0])
    assert handlers[0].messages == ["before"]
    listener.stop()
    assert logging.root.handlers == handlers[1:]


def test_the_filters_of_a_handler_are_replaced_while_those_before_it_are_asked(lf, accelerate):
    class Length:
        """Stands for a filter's `nlen`, and does what is due when that is compared."""

        def __eq__(self, other):
            while due:
                due.pop()()
            return other == len("shop")

        __hash__ = None

    due = []
    dropping = logging.Filter("elsewhere")
    kept = []

    def make():
        handlers = [Collect(), Collect()]
        by_name = logging.Filter("shop")
        by_name.nlen = Length()
        handlers[0].filters = [by_name]
        handlers[1].filters = [dropping]
        return handlers, lambda: [handler.messages for handler in handlers]

    def act(logger):
        handlers = moved_or_own(logger)

        def replace():
            handlers[1].filters = []
            kept.append([dropping])  # perhaps in the memory of the list that is gone

        logger.info("one")
        due.append(replace)
        logger.info("two")

    attached, queued = both_ways(lf, make, act, accelerate)
    assert attached == queued == [["one", "two"], ["two"]]


def moved_or_own(logger):
    [first, *_] = logger.handlers
    moved = getattr(first, "moved", None)
    return logger.handlers if moved is None else moved.handlers
