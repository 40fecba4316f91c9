"""Packages that hook into logging do with accelerated loggers, and with handlers behind a queue, what they do without.

Each test is a small application, run as a process of its own in each of four ways; all have the same outcome.
A package that is not installed is skipped: `make test-compat` installs them all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import ModuleType

import pytest

from helpers import run_python

# standard: without logflume. accelerated: from when logging is configured. early: before anything else is imported.
# queued: accelerated, and setup_logging_queue() when logging is configured.
WAYS = ["standard", "accelerated", "early", "queued"]

PRELUDE = '''
import io, json, logging, sys
import logflume

WAY = sys.argv[1]
COMPILED = logflume.IMPLEMENTATION == "compiled"
listener = None
out = io.StringIO()

def start():
    """Begin as an application does that has configured logging."""
    global listener
    if WAY != "standard":
        assert logflume.accelerate_loggers() is COMPILED
    if WAY == "queued":
        listener = logflume.setup_logging_queue(all_loggers=True)

def flush():
    if listener is not None:
        assert listener.flush(10)

def finish(**outcome):
    if listener is not None:
        assert listener.stop(10) == 0
    json.dump({**outcome, "text": out.getvalue()}, sys.stdout)

class Kept(logging.Handler):
    """Keeps what it gets, as a handler for a service would."""
    def __init__(self):
        super().__init__()
        self.records = []
    def emit(self, record):
        self.records.append(record)

if WAY == "early":
    assert logflume.accelerate_loggers() is COMPILED
'''


@pytest.fixture
def outcome(lf: ModuleType, tmp_path):
    """Run an application in all ways, and return the outcome, which is the same in all or in those named."""

    def run(application: str, ways: list[str] = WAYS, first: str = "") -> dict:
        script = tmp_path / "application.py"
        script.write_text(first + PRELUDE + application)
        if lf.IMPLEMENTATION == "pure":  # it accelerates nothing
            ways = [way for way in ways if way in ("standard", "queued")]
        outcomes = {}
        for way in ways:
            done = run_python(str(script), way, timeout=120)
            assert done.returncode == 0, f"{way}: {done.stderr}"
            outcomes[way] = json.loads(done.stdout.splitlines()[-1])
        for way in ways:
            assert outcomes[way] == outcomes[ways[0]], way
        return outcomes[ways[0]]

    return run


def test_sentry(outcome):
    """Events, breadcrumbs and the frames of the caller."""
    pytest.importorskip("sentry_sdk")
    found = outcome("""
import sentry_sdk
events = []
sentry_sdk.init(
    dsn="https://key@localhost/1", before_send=lambda event, hint: events.append(event), attach_stacktrace=True,
    traces_sample_rate=0.0,
)
logging.basicConfig(level=logging.INFO, stream=out, format="%(levelname)s %(name)s %(funcName)s %(message)s")
start()
logger = logging.getLogger("shop.orders")

def work(order):
    logger.info("looking at %s", order, extra={"user": 7})
    logger.error("order %s of %d failed", order, 5, extra={"amount": 3})
    try:
        raise ValueError("bad")
    except ValueError:
        logger.exception("it failed")

work("o-1")
found = []
for event in events:
    threads = event.get("threads") or event.get("exception")
    frames = [frame for value in threads["values"] for frame in value.get("stacktrace", {}).get("frames", ())]
    found.append({
        "logentry": event.get("logentry"), "level": event["level"], "logger": event["logger"],
        "extra": {key: value for key, value in event["extra"].items() if key != "sys.argv"},
        "functions": [
            (frame["function"], frame["lineno"]) for frame in frames
            if frame["module"] not in ("logging", "logflume") and "sentry" not in frame["function"]
        ],
        "breadcrumbs": [(b["message"], b["category"], b["level"], b["data"]) for b in event["breadcrumbs"]["values"]],
    })
finish(events=found)
""")
    first, second = found["events"]
    assert first["logentry"]["message"] == "order %s of %d failed"
    assert first["logentry"]["params"] == ["o-1", 5]
    assert first["functions"][-1][0] == second["functions"][-1][0] == "work"
    assert first["extra"]["amount"] == 3
    assert [crumb[0] for crumb in first["breadcrumbs"]] == ["looking at o-1"]
    assert found["text"].startswith("INFO shop.orders work looking at o-1\nERROR shop.orders work order o-1")


def test_opentelemetry_instrumentation(outcome):
    """Its record factory gives each record the ids of the span that is current in the caller."""
    pytest.importorskip("opentelemetry.instrumentation.logging")
    pytest.importorskip("opentelemetry.sdk.trace")
    found = outcome("""
