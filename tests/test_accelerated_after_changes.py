"""What a log call remembers of its logger, level, thread and process is forgotten at once when it changes.

Each change happens between calls from the same line, of which the first ones have made everything known. What the
records say, and who got them, must be what standard logging says and does.
"""

import asyncio
import contextlib
import functools
import gc
import logging
import multiprocessing
import queue
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest

from helpers import drain, in_order_of_definition, needs_compiled, repeated_in_threads

pytestmark = needs_compiled
ATTRIBUTES = ("name", "levelname", "levelno", "msg", "args", "threadName", "processName", "taskName")
CHANGES, change = in_order_of_definition()


class Other(logging.Handler):
    """A handler that is no queue handler."""

    def __init__(self, got):
        super().__init__()
        self.got = got

    def emit(self, record):
        self.got.append(("other", *said(record)))


def said(record):
    return tuple(getattr(record, name, "missing") for name in ATTRIBUTES)


class Scene:
    """Loggers a, a.b and a.b.c, and a queue handler on the root logger."""

    def __init__(self, package, undo, threads):
        self.package = package
        self.undo = undo
        self.threads = threads
        self.got = []
        self.handler = self.queue_handler()
        self.root = logging.getLogger()
        self.root.addHandler(self.handler)
        self.root.setLevel(logging.INFO)
        self.a, self.ab, self.abc = (logging.getLogger(name) for name in ("a", "a.b", "a.b.c"))

    def queue_handler(self):
        return self.package.LocalQueueHandler(queue.SimpleQueue())

    def log(self):
        """Log in each of the threads in turn, or in this one."""
        for thread in self.threads:
            thread.submit(self.log_here).result()
        if not self.threads:
            self.log_here()

    def log_here(self):
        for _ in range(3):
            for log in (self.abc.debug, self.abc.info, self.abc.critical, self.ab.info):
                log("said %s", "so")
            self.got.append("line")

    def taken(self, handler):
        return [said(record) for record in drain(handler.queue)]

    def set(self, owner, name, value):
        self.undo.callback(setattr, owner, name, getattr(owner, name))
        setattr(owner, name, value)


def outcome(package, change, threads=()):
    for name in ("a", "a.b", "a.b.c"):
        logging.root.manager.loggerDict.pop(name, None)
    with contextlib.ExitStack() as undo:
        scene = Scene(package, undo, threads)
        undo.callback(lambda: logging.root.handlers.clear())
        undo.callback(logging.root.filters.clear)
        scene.log()
        more = change(scene) or ()
        scene.log()
        return scene.got, *(scene.taken(handler) for handler in (scene.handler, *more))


for name, function in {
    "level_of_the_logger": lambda scene: scene.abc.setLevel(logging.CRITICAL),
    "level_turned_on": lambda scene: scene.abc.setLevel(logging.DEBUG),
    "level_of_a_parent": lambda scene: scene.a.setLevel(logging.ERROR),
    "level_of_the_root": lambda scene: scene.root.setLevel(logging.DEBUG),
    "handler_on_a_parent": lambda scene: scene.a.addHandler(Other(scene.got)),
    "handler_beside_it": lambda scene: scene.root.addHandler(Other(scene.got)),
    "level_of_the_handler": lambda scene: scene.handler.setLevel(logging.CRITICAL),
    "filter_on_the_handler": lambda scene: scene.handler.addFilter(lambda record: record.levelno > logging.INFO),
    "method_of_the_handlers_class": lambda scene: scene.set(
        scene.package.LocalQueueHandler, "emit", lambda self, record: scene.got.append(said(record))
    ),
    "filter_on_the_logger": lambda scene: scene.abc.addFilter(lambda record: record.levelno > logging.INFO),
    "method_of_the_class": lambda scene: scene.set(
        logging.Logger, "callHandlers", lambda self, record: scene.got.append(said(record))
    ),
    "table_of_level_names_replaced": lambda scene: scene.set(logging, "_levelToName", {20: "twenty", 50: "fifty"}),
    "name_of_the_thread": lambda scene: scene.set(threading.current_thread(), "name", "renamed"),
    "table_of_threads_replaced": lambda scene: scene.set(
        threading, "_active", {ident: threading.Thread(name="stand-in") for ident in threading._active}
    ),
    "threads_not_wanted": lambda scene: scene.set(logging, "logThreads", False),
    "name_of_the_process": lambda scene: scene.set(multiprocessing.current_process(), "name", "renamed"),
    "process_exchanged": lambda scene: scene.set(
        multiprocessing.process, "_current_process", multiprocessing.Process(name="stand-in")
    ),
    "function_for_the_process": lambda scene: scene.set(
        multiprocessing, "current_process", lambda: multiprocessing.Process(name="stand-in")
    ),
    "multiprocessing_broken": lambda scene: scene.set(multiprocessing, "current_process", None),
    "function_for_the_task": lambda scene: scene.set(
        asyncio, "current_task", lambda: mock.Mock(get_name=lambda: "mocked")
    ),
}.items():
    change(function, name)


