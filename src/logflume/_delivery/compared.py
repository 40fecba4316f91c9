"""Versions of other packages whose output was compared with what is made here: their sources tell which those are."""

from __future__ import annotations

import functools
import sys
from typing import Any


def source_hash(*names: str) -> str:
    """Return the SHA-256, in hexadecimal, of the sources of these modules as imported; "" if one cannot be read."""
    return _hash_of(*[sys.modules.get(name) for name in names])


@functools.cache
def _hash_of(*modules: Any) -> str:
    import hashlib

    content = hashlib.sha256()
    try:
        for module in modules:
            content.update(module.__spec__.loader.get_data(module.__file__))
    except Exception:  # not imported, no file, or another kind of loader
        return ""
    return content.hexdigest()
