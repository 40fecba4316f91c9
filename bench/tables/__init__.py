"""What is measured about the contenders: a file for each table."""

from __future__ import annotations

from ..table import Column, Plot, Row, Table
from . import call, cpu, kill, memory, service, sink, stall, threads

__all__ = ["ALL", "Column", "Plot", "Row", "Table"]

MODULES = (call, cpu, service, sink, stall, threads, memory, kill)
ALL: dict[str, Table] = {table.name: table for module in MODULES for table in module.TABLES}