@change
def nothing(scene):
    pass


@change
def name_of_the_thread_in_its_dictionary(scene):
    scene.undo.enter_context(mock.patch.dict(vars(threading.current_thread()), _name="renamed"))


@change
def level_set_through_the_dictionary(scene):
    scene.abc.__dict__["level"] = logging.ERROR
    scene.abc._cache.clear()


@change
def level_set_without_clearing_the_cache(scene):
    scene.abc.level = logging.ERROR


@change
def all_disabled(scene):
    logging.disable(logging.INFO)
    scene.undo.callback(logging.disable, logging.NOTSET)


@change
def logger_disabled(scene):
    scene.abc.disabled = True


@change
def logger_disabled_and_enabled(scene):
    scene.abc.disabled = True
    scene.log()
    scene.abc.disabled = False


@change
def logger_disabled_with_another_truth(scene):
    scene.abc.disabled = 1


@change
def no_propagation(scene):
    scene.ab.propagate = False


@change
def no_propagation_with_another_falsehood(scene):
    scene.ab.propagate = 0


@change
def propagation_and_back(scene):
    scene.abc.propagate = False
    scene.log()
    scene.abc.propagate = True


@change
def another_parent(scene):
    other = logging.Logger("x")
    handler = scene.queue_handler()
    other.addHandler(handler)
    scene.ab.parent = other
    return [handler]


@change
def no_parent(scene):
    scene.abc.parent = None


@change
def handler_on_the_logger(scene):
    handler = scene.queue_handler()
    scene.abc.addHandler(handler)
    return [handler]


@change
def handler_removed(scene):
    scene.root.removeHandler(scene.handler)
    scene.root.addHandler(Other(scene.got))


@change
def handler_exchanged_in_the_list(scene):
    handler = scene.queue_handler()
    scene.root.handlers[0] = handler
    return [handler]


@change
def handler_moved_down(scene):
    scene.a.handlers, scene.root.handlers = scene.root.handlers, scene.a.handlers


@change
def list_of_handlers_replaced(scene):
    handler = scene.queue_handler()
    scene.a.handlers = [handler]
    return [handler]


@change
def list_of_handlers_in_place(scene):
    handler = scene.queue_handler()
    scene.ab.handlers[:] = [handler]
    return [handler]


@change
def method_of_the_handler(scene):
    scene.handler.emit = lambda record: scene.got.append(said(record))


@change
def filters_replaced(scene):
    scene.abc.filters = [lambda record: record.levelno > logging.INFO]


@change
def name_of_the_logger(scene):
    scene.abc.name = "another"


@change
def name_of_the_logger_in_its_dictionary(scene):
    vars(scene.abc)["name"] = "another"


@change
def dictionary_replaced(scene):
    scene.abc.__dict__ = {**vars(scene.abc), "name": "another"}


@change
def dictionary_of_a_parent_replaced(scene):
    handler = scene.queue_handler()
    scene.ab.__dict__ = {**vars(scene.ab), "handlers": [handler], "propagate": False}
    return [handler]


@change
def cache_replaced(scene):
    scene.abc._cache = {logging.DEBUG: True, logging.INFO: False}


@change
def cache_changed(scene):
    scene.abc._cache[logging.INFO] = False
    scene.abc._cache[logging.DEBUG] = True


@change
def class_of_the_logger(scene):
    class Quiet(logging.Logger):
        def handle(self, record):
            scene.got.append(("quiet", *said(record)))

    scene.abc.__class__ = Quiet


@change
def class_of_a_parent(scene):
    class Parent(logging.Logger):
        @property
        def propagate(self):
            return False

        @propagate.setter
        def propagate(self, value):
            pass

    scene.ab.__class__ = Parent


@change
def method_hidden_by_an_attribute(scene):
    scene.abc.handle = lambda record: scene.got.append(("mine", *said(record)))


@change
def method_hidden_in_the_dictionary(scene):
    vars(scene.abc)["isEnabledFor"] = lambda level: level == logging.DEBUG


@change
def class_gets_and_loses_an_attribute(scene):
    with mock.patch.object(logging.Logger, "isEnabledFor", return_value=False):
        scene.log()


