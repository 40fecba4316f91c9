"""What a subclass of a standard handler or formatter overrides.

A subclass that overrides nothing that matters takes the way of its base. What it adds under names of its own is not
called by the standard functions.
"""

from __future__ import annotations

import types
from typing import Any

# Read when records are written, so that another value is no override; one that is computed at each look is.
DATA = frozenset("terminator namer rotator converter default_time_format default_msec_format".split())
# Called on the instance, by this package or by a standard method, or not while records are handled.
CALLED_ANYWAY = frozenset(
    "addFilter removeFilter setLevel setFormatter setStream get_name set_name name close handleError _open "
    "doRollover computeRollover getFilesToDelete rotate rotation_filename".split()
)
# Attributes that instances have: a class can hide them, by a property say.
ATTRIBUTES = frozenset(
    "filters level formatter lock stream baseFilename mode encoding errors delay _builtin_open maxBytes "
    "backupCount rolloverAt dev ino _style _fmt datefmt".split()
)
# Special methods that change what an attribute is, or whether a handler has a formatter.
SPECIAL = frozenset("__getattribute__ __getattr__ __setattr__ __delattr__ __class__ __bool__ __len__".split())


def base_among(cls: type, classes: tuple[type, ...]) -> type | None:
    """Return the first base of `cls`, or itself, that is one of `classes`; None if there is none."""
    return next((base for base in cls.__mro__ if base in classes), None)


def overrides(cls: type, base: type) -> frozenset[str]:
    """Return the names that instances of `cls` resolve otherwise than those of `base`, where that may matter."""
    names: set[str] = set()
    for other in cls.__mro__ if cls is not base else ():
        if other not in base.__mro__:
            names.update(vars(other))
    return frozenset(name for name in names if _matters(cls, base, name))


def _matters(cls: type, base: type, name: str) -> bool:
    now, before = _look_up(cls, name), _look_up(base, name)
    if now is before or name in CALLED_ANYWAY:
        return False
    if name.startswith("__") and name.endswith("__"):
        own_dict = name == "__dict__" and not isinstance(now, types.GetSetDescriptorType)
        return name in SPECIAL or own_dict
    if name in DATA:
        is_method = isinstance(now, (types.FunctionType, staticmethod, classmethod))
        return hasattr(type(now), "__get__") and not is_method
    return before is not None or name in ATTRIBUTES


def _look_up(cls: type, name: str) -> Any:
    """Return what the classes have for `name`, as it is there; None if nothing."""
    return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
