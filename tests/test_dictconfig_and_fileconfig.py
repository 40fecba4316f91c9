"""dictConfig() and fileConfig() with our classes."""

from __future__ import annotations

import functools
import gc
import logging
import logging.config
import logging.handlers
import queue
import sys
import textwrap
import threading
import time

import pytest

from helpers import listener_threads, repeated_in_threads, wait_until


def config(path, handler, **more):
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": "%(name)s %(message)s"}},
        "handlers": {
            "file": {"class": "logging.FileHandler", "filename": str(path), "formatter": "plain", **more},
            **handler,
        },
        "root": {"handlers": list(handler), "level": "DEBUG"},
    }


def by_class(lf, name="queue", **keys):
    return {name: {"class": "logflume.LocalQueueHandler", "handlers": ["file"], **keys}}


def by_factory(lf, name="queue", **keys):
    return {name: {"()": "logflume.LocalQueueHandler", "handlers": ["file"], **keys}}


WAYS = [
    pytest.param(lambda lf: by_factory(lf), id="factory"),
    pytest.param(lambda lf: by_factory(lf, name="a_queue"), id="factory before its target"),
    pytest.param(lambda lf: by_factory(lf, queue="queue.Queue"), id="factory queue name"),
    pytest.param(lambda lf: by_factory(lf, queue=queue.SimpleQueue()), id="factory queue"),
    pytest.param(lambda lf: by_factory(lf, listener="logflume.QueueListener"), id="factory listener name"),
    pytest.param(lambda lf: by_factory(lf, respect_handler_level=True), id="factory levels"),
    pytest.param(lambda lf: by_class(lf), id="class"),
    pytest.param(lambda lf: by_class(lf, name="a_queue"), id="class before its target"),
    pytest.param(
        lambda lf: by_class(lf, listener="logflume.QueueListener", queue="queue.SimpleQueue"),
        id="class listener queue",
    ),
    pytest.param(lambda lf: by_class(lf, respect_handler_level=True), id="class levels"),
    pytest.param(lambda lf: by_class(lf, listener="logflume.QueueListener"), id="class listener"),
]


@pytest.mark.parametrize("way", WAYS)
def test_the_listener_starts_by_itself(lf, tmp_path, way):
    handler = way(lf)
    logging.config.dictConfig(config(tmp_path / "log", handler))
    queue_handler = logging.getLogger().handlers[0]
    assert type(queue_handler) is lf.LocalQueueHandler
    assert isinstance(queue_handler.listener, lf.QueueListener)
    levels = next(iter(handler.values())).get("respect_handler_level", False)
    assert queue_handler.listener.respect_handler_level is levels
    gc.collect()  # nothing but the listener may hold the file handler
    logging.getLogger("a").info("one")
    queue_handler.flush()
    assert (tmp_path / "log").read_text() == "a one\n"


@pytest.mark.parametrize("way", WAYS)
def test_it_may_be_started_too(lf, tmp_path, way):
    logging.config.dictConfig(config(tmp_path / "log", way(lf)))
    listener = logging.getLogger().handlers[0].listener
    listener.start()
    logging.getLogger("a").info("one")
    listener.stop()
    assert (tmp_path / "log").read_text() == "a one\n"


def test_the_default_queue(lf, tmp_path):
    """From 3.12 on dictConfig makes one for a "class", before we are asked; it stays the one that is used."""
    logging.config.dictConfig(config(tmp_path / "log", by_factory(lf)))
    assert type(logging.getLogger().handlers[0].queue) is queue.SimpleQueue
    logging.config.dictConfig(config(tmp_path / "log", by_class(lf)))
    (handler,) = logging.getLogger().handlers
    assert type(handler.queue) is (queue.Queue if sys.version_info >= (3, 12) else queue.SimpleQueue)
    assert handler.listener.queue is handler.queue


def make_queue(size=7):
    return queue.Queue(size)


QUEUE = queue.SimpleQueue()


@pytest.mark.parametrize(
    ("given", "kind", "size"),
    [
        ({"()": "queue.Queue", "maxsize": 10}, queue.Queue, 10),
        (f"{__name__}.make_queue", queue.Queue, 7),
        ("queue.LifoQueue", queue.LifoQueue, 0),
    ],
)
@pytest.mark.parametrize("way", [by_factory, by_class])
def test_queues_of_other_classes(lf, tmp_path, way, given, kind, size):
    logging.config.dictConfig(config(tmp_path / "log", way(lf, queue=given)))
    made = logging.getLogger().handlers[0].queue
    assert type(made) is kind
    assert made.maxsize == size
    logging.info("one")
    # Not flush(): a LifoQueue gives its request before the record.
    assert wait_until(lambda: "one" in (tmp_path / "log").read_text())


