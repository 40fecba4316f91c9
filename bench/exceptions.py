"""What an exception costs the log call, captured or rendered there, and what its text costs the listener later.

    python bench/exceptions.py

The yardstick is the standard QueueHandler.prepare() of a record with the same exception. The rounds alternate, and the
best of each contender counts.
"""

from __future__ import annotations

import gc
import logging
import logging.handlers
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import cores

ROUNDS = 15
SHARE = 0.004  # seconds for each contender in a round
DEPTHS = (1, 3, 20, 60)


def odd(depth: int, fail: Callable[[], object]) -> object:
    return even(depth - 1, fail) if depth > 1 else fail()


def even(depth: int, fail: Callable[[], object]) -> object:
    return odd(depth - 1, fail) if depth > 1 else fail()


def plain() -> None:
    raise ValueError("bench", 5)


def caused() -> None:
    try:
        odd(3, plain)
    except ValueError as error:
        raise RuntimeError("outer") from error


def attribute() -> None:
    logging.getLogger().inof("bench")  # type: ignore[attr-defined]


def name() -> None:
    bnech()  # type: ignore[name-defined] # noqa: F821


def grouped() -> None:
    errors = [raised(3, plain)[1] for _ in range(5)]
    raise ExceptionGroup("group", errors)


def raised(depth: int, fail: Callable[[], object]) -> Any:
    """Return an exc_info with `depth` entries in its traceback, this one included."""
    try:
        if depth == 1:
            raise ValueError("bench", 5)
        odd(depth - 2, fail) if depth > 2 else fail()
    except Exception:
        return sys.exc_info()


def measure(contenders: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return microseconds a call for each contender."""
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(ROUNDS):
        for name, function in contenders.items():
            before = time.perf_counter()
            count = 0
            while (elapsed := time.perf_counter() - before) < SHARE:
                for _ in range(5):
                    function()
                count += 5
            best[name] = min(best[name], elapsed / count * 1e6)
    return best


def main() -> None:
    captures = {}
    for core in cores.available():
        captures[core] = cores.load(core)["logflume._backend"].capture
    prepare = logging.handlers.QueueHandler(None).prepare  # type: ignore[arg-type]
    format_exception = logging.Formatter().formatException
    print(f"Python {sys.version.split()[0]}, microseconds, best of {ROUNDS} rounds\n")
    heads = ["prepare()", *(f"{core}" for core in captures), "x less", "formatException()", "text()"]
    print(f"{'':24}" + "".join(f"{head:>18}" for head in heads))
    cases = [(f"{depth} entries", raised(depth, plain)) for depth in DEPTHS]
    cases += [(f"20, {fail.__name__}", raised(20, fail)) for fail in (caused, grouped, attribute, name)]
    gc.disable()
    for title, exc_info in cases:

        def standard(exc_info: Any = exc_info) -> object:
            return prepare(logging.LogRecord("a", 40, "app.py", 7, "hello", (), exc_info))

        contenders: dict[str, Callable[[], object]] = {"prepare()": standard}
        for core, capture in captures.items():
            contenders[core] = lambda capture=capture, exc_info=exc_info: capture(exc_info)  # type: ignore[misc]
        contenders["formatException()"] = lambda exc_info=exc_info: format_exception(exc_info)  # type: ignore[misc]
        first = next(iter(captures.values()))
        contenders["both"] = lambda capture=first, exc_info=exc_info: capture(exc_info).text()  # type: ignore[misc]
        if first(exc_info).text() != format_exception(exc_info):
            raise SystemExit(f"{title}: the texts differ")
        times = measure(contenders)
        numbers = [times["prepare()"], *(times[core] for core in captures)]
        numbers.append(times["prepare()"] / times[next(iter(captures))])
        numbers += [times["formatException()"], times["both"] - times[next(iter(captures))]]
        print(f"{title:24}" + "".join(f"{number:18.2f}" for number in numbers))


if __name__ == "__main__":
    main()