from opentelemetry import trace
from opentelemetry.instrumentation.logging import LoggingInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator

class Ids(IdGenerator):
    last = 0
    def generate_span_id(self):
        self.last += 1
        return self.last
    generate_trace_id = generate_span_id

trace.set_tracer_provider(TracerProvider(id_generator=Ids()))
LoggingInstrumentor().instrument(inject_trace_context=True, enable_log_auto_instrumentation=False)
logging.basicConfig(
    level=logging.INFO, stream=out, force=True,
    format="%(otelTraceID)s %(otelSpanID)s %(otelTraceSampled)s %(funcName)s %(message)s",
)
start()
logger = logging.getLogger("a.b")

def work():
    logger.info("in %s", "span", extra={"more": 1})

for _ in range(2):
    with trace.get_tracer("t").start_as_current_span("s"):
        work()
work()
flush()
LoggingInstrumentor().uninstrument()
finish()
""")
    lines = found["text"].splitlines()
    assert [line.split()[1] for line in lines][-1] == "0"
    assert len({line.split()[0] for line in lines}) == 3
    assert all(line.endswith("work in span") for line in lines)


def test_opentelemetry_handler(outcome):
    """Its handler beside the queue sees the caller's span; behind the queue it sees that of no caller."""
    pytest.importorskip("opentelemetry.sdk._logs")
    application = """
import warnings
warnings.simplefilter("ignore")
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
try:
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter as Exporter
except ImportError:
    from opentelemetry.sdk._logs.export import InMemoryLogExporter as Exporter
try:
    from opentelemetry.instrumentation.logging.handler import LoggingHandler
except ImportError:
    from opentelemetry.sdk._logs import LoggingHandler

exporter = Exporter()
provider = LoggerProvider()
provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
trace.set_tracer_provider(TracerProvider())
handler = LoggingHandler(level=logging.NOTSET, logger_provider=provider)
logging.basicConfig(level=logging.INFO, stream=out, format="%(message)s")
BESIDE
logger = logging.getLogger("a.b")

def work():
    logger.warning("in %s", "span", extra={"more": 1})

with trace.get_tracer("t").start_as_current_span("s") as span:
    work()
    context = span.get_span_context()
flush()
logs = [data.log_record for data in exporter.get_finished_logs()]
finish(
    bodies=[str(log.body) for log in logs],
    severities=[log.severity_text for log in logs],
    attributes=[
        {k: v for k, v in log.attributes.items() if not k.startswith("code.file") and k != "code.lineno"}
        for log in logs
    ],
    same=[log.trace_id == context.trace_id and log.span_id == context.span_id for log in logs],
)
"""
    beside = outcome(application.replace("BESIDE", "start()\nlogging.root.addHandler(handler)"))
    assert beside["bodies"] == ["in span"]
    assert beside["same"] == [True]
    assert beside["attributes"][0]["more"] == 1
    behind = application.replace("BESIDE", "logging.root.addHandler(handler)\nstart()")
    assert outcome(behind) == beside


