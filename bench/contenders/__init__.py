"""What is measured: a file for each package, each with a list CONTENDERS."""

from __future__ import annotations

from . import aiologger, fapilog, logbook, loguru, logust, logxide, nothing, picologging, standard, structlog
from .contender import Contender

MODULES = (nothing, standard, picologging, loguru, logust, structlog, logxide, fapilog, logbook, aiologger)
ALL: dict[str, Contender] = {contender.label: contender for module in MODULES for contender in module.CONTENDERS}