def test_handler_levels_are_respected_if_asked_for(lf, tmp_path):
    handler = by_factory(lf, respect_handler_level=True)
    logging.config.dictConfig(config(tmp_path / "log", handler, level="ERROR"))
    logging.getLogger("a").info("one")
    logging.getLogger("a").error("two")
    logging.getLogger().handlers[0].flush()
    assert (tmp_path / "log").read_text() == "a two\n"


def test_a_name_that_is_not_configured(lf, tmp_path):
    handler = by_factory(lf)
    handler["queue"]["handlers"] = ["file", "fiel"]
    with pytest.raises(ValueError, match="'queue'") as caught:
        logging.config.dictConfig(config(tmp_path / "log", handler))
    assert "fiel" in str(caught.value.__cause__)
    logging._handlers["file"].close()  # a collection might come before the fixture


def test_the_standard_queue_handler_with_our_listener(lf, tmp_path):
    if sys.version_info < (3, 12):
        pytest.skip("new in 3.12")
    handler = {
        "queue": {
            "class": "logging.handlers.QueueHandler",
            "listener": "logflume.QueueListener",
            "handlers": ["file"],
        }
    }
    logging.config.dictConfig(config(tmp_path / "log", handler))
    listener = logging.getLogger().handlers[0].listener
    assert type(listener) is lf.QueueListener
    with listener:
        logging.getLogger("a").info("one")
    assert (tmp_path / "log").read_text() == "a one\n"


def test_a_second_dictconfig_delivers_what_the_first_had_queued(lf, tmp_path):
    for i in range(3):
        logging.config.dictConfig(config(tmp_path / f"log{i}", by_factory(lf)))
        logging.getLogger("a").info("%d", i)
    assert [(tmp_path / f"log{i}").read_text() for i in range(2)] == ["a 0\n", "a 1\n"]
    logging.getLogger().handlers[0].flush()
    assert (tmp_path / "log2").read_text() == "a 2\n"
    assert len(listener_threads()) == 1


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # a closed FileHandler opens again
def test_configured_200_times_while_records_flow(lf, tmp_path):
    """No record is lost or doubled, nothing deadlocks, no thread is left behind."""
    path = tmp_path / "log"
    logging.config.dictConfig(config(path, by_factory(lf)))
    counts = [0] * 3

    def log(k):
        logging.getLogger(f"t{k}").info("%d", counts[k])
        counts[k] += 1
        time.sleep(0.0002)

    with repeated_in_threads(*[functools.partial(log, k) for k in range(3)]):
        for _ in range(200):
            # root.handlers is empty for a moment in dictConfig itself; a second logger tells whether we lose any.
            logging.config.dictConfig(config(path, by_factory(lf)))
    logging.getLogger().handlers[0].flush()
    lines = path.read_text().splitlines()
    assert len(lines) == len(set(lines))
    for k in range(3):
        numbers = [int(line.split()[1]) for line in lines if line.startswith(f"t{k} ")]
        assert numbers == sorted(numbers)
        assert len(numbers) > 0
    assert wait_until(lambda: len(listener_threads()) <= 1)  # the last but one may just end
    gc.collect()


def test_a_handler_that_takes_logging_s_lock_while_dict_config_closes(lf, tmp_path):
    """dictConfig holds that lock while it closes handlers; a join would wait for ever."""
    entered = threading.Event()
    messages = []

    class Looks(logging.Handler):
        def emit(self, record):
            entered.set()
            with logging._lock:
                messages.append(record.getMessage())

    handler = lf.LocalQueueHandler()
    handler.listener = lf.QueueListener(handler.queue, Looks())
    logger = logging.getLogger()
    logger.handlers = [handler]
    with logging._lock:
        for _ in range(100):
            logger.error("one")
        assert entered.wait(10)
        logging.config.dictConfig({"version": 1})
        assert messages == ["one"] * 100


@pytest.mark.parametrize("kwargs", ["{'handlers': ['file']}", "{'handlers': ['file'], 'respect_handler_level': True}"])
def test_fileconfig_takes_the_queue_handler(lf, tmp_path, kwargs):
    (tmp_path / "logging.ini").write_text(
        textwrap.dedent(
            f"""
            [loggers]
            keys=root
            [handlers]
            keys=file,queue
            [formatters]
            keys=plain
            [logger_root]
            level=DEBUG
            handlers=queue
            [handler_queue]
            class=logflume.LocalQueueHandler
            kwargs={kwargs}
            [handler_file]
            class=FileHandler
            formatter=plain
            args=({str(tmp_path / "log")!r},)
            [formatter_plain]
            format=%(name)s %(message)s
            """
        )
    )
    logging.config.fileConfig(tmp_path / "logging.ini")
    logging.getLogger("a").info("one")
    logging.getLogger().handlers[0].flush()
    assert (tmp_path / "log").read_text() == "a one\n"