def test_structlog(outcome):
    pytest.importorskip("structlog")
    found = outcome("""
import structlog
from structlog.processors import CallsiteParameter, CallsiteParameterAdder

shared = [
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    CallsiteParameterAdder({CallsiteParameter.FUNC_NAME, CallsiteParameter.LINENO, CallsiteParameter.FILENAME}),
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level, structlog.contextvars.merge_contextvars, *shared[:2],
        structlog.stdlib.PositionalArgumentsFormatter(), *shared[3:],
        structlog.processors.StackInfoRenderer(), structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
handler = logging.StreamHandler(out)
handler.setFormatter(structlog.stdlib.ProcessorFormatter(
    foreign_pre_chain=shared,
    processors=[
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(sort_keys=True),
    ],
))
logging.root.addHandler(handler)
logging.root.setLevel(logging.INFO)
# A second chain that renders at once, so that the standard record's own place is what counts.
plain = logging.StreamHandler(out)
plain.setFormatter(logging.Formatter("%(name)s %(funcName)s %(lineno)d %(message)s"))
logging.getLogger("rendered").addHandler(plain)
logging.getLogger("rendered").propagate = False
start()

def work():
    log = structlog.get_logger("s.t").bind(user=5)
    log.debug("not seen")
    log.info("bound %s", "argument", more=[1, 2])
    try:
        raise KeyError("k")
    except KeyError:
        log.exception("it failed")
    with structlog.contextvars.bound_contextvars(request="r1"):
        log.warning("in a request")
    logging.getLogger("foreign").warning("foreign %d", 1, extra={"x": 2})

    rendered = structlog.wrap_logger(
        logging.getLogger("rendered"), processors=[structlog.stdlib.filter_by_level,
        structlog.processors.KeyValueRenderer(sort_keys=True)], wrapper_class=structlog.stdlib.BoundLogger,
    )
    rendered.info("rendered", a=1)
    structlog.wrap_logger(
        logging.getLogger("rendered"), processors=[structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
    ).warning("by keywords", a=1)

work()
finish()
""")
    lines = found["text"].splitlines()
    seen = [json.loads(line) for line in lines if line.startswith("{")]
    assert [line["event"] for line in seen] == ["bound argument", "it failed", "in a request", "foreign 1"]
    assert [line["func_name"] for line in seen] == ["work"] * 4
    assert seen[2]["request"] == "r1"
    assert seen[3]["x"] == 2
    rendered = [line.split(None, 3) for line in lines if line.startswith("rendered ")]
    assert [parts[3] for parts in rendered] == ["a=1 event='rendered'", "by keywords"]


def test_structlog_exceptions_in_the_formatter(outcome):
    pytest.importorskip("structlog")
    found = outcome("""
import structlog

structlog.configure(
    processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(), wrapper_class=structlog.stdlib.BoundLogger,
)
console = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
for last in ([structlog.processors.format_exc_info, structlog.processors.JSONRenderer()], [console]):
    handler = logging.StreamHandler(out)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[remove, *last]))
    logging.root.addHandler(handler)
start()
log = structlog.get_logger("shop")
log.error("none", exc_info=True)
try:
    raise KeyError("k")
except KeyError as error:
    log.exception("current")
    log.error("given", exc_info=error)
finish()
""")
    assert found["text"].count("\nKeyError: 'k'") == 2
    assert found["text"].count("\\nKeyError: 'k'") == 2


def test_python_json_logger(outcome):
    pytest.importorskip("pythonjsonlogger")
    found = outcome("""
import datetime
try:
    from pythonjsonlogger.json import JsonFormatter
except ImportError:
    from pythonjsonlogger.jsonlogger import JsonFormatter
for form in ("%(levelname)s %(name)s %(funcName)s %(lineno)d %(threadName)s %(message)s %(taskName)s", "%(message)s"):
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonFormatter(form, rename_fields={"levelname": "level"}, static_fields={"app": "x"}))
    logging.root.addHandler(handler)
logging.root.setLevel(logging.INFO)
start()
logger = logging.getLogger("a.b")

def work():
    logger.info("hello %s", "x", extra={"when": datetime.date(2026, 1, 2), "nested": {"a": [1]}})
    logger.info({"event": "dictionary", "n": 1})
    logger.warning("mapping %(a)s", {"a": 1})
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("divided", stack_info=False)
    logger.info("unusual %r", object)

work()
finish()
""")
    lines = [json.loads(line) for line in found["text"].splitlines()]
    assert len(lines) == 10
    assert lines[0]["message"] == "hello x"
    assert lines[0]["nested"] == {"a": [1]}
    assert lines[0]["funcName"] == "work"
    assert "ZeroDivisionError" in lines[6]["exc_info"]


def test_asgi_correlation_id(outcome):
    """The filter on a logger, on a handler that is moved behind the queue, and on the queue handler."""
    pytest.importorskip("asgi_correlation_id")
    application = """
import asyncio
from asgi_correlation_id import CorrelationIdFilter, correlation_id
logging.basicConfig(level=logging.INFO, stream=out, format="%(correlation_id)s %(message)s %(funcName)s")
(OWNER).addFilter(CorrelationIdFilter(uuid_length=4, default_value="-"))
start()
logger = logging.getLogger()

async def request(number):
    correlation_id.set(f"id-{number}-longer")
    logger.info("begin %d", number)
    await asyncio.sleep(0)
    logger.info("end %d", number)

async def main():
    await asyncio.gather(*(asyncio.create_task(request(i)) for i in range(3)))

asyncio.run(main())
logger.info("outside")
finish()
"""
    expected = [f"id-{i} {what} {i} request" for what in ("begin", "end") for i in range(3)] + ["- outside main"]
    expected[-1] = "- outside <module>"
    on_logger = outcome(application.replace("OWNER", "logging.root"))
    assert on_logger["text"].splitlines() == expected
    on_handler = application.replace("OWNER", "logging.root.handlers[0]")
    assert outcome(on_handler) == on_logger
    on_queue_handler = on_handler.replace("start()\n", "", 1).replace(
        "(logging.root.handlers[0]).addFilter", "start()\n(logging.root.handlers[0]).addFilter"
    )
    assert outcome(on_queue_handler) == on_logger


