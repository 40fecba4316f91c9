"""What is given wrong: an error at the call names the parameter, and a warning tells what has no effect."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import io
import logging
import logging.config
import logging.handlers
import math
import queue
import subprocess
import sys
import threading
import warnings

import pytest

from helpers import Collect, drain, environment, wait_until

OPTIONS = [
    ({"flush_level": "EROR"}, ValueError, "flush_level takes a level; there is none named 'EROR'"),
    ({"flush_level": 3.5}, TypeError, "flush_level takes the number or the name of a level, not 3.5"),
    ({"exit_timeout": "3"}, TypeError, "exit_timeout takes a number of seconds, not '3'"),
    ({"exit_timeout": None}, TypeError, "exit_timeout takes a number of seconds, not None"),
    ({"exit_timeout": -1}, ValueError, "exit_timeout takes 0 or more seconds, not -1"),
    ({"exit_timeout": math.nan}, ValueError, "exit_timeout takes 0 or more seconds"),
    ({"on_error": 3}, TypeError, "on_error takes a function or None, not 3"),
]


def quiet_root(*handlers):
    logging.root.handlers = list(handlers)
    logging.root.setLevel(logging.DEBUG)
    return logging.root


@pytest.mark.parametrize(("options", "error", "message"), OPTIONS)
def test_an_option_that_is_wrong_is_an_error_at_the_call(lf, options, error, message):
    root = quiet_root(collect := Collect())
    calls = [
        lambda: lf.QueueListener(queue.SimpleQueue(), **options),
        lambda: lf.LocalQueueHandler(handlers=[], **options),
        lambda: lf.setup_logging_queue(**options),
    ]
    for call in calls:
        with pytest.raises(error) as caught:
            call()
        assert message in str(caught.value)
    listener = lf.QueueListener(queue.SimpleQueue())
    for name, value in options.items():
        with pytest.raises(error):
            setattr(listener, name, value)
    assert root.handlers == [collect]  # nothing was moved


@pytest.mark.parametrize("given", ["ERROR", logging.ERROR])
def test_the_flush_level_may_be_a_name(lf, given):
    root = quiet_root(memory := logging.handlers.MemoryHandler(100, target=Collect()))
    queued = lf.QueueListener(queue.SimpleQueue(), flush_level=given)
    handler = lf.LocalQueueHandler(handlers=[], flush_level=given)
    with lf.setup_logging_queue(flush_level=given) as listener:
        assert [each.flush_level for each in (queued, handler.listener, listener)] == [logging.ERROR] * 3
        root.info("one")
        root.error("two")
        assert wait_until(lambda: listener.stats().handled == 2)
    listener.flush_level = "CRITICAL"
    assert listener.flush_level == logging.CRITICAL
    memory.close()


def test_no_limit_for_the_exit(lf):
    listener = lf.QueueListener(queue.SimpleQueue(), exit_timeout=math.inf)
    assert listener.exit_timeout == threading.TIMEOUT_MAX


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"handlers": "file"}, "handlers takes a list of handlers or their names, not 'file'; give ['file']"),
        ({"handlers": [3]}, "handlers takes handlers, as logging.StreamHandler(), not 3"),
        ({"handlers": 3}, "handlers takes a list of handlers or their names, not 3"),
        ({"handlers": [logging.StreamHandler]}, "handlers takes handlers"),
        ({"listener": 3}, "listener takes a class of listeners or its dotted name, not 3"),
        ({"on_eror": print}, "LocalQueueHandler() has no option 'on_eror'"),
    ],
)
def test_arguments_of_the_handler(lf, arguments, message):
    with pytest.raises(TypeError) as caught:
        lf.LocalQueueHandler(**arguments)
    assert message in str(caught.value)


def test_a_listener_where_a_class_is_expected_and_the_other_way_round(lf):
    listener = lf.QueueListener(queue.SimpleQueue())
    with pytest.raises(TypeError, match=r"listener takes a class of listeners.* assign a listener"):
        lf.LocalQueueHandler(listener=listener)
    handler = lf.LocalQueueHandler()
    with pytest.raises(TypeError, match="takes a listener, not the class QueueListener"):
        handler.listener = lf.QueueListener


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "a get() method, and 'NoneType' has none"),
        ("x", "a get() method"),
        (asyncio.Queue, "one event loop"),
    ],
)
def test_queues_that_no_listener_can_read(lf, given, message):
    with pytest.raises(TypeError) as caught:
        lf.QueueListener(given() if callable(given) else given)
    assert message in str(caught.value)


def test_a_listener_with_a_dequeue_of_its_own_takes_any_queue(lf):
    class Own(lf.QueueListener):
        def dequeue(self, block):
            raise queue.Empty

    assert Own(None).queue is None


def test_what_is_no_handler(lf):
    listener = lf.QueueListener(queue.SimpleQueue())
    for given in ("x", None, logging.StreamHandler, logging.getLogger("a")):
        with pytest.raises(TypeError, match=r"addHandler\(\) takes handlers"):
            listener.addHandler(given)
        with pytest.raises(TypeError, match="QueueListener takes handlers"):
            lf.QueueListener(queue.SimpleQueue(), given)
    assert listener.handlers == ()


# dictConfig.


heard = []


def hear(record, handler, error):
    heard.append(record.getMessage())


@pytest.mark.parametrize("key", ["()", "class"])
@pytest.mark.parametrize("listener", [{}, {"listener": "logflume.QueueListener"}])
def test_options_of_the_listener_in_a_configuration(lf, key, listener):
    if key == "class" and sys.version_info[:2] >= (3, 12) and not _hands_on():
        pytest.skip("this Python does not hand on the keys of a queue handler")
    heard.clear()
    logging.config.dictConfig(
        {
            "version": 1,
            "formatters": {"bad": {"format": "%(nothing)s"}},
            "handlers": {
                "text": {"class": "logging.StreamHandler", "formatter": "bad", "stream": io.StringIO()},
                "queue": {
                    key: "logflume.LocalQueueHandler",
                    "handlers": ["text"],
                    "exit_timeout": 2,
                    "flush_level": "ERROR",
                    "on_error": f"{__name__}.hear",
                    **listener,
                },
            },
            "root": {"level": "INFO", "handlers": ["queue"]},
        }
    )
    listener = logging.root.handlers[0].listener
    assert type(listener) is lf.QueueListener
    assert (listener.exit_timeout, listener.flush_level, listener.on_error) == (2, logging.ERROR, hear)
    logging.info("one")
    logging.root.handlers[0].flush()
    assert heard == ["one"]
    logging.root.handlers[0].close()


def _hands_on():
    """Whether dictConfig() gives a queue handler the keys that it does not know."""
    made = []

    class Handler(logging.handlers.QueueHandler):
        def __init__(self, queue, **given):
            super().__init__(queue)
            made.append(given)

    logging.config.dictConfig({"version": 1, "handlers": {"queue": {"class": Handler, "handlers": [], "given": 1}}})
    return made == [{"given": 1}]


def test_a_name_that_does_not_resolve(lf):
    with pytest.raises(ValueError, match="nowhere"):
        lf.LocalQueueHandler(handlers=[], on_error="nowhere.to_be_found")


def test_options_without_a_listener_are_for_the_one_that_is_assigned(lf):
    handler = lf.LocalQueueHandler(exit_timeout=3)
    handler.listener = lf.QueueListener(handler.queue)
    assert handler.listener.exit_timeout == 3
    with pytest.raises(TypeError, match=r"exit_timeout: only for a logflume\.QueueListener"):
        handler.listener = type("Other", (logging.handlers.QueueListener,), {})(handler.queue)


# Warnings.


@contextlib.contextmanager
def told():
    """Give the messages of the warnings in the block, each of which has to have a line of this file."""
    messages = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield messages
    assert [warning.filename for warning in caught] == [__file__] * len(caught)
    assert all(warning.category is UserWarning for warning in caught)
    messages += [str(warning.message).removeprefix("logflume: ") for warning in caught]


def test_no_handler_yet(lf):
    quiet_root(logging.NullHandler())
    with told() as messages:
        listener = lf.setup_logging_queue()
    (message,) = messages
    assert message.startswith("setup_logging_queue() moved nothing: these loggers have no handlers yet;")
    listener.stop()


def test_a_name_without_a_logger(lf):
    quiet_root()
    uvicorn = logging.getLogger("uvicorn.access")
    uvicorn.handlers = [Collect()]
    with told() as messages:
        lf.setup_logging_queue("uvicron.access")
        lf.setup_logging_queue("something else")
    assert messages[0] == "there is no logger named 'uvicron.access'; did you mean 'uvicorn.access'?"
    assert "and there is no logger named 'something else';" in messages[1]


def test_names_of_several_servers_of_which_one_is_there(lf):
    quiet_root()
    logging.getLogger("uvicorn").handlers = [Collect()]
    lf.setup_logging_queue("uvicorn", "gunicorn", "hypercorn.access").stop()


def test_a_misspelt_name_among_others(lf):
    quiet_root(Collect())
    logging.getLogger("uvicorn").handlers = [Collect()]
    with told() as messages:
        lf.setup_logging_queue("", "uvicron").stop()
    (message,) = messages
    assert message == "there is no logger named 'uvicron'; did you mean 'uvicorn'?"


def test_handlers_of_a_server_that_stay(lf):
    quiet_root(Collect())
    for name in ("uvicorn", "uvicorn.access"):
        logging.getLogger(name).handlers = [Collect()]
        logging.getLogger(name).propagate = False
    with told() as messages:
        lf.setup_logging_queue().stop()
    (message,) = messages
    assert message.startswith("the handlers of 'uvicorn', 'uvicorn.access' still run in the log call;")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lf.setup_logging_queue(all_loggers=True).stop()
        lf.setup_logging_queue("").stop()
        lf.setup_logging_queue(direct=Collect).stop()


def test_a_warning_that_is_an_error_leaves_everything_as_it_was(lf):
    root = quiet_root(collect := Collect())
    logging.getLogger("uvicorn").handlers = [Collect()]
    logging.getLogger("uvicorn").propagate = False
    with pytest.raises(UserWarning):  # pytest makes them errors here
        lf.setup_logging_queue()
    assert root.handlers == [collect]
    assert not lf.listeners()


def test_a_formatter_of_the_queue_handler(lf):
    handler = lf.LocalQueueHandler()
    with told() as messages:
        handler.setFormatter(logging.Formatter("%(message)s"))
        logging.basicConfig(handlers=[lf.LocalQueueHandler()], format="%(message)s")
        logging.config.dictConfig(
            {
                "version": 1,
                "formatters": {"own": {"format": "%(message)s"}},
                "handlers": {"queue": {"()": lf.LocalQueueHandler, "formatter": "own"}},
            }
        )
    assert len(messages) == 3
    assert all(m.startswith("a formatter of a LocalQueueHandler does nothing") for m in messages)


def test_formatters_that_are_as_they_should_be(lf):
    class Prepares(lf.LocalQueueHandler):
        def prepare(self, record):
            record.msg = self.format(record)
            return record

    Prepares().setFormatter(logging.Formatter("%(message)s"))
    lf.LocalQueueHandler().setFormatter(None)
    logging.basicConfig(handlers=[lf.LocalQueueHandler()])


def fill(handler, count):
    logger = logging.Logger("unread")
    logger.addHandler(handler)
    for i in range(count):
        logger.warning("%d", i)


def test_a_queue_that_is_not_read(lf):
    handler = lf.LocalQueueHandler()
    fill(handler, 999)
    with told() as messages:
        fill(handler, 5000)
    (message,) = messages
    assert message.startswith("no listener has read the queue of a LocalQueueHandler, which got 1,000 records;")
    assert handler.queue.qsize() == 5999


def test_queues_that_are_read(lf):
    read = lf.LocalQueueHandler()
    fill(read, 500)
    drain(read.queue)
    fill(read, 5000)
    standard = lf.LocalQueueHandler()
    listener = logging.handlers.QueueListener(standard.queue, collect := Collect())
    listener.start()
    fill(standard, 500)
    assert wait_until(lambda: len(collect.messages) == 500)
    fill(standard, 5000)
    listener.stop()
    ours = lf.LocalQueueHandler()
    fill(ours, 900)
    with lf.QueueListener(ours.queue, Collect()):
        fill(ours, 5000)


def test_a_log_call_does_not_raise_the_warning(lf, capsys):
    fill(lf.LocalQueueHandler(), 1500)  # pytest makes it an error
    assert "no listener has read the queue" in capsys.readouterr().err


SILENT = """
import logging, warnings, logflume
for start in ("logflume: setup_logging_queue.. moved", "logflume: setup_logging_queue.. was called before",
              "logflume: there is no logger", "logflume: the handlers of", "logflume: a formatter",
              "logflume: no listener has read"):
    warnings.filterwarnings("ignore", start)
logflume.setup_logging_queue()
logging.getLogger("uvicorn").addHandler(logging.StreamHandler())
logging.getLogger("uvicorn").propagate = False
logflume.setup_logging_queue("uvicron")
logging.basicConfig()
logflume.setup_logging_queue()
logflume.setup_logging_queue()
handler = logflume.LocalQueueHandler()
handler.setFormatter(logging.Formatter("%(message)s"))
for i in range(1500):
    handler.handle(logging.makeLogRecord({}))
"""


def test_each_warning_can_be_silenced(lf):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SILENT],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_captured_warnings_are_logged(lf):
    """The warning is logged in the middle of the set-up."""
    root = quiet_root(collect := Collect())
    logging.getLogger("uvicorn").handlers = [Collect()]
    logging.getLogger("uvicorn").propagate = False
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        try:
            lf.setup_logging_queue().stop()
        finally:
            logging.captureWarnings(False)
    assert root.handlers == [collect]
    assert "the handlers of 'uvicorn'" in collect.messages[0]


def test_the_checks_do_not_import_what_is_slow(lf):
    settings = importlib.import_module("logflume._listener.settings")
    assert not {"inspect", "difflib"} & set(vars(settings))
