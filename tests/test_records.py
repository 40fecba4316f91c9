"""Records are those of the standard library to all code that sees them, and say what they said in the call."""

import contextlib
import copy
import gc
import logging
import logging.handlers
import multiprocessing
import pickle
import sys
import time
import weakref

import pytest

import cores
from deliveries import deliver_compiled
from helpers import (
    Collect,
    drain,
    is_quick,
    needs_compiled,
    needs_gil,
    nothing_delivered,
    run_code,
    stopped_clock,
)

STANDARD = list(vars(logging.LogRecord("a.b", logging.INFO, __file__, 1, "hello %s %d", ("x", 5), None, "make")))


# What code sees of a record.


class Text:
    def __init__(self, text):
        self.text = text

    def __str__(self):
        return self.text


def raise_it():
    raise ValueError("wrong")


LIST = [1, 2]
CALLS = {
    "plain": ("hello %s %d", ("x", 5), {}),
    "extra": ("hello", (), {"extra": {"request": LIST}}),
    "mapping": ("%(a)s", ({"a": 1},), {}),
    "list": ("%s", (LIST,), {}),
    "object": ("%s %s", (Text("t"), "x"), {}),
    "dictionary as the message": ({"event": "e"}, (), {}),
    "exception": ("wrong", (), {"exc_info": True}),
    "no exception": ("none", (), {"exc_info": False}),
    "stack": ("stack", (), {"stack_info": True}),
}


def attributes_of(record):
    """All that can be told of a record, with its order: the types, and the values where they compare."""
    assert object.__getattribute__(record, "__dict__") == vars(record)
    values = {name: str(value) for name, value in vars(record).items() if name not in ("exc_info", "args")}
    args = [*map(str, record.args)]
    exc_info = record.exc_info and [type(part) for part in record.exc_info]
    kinds = [(name, str if isinstance(value, str) else type(value)) for name, value in vars(record).items()]
    return type(record), record.__class__, values, args, exc_info, kinds, record.getMessage()


class Shown(logging.Formatter):
    """Keeps what it sees of each record."""

    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def format(self, record):
        self.seen.append(attributes_of(record))
        return super().format(record)


class Watching(logging.StreamHandler):
    """A handler that is not the standard library's."""


def directly(seen, logger, place):
    handler = Watching(open("/dev/null", "w"))  # noqa: SIM115
    if place in ("filter of the logger", "filter of the handler"):
        owner = logger if place == "filter of the logger" else handler
        owner.addFilter(lambda record: seen.append(attributes_of(record)) or True)
    else:
        handler.setFormatter(Shown(seen))
    logger.addHandler(handler)
    return handler


@pytest.mark.parametrize("accelerates", [False, True])
@pytest.mark.parametrize("place", ["behind", "beside", "filter of the logger", "filter of the handler", "only queued"])
def test_all_code_sees_the_record_of_the_standard_library(lf, place, accelerates):
    outcomes = []
    for ours in (False, True):
        seen = []
        logger = logging.getLogger("seen")
        logger.propagate = False
        handler = directly(seen, logger, place)
        listener = None
        if ours and place == "only queued":
            logger.handlers = [lf.LocalQueueHandler()]
        elif ours and place == "beside":
            logger.addHandler(lf.LocalQueueHandler())
        elif ours:
            listener = lf.setup_logging_queue(logger)
        if ours and accelerates:
            lf.accelerate_loggers()
        with stopped_clock(lambda: 1_700_000_000.75):
            for msg, args, keywords in CALLS.values():
                try:
                    raise_it()
                except ValueError:
                    logger.warning(msg, *args, **keywords)
        if ours and place == "only queued":
            seen = [attributes_of(record) for record in drain(logger.handlers[0].queue)]
        if listener is not None:
            listener.stop()
        if ours:
            lf.restore_loggers()
        handler.stream.close()
        logger.handlers = []
        logger.filters = []
        outcomes.append(seen)
    assert len(outcomes[0]) == len(CALLS)
    for name, standard, queued in zip(CALLS, *outcomes, strict=True):
        assert standard == queued, name


