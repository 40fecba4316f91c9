"""What accelerated loggers tell of the place of a call is what findCaller() tells."""

import asyncio
import logging
import pathlib
import sys
import traceback
import warnings
import weakref

import pytest

from helpers import forget_thread, is_quick, wait_until


def log_with(level, logger):
    logger.info("m", stacklevel=level)


def test_called_while_a_C_function_ends_a_frame(logger, records):
    class Watched:
        pass

    def call(references):
        watched = Watched()
        references.append(weakref.ref(watched, logger.warning))

    list(map(call, [[]]))
    (record,) = records()
    assert (record.pathname, record.funcName) == (__file__, "test_called_while_a_C_function_ends_a_frame")


def place_of(package, records, log):
    """Return what the accelerated and the standard call say, from the same line."""
    package.accelerate_loggers()
    places = []
    for _ in range(2):
        log()
        (record,) = records()
        places.append((record.pathname, record.filename, record.module, record.lineno, record.funcName))
        package.restore_loggers()
    assert places[0] == places[1]
    return places[0]


@pytest.mark.parametrize("level", [-1, 0, 1, 2, 3, 100])
def test_stacklevel_counts_as_it_does_in_the_standard_library(logger, package, records, level):
    place_of(package, records, lambda: log_with(level, logger))


def test_a_call_through_an_adapter(logger, package, records):
    adapter = logging.LoggerAdapter(logger, {})
    assert place_of(package, records, lambda: adapter.info("m"))[4] == "<lambda>"


def test_a_call_of_the_module_s_function(package, records):
    assert place_of(package, records, lambda: logging.info("m"))[4] == "<lambda>"


def test_a_call_in_a_generator(logger, package, records):
    def generate():
        yield logger.info("m")

    assert place_of(package, records, lambda: next(generate()))[4] == "generate"


def test_a_call_in_a_coroutine(logger, package, records):
    async def work():
        await asyncio.sleep(0)
        logger.info("m")

    assert place_of(package, records, lambda: asyncio.run(work()))[4] == "work"


def test_a_call_in_the_body_of_a_class(logger, package, records):
    def define():
        class Body:
            logger.info("m")

    assert place_of(package, records, define)[4] == "Body"


def test_file_and_function_names_of_another_type(logger, package, records):
    class Name(str):
        __slots__ = ()

    code = compile("logger.info('m')", "made up", "exec")
    code = code.replace(co_filename=Name("/made/up.py"), co_name=Name("made_up"))
    assert place_of(package, records, lambda: exec(code, {"logger": logger}))[:3] == (
        "/made/up.py",
        "up.py",
        "up",
    )


def test_a_call_in_executed_code(logger, package, records):
    code = compile("\n\nlogger.info('m')", "<made up>", "exec")
    assert place_of(package, records, lambda: exec(code, {"logger": logger}))[:4] == (
        "<made up>",
        "<made up>",
        "<made up>",
        3,
    )


def test_a_call_by_a_C_function(logger, package, records):
    assert place_of(package, records, lambda: list(map(logger.info, ["m"])))[4] == "<lambda>"


def test_a_call_over_several_lines(logger, package, records):
    place_of(
        package,
        records,
        lambda: logger.info("m"),
    )


def test_two_calls_on_one_line_of_a_loop(logger, records):
    for _ in range(3):
        _ = logger.info("a"), logger.info("b")
        logger.info("c")
    lines = [record.lineno for record in records()]
    assert lines == [lines[0], lines[0], lines[0] + 1] * 3


def test_a_call_without_any_caller(logger, package, records):
    import _thread

    logger.setLevel(logging.INFO)
    found = []
    for _ in range(2):
        _thread.start_new_thread(logger.info, ("m",))
        assert wait_until(logging.root.handlers[0].queue.qsize)
        taken = records()
        found.append((taken[0].pathname, taken[0].funcName))
        forget_thread(taken[0].thread)
        package.restore_loggers()
    assert found[0] == found[1]


def test_a_call_that_is_traced(logger, package, records):
    events = []
    previous = sys.gettrace()
    sys.settrace(lambda frame, event, arg: events.append(event))
    try:
        place = place_of(package, records, lambda: logger.info("m"))
    finally:
        sys.settrace(previous)
    assert place[4] == "<lambda>"


def test_a_call_that_is_profiled(logger, package, records):
    previous = sys.getprofile()
    sys.setprofile(lambda frame, event, arg: None)
    try:
        place_of(package, records, lambda: logger.info("m"))
    finally:
        sys.setprofile(previous)