@change
def name_of_a_level(scene):
    logging.addLevelName(logging.INFO, "NEWS")
    scene.undo.callback(logging.addLevelName, logging.INFO, "INFO")


@change
def name_of_a_level_removed(scene):
    scene.undo.enter_context(mock.patch.dict(logging._levelToName))
    del logging._levelToName[logging.INFO]


@change
def class_of_the_thread(scene):
    thread = threading.current_thread()

    class Named(type(thread)):
        name = "named by its class"

    scene.set(thread, "__class__", Named)


@change
def thread_exchanged(scene):
    scene.undo.enter_context(
        mock.patch.dict(threading._active, {threading.get_ident(): threading.Thread(name="stand-in")})
    )


@change
def in_a_thread(scene):
    thread = threading.Thread(target=scene.log, name="first")
    thread.start()
    thread.join()
    thread = threading.Thread(target=scene.log, name="second")  # often with the same identity
    thread.start()
    thread.join()


@change
def multiprocessing_unloaded(scene):
    scene.undo.enter_context(mock.patch.dict(sys.modules))
    multiprocessing.current_process().name = "renamed"
    scene.undo.callback(setattr, multiprocessing.current_process(), "name", "MainProcess")
    scene.log()
    del sys.modules["multiprocessing"]


@change
def in_a_task(scene):
    async def main():
        asyncio.current_task().set_name("named")
        scene.log()
        asyncio.current_task().set_name("renamed")
        scene.log()

    asyncio.run(main())


@change
def asyncio_unloaded(scene):
    async def main():
        asyncio.current_task().set_name("named")
        with mock.patch.dict(sys.modules):
            del sys.modules["asyncio"]
            scene.log()
        scene.log()

    asyncio.run(main())


@change
def logger_gone_and_another_in_its_place(scene):
    for number in range(20):
        logger = logging.Logger(f"temporary {number}")
        logger.handlers = scene.root.handlers if number % 2 else [logging.NullHandler()]
        logger.info("from a temporary logger")
        logger.info("from a temporary logger")
        del logger
        gc.collect()


@change
def one_attribute_for_another(scene):
    del scene.abc.level
    scene.abc.handle = lambda record: scene.got.append(("mine", *said(record)))


@change
def another_handler_at_the_same_address(scene):
    """Which has the size of the queue handler, and nothing else of it."""
    slots = [f"slot{number}" for number in range(8)]
    classes = [type("Handler", (logging.Handler,), {"__slots__": slots[:size]}) for size in range(len(slots))]
    for cls in classes:
        handler = scene.queue_handler()
        scene.root.handlers[:] = [handler]
        scene.abc.info("known")
        scene.abc.info("known")
        address = id(handler)
        scene.root.handlers.clear()
        del handler
        gc.collect()
        others = [cls.__new__(cls) for _ in range(20)]
        for other in others:
            logging.Handler.__init__(other)
            if id(other) == address:
                other.handle = lambda record: scene.got.append(("other", *said(record)))
                scene.root.handlers.append(other)
        scene.got.append("line")
        scene.abc.info("to another")
        scene.root.handlers.clear()
    scene.got[:] = [got for got in scene.got if got[0] != "other"]  # which depends on luck


@change
def attribute_removed(scene):
    del scene.abc.name
    with contextlib.suppress(AttributeError):
        scene.abc.info("no name")
    scene.abc.name = "again"


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_honoured_by_the_next_call(package, change):
    expected = outcome(package, change)
    assert package.accelerate_loggers()
    assert outcome(package, change) == expected
    assert outcome(package, change) == expected  # with all that is known from before


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_honoured_by_the_next_call_of_each_thread(package, change):
    """While others change what these threads do not use, so that they look at everything again and again."""
    other = logging.Logger("other")
    with contextlib.ExitStack() as undo:
        threads = [undo.enter_context(ThreadPoolExecutor(1, f"thread{number}")) for number in range(3)]
        expected = outcome(package, change, threads)
        assert package.accelerate_loggers()
        other.info("off")
        undo.enter_context(repeated_in_threads(*[functools.partial(setattr, other, "level", 1)] * 2))
        assert outcome(package, change, threads) == expected
        assert outcome(package, change, threads) == expected


def test_what_is_known_outlives_the_growth_of_the_table(package):
    """More loggers and levels than are remembered."""
    scene = Scene(package, contextlib.ExitStack(), ())
    loggers = [logging.getLogger(f"many.{number}") for number in range(3000)]
    assert package.accelerate_loggers()
    for _ in range(3):
        for logger in loggers:
            logger.info("here")
            logger.debug("not here")
    names = [name for name, *_ in scene.taken(scene.handler)]
    assert names == [logger.name for logger in loggers] * 3
