"""What a REPL and an editor show: names, signatures, docstrings, types."""

from __future__ import annotations

import inspect
import logging
import logging.config
import logging.handlers
import queue

from helpers import Collect, listener_threads

METHODS = ["debug", "info", "warning", "error", "exception", "critical", "log"]


def objects(lf):
    logging.root.handlers = [Collect()]
    handler = lf.LocalQueueHandler(handlers=[])
    with lf.setup_logging_queue() as listener:
        yield from (lf, lf.LocalQueueHandler, lf.QueueListener, lf.JsonFormatter)
        yield from (handler, handler.listener, listener, logging.root.handlers[0], lf.JsonFormatter())


def test_names_of_the_listener_and_its_thread(lf):
    logging.root.handlers = [Collect()]
    with lf.setup_logging_queue() as listener:
        assert repr(listener) == "<QueueListener running, 1 handlers, 0 records left>"
        (thread,) = listener_threads()
        assert thread.name == "logflume"
    own = type("Own", (lf.QueueListener,), {})(queue.SimpleQueue())
    assert repr(own) == "<Own idle, 0 handlers, 0 records left>"


def test_attributes_have_docstrings_and_none_is_of_the_compiler(lf):
    standard = logging.handlers.QueueHandler(queue.Queue()), logging.handlers.QueueListener(queue.Queue())
    known = {name for each in (*standard, logging.Formatter()) for name in dir(each)}
    for each in objects(lf):
        names = dir(each)
        classes = (each, *(each if isinstance(each, type) else type(each)).__mro__)
        assert not [name for name in names if "pyx" in name or "cython" in name]
        for name in names:
            if not name.startswith("_") and name not in known and not isinstance(each, lf.JsonFormatter):
                found = inspect.getattr_static(each, name, None) or getattr(each, name)
                listed = f"{name}:" in "".join(one.__doc__ or "" for one in classes)
                assert listed or inspect.getdoc(found), (each, name)


def test_signatures_are_those_of_the_standard_library(lf):
    pairs = [(lf.LocalQueueHandler, logging.handlers.QueueHandler, ("handle", "emit", "prepare", "enqueue"))]
    pairs += [(lf.QueueListener, logging.handlers.QueueListener, ("handle", "start", "prepare", "dequeue"))]
    for ours, standard, names in pairs:
        for name in names:
            own, other = (inspect.signature(getattr(cls, name)) for cls in (ours, standard))
            assert list(own.parameters) == list(other.parameters)
            assert inspect.getdoc(getattr(ours, name))


def test_accelerated_methods_look_as_the_standard_ones(package):
    standard = {name: getattr(logging.Logger, name) for name in METHODS}
    package.accelerate_loggers()
    for name, method in standard.items():
        accelerated = getattr(logging.Logger, name)
        assert accelerated is not method
        assert inspect.signature(accelerated) == inspect.signature(method)
        assert inspect.signature(getattr(logging.root, name)) == inspect.signature(getattr(logging.root, name))
        for attribute in ("__doc__", "__name__", "__qualname__", "__module__"):
            assert getattr(accelerated, attribute) == getattr(method, attribute)


def test_the_listener_after_dict_config(lf):
    assert lf.listeners() == []
    logging.config.dictConfig(
        {
            "version": 1,
            "handlers": {
                "text": {"()": Collect},
                "queue": {"()": "logflume.LocalQueueHandler", "handlers": ["text"]},
            },
            "root": {"handlers": ["queue"]},
        }
    )
    (listener,) = lf.listeners()
    assert listener is logging.root.handlers[0].listener
    logging.warning("one")
    assert listener.flush(10)
    assert lf.listeners() == [listener]
    assert listener.handlers[0].messages == ["one"]
    listener.stop()
    assert lf.listeners() == []


def test_listeners_come_in_the_order_in_which_they_were_made(lf):
    unused = lf.QueueListener(queue.SimpleQueue())
    with lf.QueueListener(queue.SimpleQueue()) as first, lf.QueueListener(queue.SimpleQueue()) as second:
        assert lf.listeners() == [first, second]
    assert unused not in lf.listeners()


def test_types_for_annotations(lf):
    assert inspect.isclass(lf.BatchHandler)
    assert list(inspect.signature(lf.BatchHandler.handle_batch).parameters) == ["self", "records"]
    assert callable(lf.OnError)
