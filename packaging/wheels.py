"""Builds what a release has, audits it and runs it, as far as one Linux machine can: wheels.py FOLDER [PART ...]

Prints a table. The exit code is 1 if something failed; what this machine cannot do is in the table, with the reason.
"""

from __future__ import annotations

import platform
import shutil
import sys
import time
from pathlib import Path

from machine import Failed, NotRun
from parts import PARTS, Row, Workshop

HEADINGS: tuple[str, ...] = ("part", "file", "size", "audit", "ran on", "result", "seconds")


def main(folder: str, *names: str) -> int:
    unknown = set(names) - set(PARTS)
    if unknown:
        sys.exit(f"wheels: no part is named {' or '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        sys.exit(f"wheels: needs Linux on x86_64, and this is {sys.platform} on {platform.machine()}")
    shop = Workshop(Path(folder).resolve())
    shutil.rmtree(shop.folder, ignore_errors=True)
    shop.folder.mkdir(parents=True)
    table = [HEADINGS]
    failed = False
    for name in names or PARTS:
        print(f"{name} ...", flush=True)
        row, begin = Row(name), time.monotonic()
        try:
            PARTS[name](shop, row)
        except NotRun as reason:
            row.result = f"not run: {reason}"
        except Exception as error:
            failed = True
            row.result = f"FAILED: {error if isinstance(error, Failed) else repr(error)}"
        table.append(line(row, round(time.monotonic() - begin)))
    print_table(table)
    return failed


def line(row: Row, seconds: int) -> tuple[str, ...]:
    file, size = ("", "") if row.file is None else (row.file.name, f"{row.file.stat().st_size:,}")
    return (row.part, file, size, row.audited, row.ran, row.result, str(seconds))


def print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
