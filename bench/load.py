"""The loops that log. A contender's call is a statement, compiled into the loop: no wrapper is measured with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

Loop = Callable[[int, int], Any]  # from which number, below which

TIMED = """
{kind} loop(first, last):
    for i in range(first, last):
        before = clock()
        {statement}
        took(clock() - before)
"""
UNTIMED = """
{kind} loop(first, last):
    for i in range(first, last):
        {statement}
"""
IN_EXCEPT = """
{kind} loop(first, last):
    try:
        fail(20)
    except ValueError:
        for i in range(first, last):
            before = clock()
            {statement}
            took(clock() - before)
"""


def compile_loop(
    statement: str,
    names: dict[str, Any],
    template: str = UNTIMED,
    *,
    took: Callable[[int], None] = lambda nanoseconds: None,
    kind: str = "async def",
) -> Loop:
    """Return the function that runs `statement` for each number `i`, in the namespace `names`.

    `took` is called with the nanoseconds of each call, by the templates TIMED and IN_EXCEPT.
    """
    namespace = {**names, "clock": perf_counter_ns, "took": took, "fail": fail}
    exec(template.format(kind=kind, statement=statement), namespace)
    return namespace["loop"]


async def bursts(loop: Loop, first: int, count: int, size: int = 10, pause: float = 0.001) -> int:
    """Log `count` records in bursts, with a pause (seconds) after each. Return the next number."""
    for start in range(first, first + count, size):
        await loop(start, min(start + size, first + count))
        await asyncio.sleep(pause)
    return first + count


def fail(depth: int) -> None:
    """Raise a ValueError, `depth` frames below."""
    if depth > 1:
        fail(depth - 1)
    else:
        raise ValueError("bad")