def test_the_place_of_a_captured_warning(package, records):
    logging.captureWarnings(True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(True)
            place_of(package, records, lambda: warnings.warn("w", stacklevel=1))
    finally:
        logging.captureWarnings(False)


def test_the_file_name_cache_forgets(logger, records):
    for i in range(3000):
        exec(compile("logger.info('m')", f"/made/up/{i}.py", "exec"), {"logger": logger})
    for i, record in enumerate(records()):
        assert (record.pathname, record.filename, record.module) == (
            f"/made/up/{i}.py",
            f"{i}.py",
            str(i),
        )


# ---- loggers with a findCaller() of their own ----


def by_depth(logger, stack_info=False, stacklevel=1):
    frame = sys._getframe(2 + stacklevel)
    return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name, None


def by_module(logger, stack_info=False, stacklevel=1):
    frame = sys._getframe(1)
    while frame.f_globals["__name__"] == "logging":
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name, None


def by_the_standard(logger, stack_info=False, stacklevel=1):
    return logging.Logger.findCaller(logger, stack_info, stacklevel)


def by_names(logger, stack_info=False, stacklevel=1):
    codes = [sys._getframe(depth).f_code for depth in (1, 2)]
    return (
        __file__,
        1,
        str([(code.co_filename, code.co_name, code.co_qualname[-12:]) for code in codes]),
        None,
    )


def with_a_stack(logger, stack_info=False, stacklevel=1):
    return __file__, 1, "f", "the stack"


def of_other_types(logger, stack_info=False, stacklevel=1):
    return pathlib.Path(__file__), "1", None, None


def in_vain(logger, stack_info=False, stacklevel=1):
    raise ValueError("no frame")


FINDERS = [by_depth, by_module, by_the_standard, by_names, with_a_stack, of_other_types, in_vain]
TOLD = ("pathname", "filename", "module", "lineno", "funcName", "stack_info", "msg", "args", "order")


@pytest.fixture(params=FINDERS, ids=lambda finder: finder.__name__)
def finding(request, logger):
    """A logger whose class has a findCaller() of its own."""
    cls = type("Finding", (logging.Logger,), {"findCaller": request.param})
    own = cls("own")
    own.parent = logging.root
    return own


def call_each_way(own):
    try:
        raise KeyError("k")
    except KeyError:
        for call in (
            lambda: own.info("m %s", 1, extra={"order": 5}),
            lambda: own.log(logging.ERROR, "m", stacklevel=2),
            lambda: own.critical("m %s %s", 1, 2, exc_info=True),
            lambda: own.exception("m"),
            lambda: logging.LoggerAdapter(own, {}).warning("m"),
            lambda: own.info("m", stack_info=True),
        ):
            call()


def test_a_findCaller_of_a_subclass_tells_what_it_tells_the_standard_call(finding, package, records):
    package.accelerate_loggers()
    told = []
    for _ in range(2):
        call_each_way(finding)
        told.append(
            [
                ([getattr(record, name, None) for name in TOLD], record.exc_info and record.exc_info[0])
                for record in records()
            ]
        )
        package.restore_loggers()
    assert told[0] == told[1]


@pytest.mark.parametrize("finding", [by_module], indirect=True)
def test_a_logger_with_a_findCaller_of_its_own_is_accelerated(finding, records):
    assert is_quick(lambda: finding.info("m"))
    (record,) = records()
    assert record.funcName == "<lambda>"


def test_what_findCaller_raises_reaches_the_caller(logger, records):
    class Own(logging.Logger):
        def findCaller(self, stack_info=False):
            raise AssertionError

    own = Own("own")
    own.parent = logging.root
    with pytest.raises(TypeError, match="findCaller"):
        own.info("m")
    assert records() == []


@pytest.mark.parametrize("finding", [by_module], indirect=True)
def test_an_extra_field_that_the_standard_refuses(finding, records):
    with pytest.raises(KeyError, match="overwrite"):
        finding.info("m", extra={"name": "n"})
    assert records() == []


@pytest.mark.parametrize("finding", [by_module], indirect=True)
def test_findCaller_is_not_asked_where_logging_is_told_not_to(finding, records, monkeypatch):
    monkeypatch.setattr(logging, "_srcfile", None)
    finding.info("m")
    (record,) = records()
    assert (record.pathname, record.lineno, record.funcName) == ("(unknown file)", 0, "(unknown function)")


@pytest.mark.parametrize("finding", [by_module], indirect=True)
def test_a_factory_finds_the_frames_of_the_standard_call(finding, records):
    found = []

    def factory(*args, **keywords):
        found.append([frame.f_code.co_name for frame, _ in traceback.walk_stack(sys._getframe(1))][:3])
        return logging.LogRecord(*args, **keywords)

    logging.setLogRecordFactory(factory)
    try:
        finding.info("m")
    finally:
        logging.setLogRecordFactory(logging.LogRecord)
    assert found == [["makeRecord", "_log", "info"]]
    assert len(records()) == 1


def test_findCaller_may_change_everything_else(logger, package, records):
    """It runs before the record is made, as in the standard library."""

    class Own(logging.Logger):
        def findCaller(self, stack_info=False, stacklevel=1):
            logging.root.handlers.clear()
            logging.root.addHandler(other)
            return __file__, 1, "f", None

    seen = []
    other = logging.Handler()
    other.emit = seen.append
    handlers = logging.root.handlers[:]
    own = Own("own")
    own.parent = logging.root
    try:
        own.info("m")
        own.info("n")
    finally:
        logging.root.handlers[:] = handlers
    assert [record.msg for record in seen][-1] == "n"
