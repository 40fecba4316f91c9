"""The command line: python -m bench [TABLE ...] [--quick] [--docs]"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from . import machine, markdown, pages, pythons, runner, tables
from .results import Results
from .table import Options


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure logflume and what else people log with. The tables: "
        + "; ".join(f"{name} ({table.title.lower()})" for name, table in tables.ALL.items()),
    )
    parser.add_argument("tables", nargs="*", metavar="TABLE", help="which to measure (default: all)")
    parser.add_argument("--quick", action="store_true", help="one round with a quarter of the records")
    parser.add_argument("--rounds", type=int, help="rounds of each table (default: two or three)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows with this in their labels")
    parser.add_argument(
        "--python",
        action="append",
        dest="others",
        metavar="PATH",
        default=os.environ.get("BENCH_PYTHONS", "").split(),
        help="another Python with logflume and rivals: it measures what this one does not have, and, if it is "
        "free-threaded, threads without the GIL",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="keep the results there, beside those of other tables"
    )
    parser.add_argument("--docs", action="store_true", help="write tables, plots and results into docs/")
    parser.add_argument("--render", action="store_true", help="measure nothing: show what was kept")
    args = parser.parse_args()
    if unknown := set(args.tables) - tables.ALL.keys():
        parser.error(f"no such table: {', '.join(sorted(unknown))}; there are {', '.join(tables.ALL)}")
    if args.docs:
        args.json = args.json or pages.DATA
    if args.render and not args.json:
        parser.error("--render needs --json or --docs")

    stored = Results.load(args.json) if args.json and args.json.exists() else None
    options = Options(0.25 if args.quick else 1.0, pythons.measuring(args.others))
    results = stored if stored and args.render else Results(machine.environment(options.pythons))
    results.tables = stored.tables if stored else {}
    rounds = args.rounds or (1 if args.quick else None)
    print(machine.sentence(results.environment), flush=True)
    for name in args.tables or tables.ALL:
        if not args.render:
            measured = runner.run(tables.ALL[name], options, sys.argv[1:], rounds, args.only)
            if not measured.rows:
                print(f"\n{name}: no rows; `--help` tells about --python and --only", flush=True)
                continue
            results.tables[name] = measured
            if args.json:
                results.save(args.json)
        if name in results.tables:
            show(results, name)
    if args.docs:
        pages.write(results)


def show(results: Results, name: str) -> None:
    table, result = tables.ALL[name], results.tables[name]
    parts = [f"\n## {table.title}", table.about, markdown.render(table, result), markdown.made(result)]
    print("\n\n".join(parts), flush=True)


if __name__ == "__main__":
    main()
