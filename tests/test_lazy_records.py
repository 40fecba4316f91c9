"""The record that an accelerated logger makes cannot be told from a standard one."""

import collections
import contextlib
import copy
import gc
import json
import logging
import logging.handlers
import pickle
import queue
import subprocess
import sys
import threading
import time
import weakref

import pytest

import cores
from helpers import is_lazy, needs_compiled, needs_gil, not_in_debug_builds, run_code


@pytest.fixture
def handler(records):
    """The queue handler on the root logger; loggers are accelerated."""
    logging.root.setLevel(logging.DEBUG)
    return logging.root.handlers[0]


@pytest.fixture
def make(handler):
    def make(msg="hello %s %d", *args, **kwargs):
        logging.getLogger("a.b").info(msg, *(args or ("x", 5)), **kwargs)
        return handler.queue.get_nowait()

    return make


def standard_record():
    return logging.LogRecord("a.b", logging.INFO, __file__, 1, "hello %s %d", ("x", 5), None, "make")


def test_it_is_a_record(make):
    record = make()
    assert is_lazy(record)
    assert isinstance(record, logging.LogRecord)
    assert record.__class__ is logging.LogRecord
    assert type(record).__name__ == "LogRecord"
    assert type(record).__module__ == "logging"


def test_attributes_have_the_standard_order_and_types(make):
    assert [(k, type(v)) for k, v in vars(make()).items()] == [
        (k, type(v)) for k, v in vars(standard_record()).items()
    ]


@pytest.mark.parametrize("name", list(vars(standard_record())))
def test_each_attribute_can_be_read_first(make, name):
    record = make()
    value = getattr(record, name)
    assert value == record.__dict__[name]


@pytest.mark.parametrize("name", list(vars(standard_record())))
def test_each_attribute_can_be_set_first(make, name):
    record = make()
    setattr(record, name, "new")
    assert getattr(record, name) == record.__dict__[name] == "new"
    assert list(vars(record)) == list(vars(standard_record()))


@pytest.mark.parametrize("name", list(vars(standard_record())))
def test_each_attribute_can_be_deleted_first(make, name):
    record = make()
    delattr(record, name)
    assert not hasattr(record, name)
    assert name not in vars(record)
    assert len(vars(record)) == len(vars(standard_record())) - 1


def test_a_new_attribute_comes_last(make):
    record = make()
    record.request = 1
    assert list(vars(record))[-1] == "request"


def test_a_missing_attribute_is_the_standard_error(make):
    with pytest.raises(AttributeError) as caught:
        make().nothing  # noqa: B018
    with pytest.raises(AttributeError) as standard:
        standard_record().nothing  # noqa: B018
    assert str(caught.value) == str(standard.value)


def test_the_dictionary_can_be_changed(make):
    record = make()
    record.__dict__["name"] = "other"
    record.__dict__.update(msg="changed", args=())
    assert (record.name, record.getMessage()) == ("other", "changed")


def test_the_dictionary_can_be_replaced(make):
    record = make()
    record.__dict__ = {"msg": "m", "args": ()}
    assert vars(record) == {"msg": "m", "args": ()}
    assert record.getMessage() == "m"


def test_repr_is_the_standard_one(make):
    record = make()
    assert repr(record) == f'<LogRecord: a.b, 20, {record.pathname}, {record.lineno}, "hello %s %d">'


def test_equality_and_hash_are_identity(make):
    record, other = make(), make()
    assert record == record
    assert record != other
    assert record != copy.copy(record)
    assert len({record, other}) == 2


def test_dir_lists_what_a_standard_record_has(make):
    assert set(dir(standard_record())) <= set(dir(make()))


def test_a_record_can_be_referred_to_weakly(make):
    record = make()
    reference = weakref.ref(record)
    assert reference() is record
    del record
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize("look", [lambda record: None, vars], ids=["unfilled", "filled"])
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
def test_copies_are_as_those_of_standard_records(make, look, duplicate):
    record = make(extra={"values": [1]})
    look(record)
    new = duplicate(record)
    assert vars(new) == vars(record)
    assert list(vars(new)) == list(vars(record))
    new.msg = "other"
    new.more = 1
    assert record.msg == "hello %s %d"
    assert not hasattr(record, "more")
    assert (new.values is record.values) == (duplicate is copy.copy)


def test_deepcopy_of_a_record_that_holds_itself(make):
    record = make()
    record.me = record
    new = copy.deepcopy(record)
    assert new.me is new


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_as_a_standard_record(make, protocol):
    record = make()
    text = pickle.dumps(record, protocol)
    assert b"logflume" not in text.replace(record.pathname.encode(), b"")
    new = pickle.loads(text)
    assert type(new) is logging.LogRecord
    assert vars(new) == vars(record)