@pytest.mark.parametrize("way", WAYS)
def test_caplog(lf, tmp_path, way):
    """An application that accelerates and queues at import, tested with pytest's caplog."""
    (tmp_path / "application.py").write_text(
        f"""
import logging
import sys
import logflume
way = {way!r}
logger = logging.getLogger("application")

def start():
    logging.root.addHandler(logging.StreamHandler())  # basicConfig() does nothing where pytest has its handlers
    logging.root.setLevel(logging.INFO)
    if way != "standard":
        logflume.accelerate_loggers()
    return logflume.setup_logging_queue() if way == "queued" else None

if way == "early":
    logflume.accelerate_loggers()

def work(n):
    logger.debug("detail %d", n)
    logger.info("working on %d", n, extra={{"n": n}})
    try:
        raise ValueError("bad")
    except ValueError:
        logger.exception("failed")
"""
    )
    (tmp_path / "test_application.py").write_text(
        """
import logging
import unittest
import application
import pytest

@pytest.fixture(scope="module", autouse=True)
def started():
    listener = application.start()
    yield
    if listener is not None:
        assert listener.stop() == 0

@pytest.mark.parametrize("n", [1, 2])
def test_records(caplog, n):
    with caplog.at_level(logging.INFO):
        application.work(n)
    assert caplog.record_tuples == [
        ("application", logging.INFO, f"working on {n}"), ("application", logging.ERROR, "failed"),
    ]
    assert caplog.records[0].n == n
    assert caplog.records[0].funcName == "work"
    assert caplog.messages[0] == f"working on {n}"
    assert "ValueError: bad" in caplog.text
    assert caplog.records[1].exc_info[0] is ValueError

def test_level(caplog):
    caplog.set_level(logging.DEBUG, "application")
    application.work(3)
    assert caplog.messages[0] == "detail 3"

def test_level_is_back(caplog):
    application.work(4)
    assert "detail 4" not in caplog.messages

def test_filtering(caplog):
    with caplog.filtering(lambda record: record.levelno > logging.INFO):
        application.work(5)
    assert caplog.messages == ["failed"]

class TestAssertLogs(unittest.TestCase):
    def test(self):
        with self.assertLogs("application", "INFO") as logs:
            application.work(6)
        assert logs.output[0] == "INFO:application:working on 6"
        with self.assertNoLogs("other"):
            application.work(7)

def test_that_fails():
    application.work(8)
    assert False
"""
    )
    options = ["-p", "no:cacheprovider", "-q", "-c", os.devnull, "--rootdir", "."]
    done = run_python("-m", "pytest", *options, cwd=tmp_path, timeout=120)
    assert "1 failed, 6 passed" in done.stdout, done.stdout + done.stderr
    report = done.stdout[done.stdout.index("Captured log call") :]
    assert "application:application.py:" in report
    assert "working on 8" in report


SHIFTED = """
logging.basicConfig(
    level=logging.INFO, stream=out, format="%(asctime)s %(created).6f %(msecs)03d %(message)s", datefmt=None
)
logging.root.handlers[0].formatter.converter = time.gmtime
start()
logger = logging.getLogger("a.b")
logger.info("before")
flush()
out.truncate(0); out.seek(0)
"""
BACK = """
logger.info("after")
now = time.time()
flush()
text = out.getvalue()
out.truncate(0); out.seek(0)
"""


