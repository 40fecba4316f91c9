"""Outputs of handlers: two that write to the same one take turns, record by record."""

from __future__ import annotations

import logging
import os
from typing import Any


def share_an_output(handlers: tuple[logging.Handler, ...]) -> bool:
    """Return whether two of `handlers` write to the same stream or file, where each record's lines stay together."""
    owns = [vars(handler) for handler in handlers if isinstance(handler, logging.StreamHandler)]
    files = [own["baseFilename"] for own in owns if "baseFilename" in own]
    streams = [own.get("stream") for own in owns if "baseFilename" not in own]
    outputs: list[object] = [*files, *(map(_file_behind, streams) if len(streams) > 1 else ())]
    return len(set(outputs)) < len(outputs)


def _file_behind(stream: Any) -> object:
    """Return what is the same for streams over one file, as stdout and stderr are in a terminal."""
    try:
        status = os.fstat(stream.fileno())
    except Exception:  # it is in memory, or closed
        return id(stream)
    return status.st_dev, status.st_ino
