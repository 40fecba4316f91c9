"""The fixtures of the regression benchmarks: the package with either core, as the tests load it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
import cores


@pytest.fixture(params=cores.SWITCHES)
def lf(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """The package, with the compiled and with the pure core; the loggers are as before afterwards."""
    if request.param not in cores.available():
        pytest.skip(f"no {request.param} core here")
    handlers, level = logging.root.handlers, logging.root.level
    with cores.imported(request.param) as package:
        yield package
        package.restore_loggers()
    logging.root.handlers, logging.root.level = handlers, level
