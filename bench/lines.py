"""Which records have reached the sink, and with which content."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

TEXT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\S* (?:INFO|ERROR) [\w.-]+ (.*)")
UVICORN = re.compile(r"(?:INFO|ERROR): +(.*)")
ACCESS = re.compile(r'.* - "GET (\S+) HTTP/1.1" 200(?: OK)?')
COLOR = re.compile(r"\x1b\[[\d;]*m")
TRACEBACK = ("Traceback (most", "  File ", "    ", "  [Previous", "  bench", "ValueError: bad")


def message(number: int) -> str:
    """Return the message with which all contenders log the record `number`."""
    return f"order {number} of x"


@dataclass
class Found:
    """What a sink has."""

    lost: int = 0  # records that are not there
    other: int = 0  # lines that are no record's, or there a second time
    in_order: bool = True
    example: str = ""  # the first of the other lines

    def __str__(self) -> str:
        told = [f"{self.lost:,} lost"] if self.lost else []
        told += [f"{self.other:,} other lines, as `{self.example[:60]}`"] if self.other else []
        told += [] if self.in_order else ["out of order"]
        return "; ".join(told) or "all"


def text(line: str) -> str | None:
    """Return the message of a line with time, level, logger and message, None if it is none."""
    found = TEXT.fullmatch(COLOR.sub("", line))
    return found and found[1]


def json_line(line: str) -> str | None:
    """Return the message of a line of JSON with a time, a level and a message, by whatever names."""
    try:
        entry = json.loads(line)
        entry = entry.get("record") or entry.get("log") or entry  # loguru, fapilog
        level = entry.get("level") or entry["levelname"]
        if str(level["name"] if isinstance(level, dict) else level).upper() not in ("INFO", "ERROR"):
            return None
        if not {"time", "timestamp", "asctime"} & entry.keys():
            return None
        return entry.get("message") or entry["event"]
    except (ValueError, KeyError, AttributeError):
        return None


def uvicorn(line: str) -> str | None:
    """Return the message of a line that one of uvicorn's formatters made."""
    found = UVICORN.fullmatch(line)
    return found and found[1]


STYLES: dict[str, Callable[[str], str | None]] = {"text": text, "json": json_line, "uvicorn": uvicorn}


def check(path: Path, wanted: Iterable[str], style: str, *, ordered: bool = True) -> Found:
    """Compare the lines of the file with the messages that were logged."""
    path.touch()  # some make it with the first record
    wanted = list(wanted)
    found = []
    other = []
    for line, told in messages(path, STYLES[style]):
        if told is None:
            other.append(line)
        else:
            found.append(told)
    expected, there = Counter(wanted), Counter(found)
    surplus = there - expected
    other += surplus
    return Found(
        lost=sum((expected - there).values()),
        other=len(other) - len(surplus) + sum(surplus.values()),
        in_order=not ordered or found == wanted or there != expected,
        example=other[0] if other else "",
    )


def messages(path: Path, parse: Callable[[str], str | None]) -> Iterator[tuple[str, str | None]]:
    """Yield each line with its message. The lines of a traceback belong to the line before."""
    with open(path, errors="replace") as lines:
        for line in lines:
            line = line.rstrip("\n")
            told = parse(line)
            if told is None and (not line or line.startswith(TRACEBACK)):
                continue
            access = told and ACCESS.fullmatch(told)
            yield line, f"GET {access[1]}" if access else told


def count(path: Path) -> int:
    """Return the number of whole lines; a file that was not made has none."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def settle(path: Path, patience: float = 1.0) -> float:
    """Wait until the file has not grown for `patience` seconds. Return when it last did (perf_counter)."""
    path.touch()
    size, grown = path.stat().st_size, time.perf_counter()
    while time.perf_counter() < grown + patience:
        time.sleep(0.01)
        if path.stat().st_size != size:
            path.touch()
    size, grown = path.stat().st_size, time.perf_counter()
    return grown