def test_a_pickle_loads_without_logflume(make):
    text = pickle.dumps(make())
    script = "import pickle, sys; record = pickle.load(sys.stdin.buffer); print(record.getMessage(), len(sys.argv))"
    done = subprocess.run([sys.executable, "-I", "-c", script], input=text, capture_output=True, check=True)
    assert done.stdout.split() == [b"hello", b"x", b"5", b"1"]


def test_makeLogRecord_takes_its_dictionary(make):
    record = make()
    assert vars(logging.makeLogRecord(record.__dict__)) == vars(record)


def test_socket_handler_pickle(make):
    record = make()
    loaded = pickle.loads(logging.handlers.SocketHandler("localhost", 0).makePickle(record)[4:])
    assert loaded["msg"] == "hello x 5"
    assert loaded["name"] == "a.b"


def test_its_dictionary_can_be_dumped_as_json(make):
    record = make(extra={"request": "r"})
    assert json.loads(json.dumps(record.__dict__))["request"] == "r"


def test_the_standard_prepare_takes_it(make):
    record = make()
    new = logging.handlers.QueueHandler(queue.SimpleQueue()).prepare(record)
    assert new.msg == "hello x 5"
    assert record.msg == "hello %s %d" or sys.version_info < (3, 8)


def test_the_class_makes_records(make):
    cls = type(make())
    record = cls("n", 10, "/p/f.py", 3, "m %s", ("a",), None, "func")
    assert record.getMessage() == "m a"
    assert (record.name, record.module, record.funcName) == ("n", "f", "func")


def test_getMessage_patched_later(make, monkeypatch):
    record = make()
    monkeypatch.setattr(logging.LogRecord, "getMessage", lambda self: "patched " + self.msg)
    assert record.getMessage() == "patched hello %s %d"


def test_plain_records_are_no_work_for_the_collector(make):
    record = make()
    assert not gc.is_tracked(record)
    vars(record)
    assert gc.is_tracked(record)


@pytest.mark.parametrize("argument", [[1], object(), (1, [2])], ids=["list", "object", "nested"])
def test_records_that_hold_objects_are_tracked(make, argument):
    assert gc.is_tracked(make("%s", argument))


def test_a_cycle_through_a_record_is_collected(make):
    class Node:
        pass

    node = Node()
    node.record = make("%s", node)
    reference = weakref.ref(node)
    del node
    gc.collect()
    assert reference() is None


def test_a_cycle_through_the_dictionary_is_collected(make):
    record = make()
    record.me = record
    reference = weakref.ref(record)
    del record
    gc.collect()
    assert reference() is None


# A message with an argument that may change.


def test_the_message_is_that_of_the_call(make):
    values = [1]
    record = make("%s", values)
    values.append(2)
    assert record.getMessage() == "[1]"
    assert record.args == (values,)


def test_the_kept_message_is_not_visible(make):
    assert list(vars(make("%s", [1]))) == list(vars(standard_record()))


def test_the_kept_message_travels_with_a_copy(make):
    values = [1]
    record = copy.copy(make("%s", values))
    values.append(2)
    assert record.getMessage() == "[1]"
    vars(record)
    assert copy.copy(record).getMessage() == "[1]"


@pytest.mark.parametrize(("name", "value"), [("args", ("new",)), ("msg", "other %s")])
def test_a_changed_record_has_its_new_message(make, name, value):
    record = make("%s", [1])
    setattr(record, name, value)
    assert record.getMessage() == str(record.msg) % record.args


def test_a_message_that_cannot_be_rendered_is_left_to_the_handler(make):
    record = make("%d", object())
    with pytest.raises(TypeError):
        record.getMessage()


@not_in_debug_builds
def test_dictionary_of_another_class(make):
    record = make("%s", [1])
    record.__dict__ = collections.OrderedDict(vars(record))
    assert record.getMessage() == "[1]"
    assert copy.copy(record).getMessage() == "[1]"
    assert copy.deepcopy(record).getMessage() == "[1]"
    assert pickle.loads(pickle.dumps(record)).getMessage() == "[1]"
    logging.root.handle(record)


def test_found_while_the_collector_breaks_its_cycle(make):
    """A search for objects at that moment finds empty records, which can be read."""
    found = []

    def look(reference):
        for thing in gc.get_objects():
            if type(thing).__name__ == "LogRecord" and is_lazy(thing):
                found.append(thing)
                repr(thing)
                vars(thing)

    def leave_a_cycle():
        arguments = []
        arguments.append(make("%s", arguments))
        # The collector does not know it, so it ends while the cycle is broken.
        code = compile("1", "cycle", "exec")
        arguments.append([*arguments, code])
        return weakref.ref(code, look)

    gc.collect()
    reference = leave_a_cycle()
    gc.collect()
    assert reference() is None
    assert not found or found[0].levelno == logging.INFO