def test_freezegun(outcome):
    pytest.importorskip("freezegun")
    found = outcome(
        "import time, datetime\nimport freezegun\n"
        + SHIFTED
        + """
kept = Kept()
logging.root.addHandler(kept)
for _ in range(2):
    with freezegun.freeze_time("2020-02-03 04:05:06.789") as frozen:
        logger.info("frozen %d", 1)
        frozen.tick(1.5)
        logger.info("ticked")
        flush()
with freezegun.freeze_time("2021-01-01", tick=True):
    logger.info("ticking")
"""
        + BACK
        + """
finish(
    lines=[line for line in text.splitlines() if line.startswith("2020")],
    years=[line[:4] for line in text.splitlines()][:5],
    real=abs(kept.records[-1].created - now) < 5,
    created=[record.created for record in kept.records[:4]],
)
"""
    )
    assert [line.split(" ", 2)[2].split()[-1] for line in found["lines"]] == ["1", "ticked"] * 2
    assert all(line.startswith("2020-02-03 04:05:0") for line in found["lines"])
    assert found["created"][0] == 1580702706.789
    assert found["real"] is True


@pytest.mark.parametrize("first", [True, False])
def test_time_machine(outcome, first):
    """It puts its own function into the built-in's place, which is compared with what was there at the import."""
    pytest.importorskip("time_machine")
    found = outcome(
        "import time, datetime\n"
        + ("import time_machine\n" if first else "")
        + SHIFTED
        + """
import time_machine
kept = Kept()
logging.root.addHandler(kept)
for _ in range(2):
    with time_machine.travel(1580702706.789, tick=False) as traveller:
        logger.info("frozen %d", 1)
        traveller.shift(1.5)
        logger.info("ticked")
        flush()
"""
        + BACK
        + """
finish(
    lines=[line for line in text.splitlines() if line.startswith("2020")],
    real=abs(kept.records[-1].created - now) < 5,
    created=[record.created for record in kept.records[:4]],
)
"""
    )
    assert [round(created, 3) for created in found["created"]] == [1580702706.789, 1580702708.289] * 2
    assert len(found["lines"]) == 4
    assert found["real"] is True


@pytest.mark.parametrize("first", ["gevent", "logflume"])
def test_gevent(outcome, first):
    """Patched before logging is imported, as gevent asks for, and after it."""
    pytest.importorskip("gevent")
    patch = "from gevent import monkey; monkey.patch_all()\n"
    application = """
from gevent import monkey
monkey.patch_all()
import gevent, threading
logging.basicConfig(level=logging.INFO, stream=out, format="%(threadName)s %(name)s %(funcName)s %(message)s")
kept = Kept()
logging.root.addHandler(kept)
start()
logger = logging.getLogger("a.b")

def work(n):
    for i in range(3):
        logger.info("%d %d", n, i, extra={"own": threading.get_ident()})
        gevent.sleep(0)

threads = [threading.Thread(target=work, args=(n,), name=f"worker-{n}") for n in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
gevent.joinall([gevent.spawn(work, n) for n in range(3, 6)])
logger.info("main %s", [1])
# How the green threads take turns is not ours; nor are the numbers of stand-ins.
flush()
names = sorted((r.threadName if r.threadName.startswith(("worker", "Main")) else "Dummy", r.getMessage())
               for r in kept.records)
same = [r.thread == r.own for r in kept.records[:-1]]
out.truncate(0); out.seek(0)
finish(names=names, same=same, main=kept.records[-1].thread == threading.get_ident())
"""
    found = outcome(application, first=patch if first == "gevent" else "")
    assert ["worker-1", "1 2"] in found["names"]
    assert ["MainThread", "main [1]"] in found["names"]
    assert found["main"] is True
    assert found["same"] == [True] * 18


def test_uvloop(outcome):
    pytest.importorskip("uvloop")
    found = outcome("""
import asyncio
import uvloop
logging.basicConfig(level=logging.INFO, stream=out, format="%(threadName)s %(funcName)s %(message)s")
kept = Kept()
logging.root.addHandler(kept)
start()
logger = logging.getLogger("a.b")

async def request(n):
    logger.info("begin %d", n)
    await asyncio.sleep(0)
    logger.info("end %d", n)

async def main():
    asyncio.get_running_loop().call_soon(logger.info, "from C")
    await asyncio.gather(*(asyncio.create_task(request(n), name=f"task-{n}") for n in range(3)))
    await asyncio.to_thread(logger.info, "in a thread")

uvloop.run(main())
flush()
finish(tasks=[getattr(record, "taskName", "none") for record in kept.records])
""")
    assert found["text"].count("MainThread request") == 6
    if sys.version_info >= (3, 12):
        assert "task-2" in found["tasks"]


COMPILED_PROGRAM = """
def work(logger):
    logger.info("first")
    logger.info("second")
    inner(logger)
    list(generate(logger))
    try:
        raise ValueError("failed")
    except ValueError:
        logger.exception("caught")

def inner(logger):
    logger.info(
        "of the caller", stacklevel=2
    )
    logger.info("of this function", stack_info=True)

def generate(logger):
    logger.info("before")
    yield
    logger.info("after")
"""