def test_handlers_behind_the_queue_share_a_record(lf):
    """One sees what another has set, also where the first one's text is composed for many records."""
    first, second = [], []
    stream = logging.StreamHandler(open("/dev/null", "w"))  # noqa: SIM115
    stream.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    handlers = [
        Collect(function=lambda record: first.append(record) or setattr(record, "mark", 1)),
        stream,
        Collect(function=lambda record: second.append((record, record.mark, record.message, record.asctime))),
    ]
    logging.root.handlers = handlers
    with lf.setup_logging_queue(accelerate=True):
        for _ in range(20):
            logging.getLogger("a").warning("m")
    stream.stream.close()
    assert len(first) == 20
    assert all(type(record) is logging.LogRecord for record in first)
    assert [record for record, *_ in second] == first


def test_the_class_of_a_record_can_be_changed(lf):
    class Own(logging.LogRecord):
        pass

    def change(record):
        record.__class__ = Own
        return True

    seen = []
    handler = Collect(function=lambda record: seen.append(type(record)))
    handler.addFilter(change)
    logging.root.handlers = [handler]
    with lf.setup_logging_queue(accelerate=True):
        logging.getLogger("a").warning("m")
    assert seen == [Own]


def test_a_record_that_is_not_looked_at_stays_in_c(package):
    handler = logging.StreamHandler(open("/dev/null", "w"))  # noqa: SIM115
    logging.root.handlers = [handler]
    logger = logging.getLogger("a")
    with package.setup_logging_queue(accelerate=True):
        assert is_quick(lambda: logger.warning("m"))
        assert is_quick(lambda: logger.warning("m", exc_info=True, extra={"a": 1}))
        handler.setLevel(logging.ERROR)
        assert is_quick(lambda: logger.warning("m"))
        handler.addFilter(lambda record: True)
        # The filter is all that is Python; without the GIL it cannot be told whether it kept the record.
        assert is_quick(lambda: logger.error("m")) or not cores.HAS_GIL
    handler.stream.close()


# The frames above a handler.


def frames(frame):
    found = []
    while frame is not None and frame.f_code.co_name != "log_it":
        found.append((frame.f_code.co_filename, frame.f_code.co_name, frame.f_lineno, frame.f_globals["__name__"]))
        frame = frame.f_back
    return found


@pytest.mark.parametrize("method", ["info", "exception", "log"])
@pytest.mark.parametrize("who", ["handler", "filter of the logger", "factory", "nested"])
def test_frames_have_the_names_and_lines_of_logging(package, method, who):
    seen = []

    def look(*args, **keywords):
        seen.append(frames(sys._getframe(1)))
        return logging.LogRecord(*args, **keywords) if who == "factory" else True

    def log_it(logger):
        getattr(logger, method)(*((20, "m") if method == "log" else ("m",)))

    for ours in (False, True):
        logger = logging.Logger("frames")
        collect = Collect()
        logger.addHandler(collect)
        if who == "filter of the logger":
            logger.addFilter(look)
        elif who == "factory":
            logging.setLogRecordFactory(look)
        else:
            collect.emit = look
        if ours:
            logger.addHandler(package.LocalQueueHandler())
            package.accelerate_loggers()
        log_it(logger)
        logging.setLogRecordFactory(logging.LogRecord)
    assert len(seen) == 2
    assert seen[0] == seen[1]


def nothing(self, *args, **keywords):
    replaced.append(args)


replaced = []


@pytest.mark.parametrize("name", ["info", "_log", "findCaller", "makeRecord", "handle", "callHandlers", "isEnabledFor"])
def test_a_replaced_code_of_a_method_is_honoured(records, name):
    function = logging.Logger.info.__wrapped__ if name == "info" else vars(logging.Logger)[name]
    standard = function.__code__
    logger = logging.getLogger("code")
    replaced.clear()
    logger.info("before")
    function.__globals__["replaced"] = replaced
    function.__code__ = nothing.__code__
    with contextlib.suppress(TypeError, AttributeError):  # None is no caller and no record
        logger.info("replaced")
    function.__code__ = standard
    del function.__globals__["replaced"]
    logger.info("after")
    assert replaced
    assert {"before", "after"} <= {record.msg for record in records()}


