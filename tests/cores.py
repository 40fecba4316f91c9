"""Loads logflume with either core, so that one test process can try both."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
from collections.abc import Iterator
from types import ModuleType
from unittest import mock

SWITCHES = {
    "pure": {"LOGFLUME_NO_EXTENSIONS": "1", "LOGFLUME_REQUIRE_EXTENSIONS": ""},
    "compiled": {"LOGFLUME_NO_EXTENSIONS": "", "LOGFLUME_REQUIRE_EXTENSIONS": "1"},
}
# Python 3.13.4 and 3.13.5 ignore what a thread logs while it handles a record in Logger.handle().
IGNORES_NESTED = hasattr(logging.Logger, "_is_disabled")
HAS_GIL: bool = getattr(sys, "_is_gil_enabled", lambda: True)()
_loaded: dict[str, dict[str, ModuleType]] = {}


def _package_modules() -> dict[str, ModuleType]:
    return {name: module for name, module in sys.modules.items() if name.split(".")[0] == "logflume"}


def load(core: str) -> dict[str, ModuleType]:
    """Return the package's modules, imported with `core`; an ImportError if it is not there."""
    if core not in _loaded:
        others = _package_modules()
        if "logflume" in others and core == others["logflume"].IMPLEMENTATION:
            _loaded[core] = others
            return others
        for name in others:
            del sys.modules[name]
        try:
            with mock.patch.dict(os.environ, SWITCHES[core]):
                importlib.import_module("logflume")
            _loaded[core] = _package_modules()
        finally:
            for name in _package_modules():
                del sys.modules[name]
            sys.modules.update(others)
    return _loaded[core]


@contextlib.contextmanager
def imported(core: str) -> Iterator[ModuleType]:
    """Have `import logflume` give the package with `core`, and subprocesses run with it."""
    modules = load(core)
    others = _package_modules()
    if others.get("logflume") is modules["logflume"]:
        modules.update(others)  # what was imported since
        others = modules
    for name in others:
        del sys.modules[name]
    sys.modules.update(modules)
    try:
        with mock.patch.dict(os.environ, SWITCHES[core]):
            yield modules["logflume"]
    finally:
        modules.update(_package_modules())  # some are imported late
        for name in _package_modules():
            del sys.modules[name]
        sys.modules.update(others)


def available() -> list[str]:
    """Return the cores that this run tests: a missing extension in a run that requires it is an error."""
    if os.environ.get("LOGFLUME_NO_EXTENSIONS", "") not in ("", "0"):
        return ["pure"]
    if os.environ.get("LOGFLUME_REQUIRE_EXTENSIONS", "") not in ("", "0"):
        return ["compiled", "pure"]
    try:
        load("compiled")
    except ImportError:
        return ["pure"]
    return ["compiled", "pure"]
