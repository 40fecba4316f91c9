"""CPU time and memory of the process."""

from __future__ import annotations

import resource


def cpu() -> float:
    """Return the seconds of CPU that all threads of the process have used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident() -> int:
    """Return the bytes of memory that the process has now (Linux)."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()