@pytest.mark.parametrize("name", ["__init__", "getMessage"])
def test_a_replaced_code_of_LogRecord_is_honoured(records, name):
    standard = getattr(logging.LogRecord, name).__code__
    replaced.clear()
    logging.__dict__["replaced"] = replaced
    getattr(logging.LogRecord, name).__code__ = nothing.__code__
    with contextlib.suppress(AttributeError):
        logging.getLogger("code").info("m %s", [1])
    getattr(logging.LogRecord, name).__code__ = standard
    del logging.__dict__["replaced"]
    assert replaced


# A message that may change.


@pytest.fixture(params=[False, True])
def behind(request, lf):
    """behind(change, msg, *args) logs, calls change(), and returns the record that a handler behind the queue gets."""

    def behind(change, msg, *args, **keywords):
        seen = []
        logging.root.handlers = [Collect(function=seen.append)]
        with lf.setup_logging_queue(accelerate=request.param) as listener:
            with nothing_delivered(listener):
                logging.getLogger("a").warning(msg, *args, **keywords)
                change()
            listener.flush()
        (record,) = seen
        return record

    return behind


def test_the_message_is_that_of_the_call(behind):
    values = [1]
    record = behind(lambda: values.append(2), "%s", values)
    assert record.getMessage() == "[1]"
    assert record.args == (values,)
    assert record.args[0] is values
    assert record.msg == "%s"
    assert hash(record.msg) == hash("%s")
    assert str(record.msg) == f"{record.msg}" == "%s"
    assert record.msg % (3,) == "3"
    assert [name for name in vars(record) if name in STANDARD] == STANDARD
    assert len(vars(record)) == len(STANDARD)


def test_the_message_travels_with_a_copy(behind):
    values = [1]
    record = behind(lambda: values.append(2), "%s", values)
    assert copy.copy(record).getMessage() == "[1]"
    assert type(copy.copy(record)) is logging.LogRecord


def test_it_pickles_as_a_standard_record(behind):
    text = pickle.dumps(behind(lambda: None, "%s", [1]))
    assert b"logflume" not in text.replace(__file__.encode(), b"")
    new = pickle.loads(text)
    assert type(new) is logging.LogRecord
    assert type(new.msg) is str
    assert new.getMessage() == "[1]"


def test_a_mapping_that_is_emptied(behind):
    values = {"a": 1}
    assert behind(values.clear, "of %(a)s", values).getMessage() == "of 1"


def test_an_object_as_the_message(behind):
    text = Text("before")
    record = behind(lambda: setattr(text, "text", "after"), text)
    assert (record.msg, record.getMessage(), record.args) == ("before", "before", ())


def test_a_dictionary_as_the_message_is_copied_and_not_rendered(behind):
    """As structlog has it, whose formatter wants the dictionary."""
    rendered = []

    class Value:
        def __repr__(self):
            rendered.append(1)
            return "value"

    def change():
        assert not rendered
        event["more"] = 1

    event = {"value": Value()}
    record = behind(change, event)
    assert type(record.msg) is dict
    assert list(record.msg) == ["value"]


@pytest.mark.parametrize(("name", "value"), [("args", ("new",)), ("msg", "other %s")])
def test_a_changed_record_has_its_new_message(behind, name, value):
    record = behind(lambda: None, "%s", [1])
    setattr(record, name, value)
    assert record.getMessage() == str(record.msg) % record.args


def test_a_message_that_cannot_be_rendered_is_left_to_the_handler(lf, capsys):
    logging.root.handlers = [Collect()]
    with lf.setup_logging_queue(accelerate=True):
        logging.getLogger("a").warning("%d", [1])
    error = capsys.readouterr().err
    assert "TypeError" in error
    assert "Arguments: ([1],)" in error


class Brace(logging.LogRecord):
    def getMessage(self):
        return str(self.msg).format(*self.args)


class Masked(logging.LogRecord):
    def getMessage(self):
        return str(self.msg) % tuple(f"<{arg}>" for arg in self.args)


@pytest.mark.parametrize(
    ("cls", "msg", "text"),
    [(Brace, "of {}", "of [1]"), (Masked, "of %s", "of <[1]>")],
    ids=["brace", "masked"],
)
def test_a_record_class_with_a_message_of_its_own(behind, cls, msg, text):
    values = [1]
    logging.setLogRecordFactory(cls)
    try:
        record = behind(lambda: values.append(2), msg, values)
    finally:
        logging.setLogRecordFactory(logging.LogRecord)
    assert type(record) is cls
    assert record.getMessage() == text


