"""Benchmarks of logflume and of what else people log with: `make bench`, or `python -m bench --help`.

A measurement is one row of one table, made in a process of its own. What is where, in the order of a run:

- `__main__.py`: the command line.
- `runner.py`: runs the rows of a table in turn, round after round, and takes the medians.
- `tables/`: one file for each table: its rows, its columns, and how a row is measured.
- `child.py`: the process of one row.
- `contenders/`: one file for each package: how it is set up, and how a call of it is written.
- `ways.py`: how handlers of the standard library are run: attached, or behind one of the queues.
- `configurations.py`: the handlers, formatters and filters that services have.
- `load.py`, `usage.py`: the loops that log; CPU time and memory.
- `lines.py`: which records have reached the sink, and with which content.
- `service/`: the FastAPI service and its clients.
- `results.py`, `machine.py`: what was found, as JSON, and on what.
- `pythons.py`: the Pythons that measure, where one cannot measure all.
- `markdown.py`, `plots.py`, `summary.py`, `pages.py`: the results for readers.

To add a package, write a file in `contenders/` and name it in `contenders/__init__.py`; every table has it then. A
table is added likewise. A configuration is an entry in `configurations.py`. The packages are in the dependency group
`bench-rivals` of `pyproject.toml`; one that is not installed is shown as not available.

`regression/` is apart: benchmarks for pytest-benchmark, which compares two versions of logflume.
"""