def test_records_that_are_kept_are_not_used_again(package, tmp_path):
    """A record is used again only when nothing refers to it: not even weakly, nor to its dictionary."""
    handler = logging.FileHandler(tmp_path / "log")
    kept, weak, said = [], [], []
    queue_handler = package.LocalQueueHandler()
    put = queue_handler.queue.put_nowait

    class Queue(queue.SimpleQueue):
        def put_nowait(self, record):
            if record.args[0] % 3 == 0:
                kept.append(record)
            elif record.args[0] % 3 == 1:
                weak.append(weakref.ref(record, lambda _: said.append("gone")))
            put(record)

    queue_handler.queue, real = Queue(), queue_handler.queue
    logger = logging.Logger("kept")
    logger.addHandler(queue_handler)
    package.accelerate_loggers()
    with package.QueueListener(real, handler) as listener:
        for i in range(300):
            logger.info("number %d", i)
            if i % 50 == 0:
                listener.flush(10)
        listener.flush(10)
    handler.close()
    assert [record.getMessage() for record in kept] == [f"number {i}" for i in range(0, 300, 3)]
    assert len(said) == len(weak) == 100
    assert (tmp_path / "log").read_text().splitlines() == [f"number {i}" for i in range(300)]


@needs_gil
def test_records_that_served_before_are_as_new(package, tmp_path, monkeypatch):
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
    served = set()
    handler = logging.FileHandler(tmp_path / "log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    queue_handler = package.LocalQueueHandler()
    records = queue_handler.queue

    class Queue(queue.SimpleQueue):
        def put_nowait(self, record):
            served.add(id(record))
            with contextlib.suppress(TypeError):
                hash(record.args)  # newer Pythons keep it in the tuple
            records.put_nowait(record)

    queue_handler.queue = Queue()
    first, second = logging.Logger("first"), logging.Logger("second")
    first.addHandler(queue_handler)
    second.addHandler(queue_handler)
    package.accelerate_loggers()

    def serve(call):
        listener = package.QueueListener(records, handler)
        with listener:
            for repeat in range(30):
                first.info(*call, exc_info=False)
                if repeat % 10 == 9:
                    time.sleep(0.01)  # what is waited for is delivered in another way

    again = 0
    for switch in ("logThreads", "logMultiprocessing", "logProcesses", None):
        for before in calls:
            serve(before)
            if switch:
                monkeypatch.setattr(logging, switch, False)
            seen = served.copy()
            for call in calls:
                second.warning(*call)
                record = records.get()
                again += id(record) in seen
                expected = vars(logging.LogRecord("second", 30, __file__, 0, call[0], call[1:], None))
                assert list(vars(record)) == list(expected)
                for name in expected.keys() - {
                    "lineno",
                    "funcName",
                    "created",
                    "msecs",
                    "relativeCreated",
                }:
                    assert vars(record)[name] == expected[name], name
                if any(type(value) is list for value in call):
                    assert gc.is_tracked(record.args)
                if all(type(value) in (int, str) for value in call):
                    assert hash(record.args) == hash(expected["args"])
            if switch:
                monkeypatch.setattr(logging, switch, True)
    handler.close()
    assert again  # else nothing was looked at


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


def test_times_are_those_that_the_clock_tells(make):
    for _ in range(1000):
        before = time.time()
        record = make()
        assert before <= record.created <= time.time()


def test_a_record_that_is_never_finished_has_its_arguments(handler, make, monkeypatch, tmp_path):
    """Code that reads it when it ends finds no arguments of its former use."""
    import logflume

    seen = []

    class Thread(threading.Thread):
        known_as = "worker"

        @property
        def name(self):
            if self.known_as is None:
                monkeypatch.setattr(
                    logging.LogRecord, "__del__", lambda self: seen.append(self.args), raising=False
                )
                raise ValueError("no name")
            return self.known_as

        @name.setter
        def name(self, name):
            pass

        def run(self):
            self.known_as = None
            try:
                logging.getLogger("a.b").info("%s %s", "a", "b")
            except ValueError:
                seen.append("raised")

    with logflume.QueueListener(handler.queue, logging.FileHandler(tmp_path / "log")) as listener:
        for i in range(50):
            logging.getLogger("a.b").info("%d %d", i, i)
            time.sleep(0.0005)
    listener.handlers[0].close()
    thread = Thread()
    thread.start()
    thread.join()
    monkeypatch.undo()
    assert sorted(seen, key=str) == [("a", "b"), "raised"]