def test_queue_handlers_share_the_copy_of_a_record(lf):
    """What a filter behind one queue handler sets is there behind the next, as with handlers on the loggers."""
    child, parent = logging.getLogger("a.b"), logging.getLogger("a")
    seen = []
    first = Collect()
    first.addFilter(lambda record: setattr(record, "request", 7) or True)
    child.handlers = [first]
    parent.handlers = [Collect(function=lambda record: seen.append(record.request))]
    with lf.setup_logging_queue(child, parent, filter_in_call=False, accelerate=True):
        child.warning("%s", [1])
    assert seen == [7]


# Extra fields that may change.


def containers():
    inner = {"b": [1, {2}], "t": (1, [2]), "a": bytearray(b"x")}
    inner["self"] = inner
    return {
        "list": [1, [2]],
        "dict": inner,
        "set": {1, (2,)},
        "tuple": ((), ([],)),
        "bytes": bytearray(b"x"),
        "one": 1,
    }


def change_all(extra):
    extra["list"][1].append(3)
    extra["list"].append(4)
    extra["dict"]["b"][1].add(5)
    extra["dict"]["t"][1].clear()
    extra["dict"]["a"] += b"y"
    extra["dict"]["new"] = 1
    extra["set"].add(2)
    extra["tuple"][1][0].append(1)
    extra["bytes"] += b"y"
    extra["one"] = 2


@pytest.mark.parametrize("args", [(), ([1],)], ids=["immutable", "rendered"])
def test_extra_fields_are_those_of_the_call(behind, args):
    extra = containers()
    record = behind(lambda: change_all(extra), "m%s" if args else "m", *args, extra=extra)
    expected = containers()
    own = vars(record)["dict"]
    assert own.pop("self") is own or own is extra["dict"]
    del expected["dict"]["self"]
    assert {name: vars(record)[name] for name in expected} == expected
    assert type(record) is logging.LogRecord
    assert list(vars(record)) == [*STANDARD, *expected]
    assert type(record.msg) is str or args


def test_a_single_extra_field_is_that_of_the_call(behind):
    values = [1]
    assert behind(lambda: values.append(2), "m", extra={"order": values}).order == [1]


def test_so_are_they_if_the_message_cannot_be_rendered(lf, clean_logging):
    seen = []
    handler = logging.Handler()
    handler.emit = seen.append
    logging.root.handlers = [handler]
    user = [1]
    with lf.setup_logging_queue() as listener, nothing_delivered(listener):
        logging.warning("one argument: %s", [], 2, extra={"user": user})
        user.append(2)
    (record,) = seen
    assert (record.msg, record.args, record.user) == ("one argument: %s", ([], 2), [1])


def test_values_that_are_no_containers_are_not_copied(behind):
    class Value(list):
        def __copy__(self):
            raise AssertionError("copied")

    deep = []
    for _ in range(100_000):
        deep = [deep]
    extra = {"own": Value([1]), "object": object(), "deep": deep, "tuple": (1, ("a",))}
    record = behind(lambda: None, "m", extra=extra)
    for name, value in extra.items():
        assert vars(record)[name] is value
    while deep:
        deep = deep[0]


def test_what_a_filter_sets_is_that_of_the_call(lf):
    seen, tags = [], [1]
    handler = Collect(function=lambda record: seen.append(record.tags))
    handler.addFilter(lambda record: setattr(record, "tags", tags) or True)
    logging.root.handlers = [handler]
    with lf.setup_logging_queue() as listener:
        with nothing_delivered(listener):
            logging.getLogger("a").warning("m")
            tags.append(2)
        listener.flush()
    assert seen == [[1]]


def test_items_of_a_dictionary_as_the_message_are_those_of_the_call(behind):
    message = {"event": "e", "tags": [1]}
    assert behind(lambda: message["tags"].append(2), message).msg == {"event": "e", "tags": [1]}