@pytest.fixture(scope="module")
def compiled_program(tmp_path_factory):
    """Return the folder with the program that Nuitka compiled."""
    pytest.importorskip("nuitka")
    folder = tmp_path_factory.mktemp("nuitka")
    source = folder / "program.py"
    source.write_text(COMPILED_PROGRAM)
    nuitka = [sys.executable, "-m", "nuitka", "--module", source.name, "--remove-output"]
    subprocess.run(nuitka, cwd=folder, check=True, capture_output=True, timeout=300)
    source.unlink()
    return folder


def test_nuitka(outcome, compiled_program):
    """Its frames keep their line themselves: the instruction that they stand at tells nothing."""
    found = outcome(f"""
sys.path.insert(0, {str(compiled_program)!r})
import program
logging.basicConfig(level=logging.INFO, stream=out, format="%(module)s %(lineno)s %(funcName)s %(message)s")
start()
for _ in range(3):
    program.work(logging.getLogger("a.b"))
flush()
finish()
""")
    assert found["text"].startswith("program 3 work first\nprogram 4 work second\nprogram 5 work of the caller\n")


def test_patched_makeRecord(outcome):
    """As ddtrace puts the ids of the trace into each record."""
    found = outcome("""
import contextvars
trace = contextvars.ContextVar("trace", default="0")
logging.basicConfig(level=logging.INFO, stream=out, format="%(dd.trace_id)s %(name)s %(funcName)s %(message)s")
def patch():
    standard = logging.Logger.makeRecord
    def makeRecord(self, *args, **kwargs):
        record = standard(self, *args, **kwargs)
        setattr(record, "dd.trace_id", trace.get())
        return record
    logging.Logger.makeRecord = makeRecord
    return standard
standard = patch()
start()
logger = logging.getLogger("a.b")

def work():
    trace.set("17")
    logger.info("hello %s", "x")
    logger.warning("hello", extra={"a": 1})
    try:
        raise ValueError
    except ValueError:
        logger.exception("failed")

work()
flush()
logging.Logger.makeRecord = standard
kept = Kept()
logging.root.addHandler(kept)
logger.info("unpatched", extra={"dd.trace_id": "-"})
finish(keys=[key for key in vars(kept.records[0]) if key not in ("message", "asctime")])
""")
    lines = found["text"].splitlines()
    assert lines[0] == "17 a.b work hello x"
    assert lines[-1] == "- a.b <module> unpatched"


def test_patched_getMessage(outcome):
    """As agents do it that decorate the text: a method on the record, put there by callHandlers."""
    found = outcome("""
logging.basicConfig(level=logging.INFO, stream=out, format="%(name)s %(funcName)s %(message)s")
standard = logging.Logger.callHandlers
def callHandlers(self, record):
    text = record.getMessage
    record.getMessage = lambda: text() + " NR-LINKING|x|"
    return standard(self, record)
logging.Logger.callHandlers = callHandlers
start()
logger = logging.getLogger("a.b")

def work():
    logger.info("hello %s", "x")
    logger.info("list %s", [1])
    logger.info("mapping %(a)s", {"a": 1})

work()
flush()
logging.Logger.callHandlers = standard
work()
flush()
class_method = logging.LogRecord.getMessage
logging.LogRecord.getMessage = lambda self: "<" + class_method(self) + ">"
work()
flush()
logging.LogRecord.getMessage = class_method
finish()
""")
    lines = found["text"].splitlines()
    assert lines[0] == "a.b work hello x NR-LINKING|x|"
    assert lines[1] == "a.b work list [1] NR-LINKING|x|"
    assert lines[3] == "a.b work hello x"
    assert lines[7] == "a.b work <list [1]>"


def test_captured_warnings(outcome):
    found = outcome("""
import warnings
logging.basicConfig(level=logging.INFO, stream=out, format="%(levelname)s %(name)s %(funcName)s %(message)s")
logging.captureWarnings(True)
start()
warnings.simplefilter("always")

def work():
    warnings.warn("old", DeprecationWarning, stacklevel=1)

work()
flush()
logging.captureWarnings(False)
finish()
""")
    assert found["text"].startswith("WARNING py.warnings ")
    assert "DeprecationWarning: old" in found["text"]