@pytest.mark.parametrize("extra", [{}, {"_logger": None, "_name": "error"}], ids=["of other code", "of structlog"])
def test_an_event_of_structlog_keeps_the_current_exception(behind, extra):
    """Its exc_info=True is looked up by processors of the formatter, on a thread that has no current exception."""
    event = {"event": "e", "exc_info": True}
    assert behind(lambda: None, event, extra=extra).msg == event
    try:
        raise_it()
    except ValueError as error:
        current = error
        record = behind(lambda: None, event, extra=extra)
    assert record.msg["exc_info"] is (current if extra else True)
    assert event["exc_info"] is True


def test_a_queue_that_pickles_gets_prepared_records(lf):
    """Else its feeder thread drops what cannot be pickled, and prints a traceback."""
    records = multiprocessing.get_context("spawn").Queue()
    logging.root.handlers = [lf.LocalQueueHandler(records)]
    lf.accelerate_loggers()
    try:
        raise_it()
    except ValueError:
        logging.getLogger("a").warning("%s", Text("t"), exc_info=True, extra={"more": 1})
    record = records.get(timeout=10)
    lf.restore_loggers()
    records.close()
    records.join_thread()
    assert record.getMessage().startswith("t\nTraceback")
    assert (record.args, record.exc_info, record.more) == (None, None, 1)


# What goes through the queue instead.


@pytest.fixture
def captured(package):
    """captured(msg, *args) logs, and returns what is put into the queue of a listener."""
    from logflume._shared.state import IDLE, RUNNING

    handler = package.LocalQueueHandler()
    handler.listener = package.QueueListener(handler.queue, logging.StreamHandler())
    handler.listener.state = RUNNING  # it has no thread
    logging.root.handlers = [handler]
    logging.root.setLevel(1)
    package.accelerate_loggers()

    def captured(msg, *args, name="a.b", **keywords):
        logging.getLogger(name).warning(msg, *args, **keywords)
        return handler.queue.get_nowait()

    yield captured
    package.restore_loggers()
    handler.listener.state = IDLE


def test_plain_records_are_no_work_for_the_collector(captured):
    record = captured("hello %s %d", "x", 5)
    assert not isinstance(record, logging.LogRecord)
    assert not gc.is_tracked(record)
    assert type(record.as_log_record()) is logging.LogRecord
    assert record.as_log_record() is record.as_log_record()


@pytest.mark.parametrize("extra", [{}, {"order": 1, "user": "u", "ok": None}])
def test_plain_extra_fields_are_no_work_for_the_collector(captured, extra):
    record = captured("hello", extra=extra)
    assert not gc.is_tracked(record)
    assert gc.get_referents(record).count(extra) == 1
    assert not any(map(gc.is_tracked, [value for value in gc.get_referents(record) if value == extra]))


def test_records_that_hold_objects_in_extra_are_tracked(captured):
    assert gc.is_tracked(captured("hello", extra={"value": [1]}))


@pytest.mark.parametrize("argument", [[1], object(), (1, [2])], ids=["list", "object", "nested"])
def test_records_that_hold_objects_are_tracked(captured, argument):
    assert gc.is_tracked(captured("%s", argument))


def test_a_cycle_through_a_record_is_collected(captured):
    class Node:
        pass

    node = Node()
    node.record = captured("%s", node)
    reference = weakref.ref(node)
    del node
    gc.collect()
    assert reference() is None


def test_found_while_the_collector_breaks_its_cycle(captured):
    """Code that looks for objects at that moment finds empty records: they are of no use, and do no harm."""
    found = []

    def look(reference):
        for thing in gc.get_objects():
            if type(thing).__name__ == "CapturedRecord":
                found.append(thing)
                repr(thing.as_log_record())

    def leave_a_cycle():
        arguments = []
        arguments.append(captured("%s", arguments))
        # The collector does not know it, so it ends while the cycle is broken.
        code = compile("1", "cycle", "exec")
        arguments.append([*arguments, code])
        return weakref.ref(code, look)

    gc.collect()
    reference = leave_a_cycle()
    gc.collect()
    assert reference() is None
    assert not found or found[0].levelno == logging.WARNING


@needs_gil
def test_records_that_served_before_are_as_new(captured, tmp_path, monkeypatch):
    """They may have had as many arguments or not, plain ones or others, and data that is not asked for any more."""
    calls = [
        ("none",),
        ("one %s", "a"),
        ("two %s %s", 1, None),
        ("two %r %r", 2.5, "b"),
        ("two %s %s", (1, ("nested", 2)), b"c"),
        ("two %s %s", ["of a list"], "not plain"),
        ("of %(a)s and %(b)s", {"a": 1, "b": 2}),
        ("one %s", {}),
        ("%d%d%d%d%d", 1, 2, 3, 4, 5),
    ]
    handler = logging.FileHandler(tmp_path / "log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    served = set()

    def serve(call):
        records = [captured(*call, exc_info=False, extra={"number": i}) for i in range(10)]
        served.update(map(id, records))
        deliver_compiled(handler, records, lambda *given: pytest.fail(f"escaped: {given}"))

    again = 0
    for switch in ("logThreads", "logMultiprocessing", "logProcesses", None):
        for before in calls:
            serve(before)
            if switch:
                monkeypatch.setattr(logging, switch, False)
            for call in calls:
                taken = captured(*call, name="second")
                again += id(taken) in served
                record = taken.as_log_record()
                expected = vars(logging.LogRecord("second", 30, __file__, 0, call[0], call[1:], None))
                assert list(vars(record)) == list(expected)
                for name in expected.keys() - {"lineno", "funcName", "created", "msecs", "relativeCreated"}:
                    assert vars(record)[name] == expected[name], name
                if any(type(value) is list for value in call):
                    assert gc.is_tracked(record.args)
                if all(type(value) in (int, str) for value in call):
                    assert hash(record.args) == hash(expected["args"])
            if switch:
                monkeypatch.setattr(logging, switch, True)
    handler.close()
    assert again  # else nothing was looked at


def test_records_that_are_kept_are_not_used_again(package, tmp_path):
    handler = logging.FileHandler(tmp_path / "log")
    kept = []
    logging.root.handlers = [
        handler,
        Collect(function=lambda r: kept.append(r) if r.args[0] % 3 == 0 else None),
    ]
    with package.setup_logging_queue(accelerate=True) as listener:
        for i in range(300):
            logging.getLogger("a").warning("number %d", i)
            if i % 50 == 0:
                listener.flush(10)
    handler.close()
    assert [record.getMessage() for record in kept] == [f"number {i}" for i in range(0, 300, 3)]
    assert (tmp_path / "log").read_text().splitlines() == [f"number {i}" for i in range(300)]


SHIFTED_CLOCK = """
import ctypes, logging, queue, sys, time

class Method(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("function", ctypes.c_void_p)]

class Function(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ssize_t), ("type", ctypes.c_void_p), ("method", ctypes.POINTER(Method))]

in_ns = isinstance(logging._startTime, int)
method = Function.from_address(id(time.time_ns if in_ns else time.time)).method.contents
own = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_void_p)(
    lambda *_: 1234567890500000000 if in_ns else 1234567890.5
)
real, shifted = method.function, ctypes.cast(own, ctypes.c_void_p).value
if sys.argv[1] == "before":
    method.function = shifted
import logflume
handler = logflume.LocalQueueHandler(queue.SimpleQueue())
logger = logging.Logger("name")
logger.addHandler(handler)
assert logflume.accelerate_loggers()
for function in (shifted, real, shifted, real):
    method.function = function
    logger.warning("when?")
times = [handler.queue.get().created for _ in range(4)]
assert times[0] == times[2] == 1234567890.5, times
assert 0 <= times[1] - times[3] + 10 <= 10 and abs(time.time() - times[3]) < 10, times
"""


@needs_compiled
@pytest.mark.skipif(
    not cores.HAS_GIL or hasattr(sys, "getobjects"),
    reason="has other structures",
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_clock_that_is_shifted_in_place(when):
    """As time_machine does it: the function in the built-in becomes another, before the import or after."""
    done = run_code(SHIFTED_CLOCK, when)
    assert (done.returncode, done.stderr) == (0, "")


def test_times_are_those_that_the_clock_tells(captured):
    for _ in range(1000):
        before = time.time()
        record = captured("m").as_log_record()
        assert before <= record.created <= time.time()
