"""Chooses between the compiled and the pure core. Nothing else in the package knows which one runs."""

from __future__ import annotations

import os

__all__ = [
    "IMPLEMENTATION",
    "Batch",
    "HandlerCore",
    "ListenerCore",
    "accelerate",
    "capture",
    "deliver_batch",
    "drop_below",
    "forget_context",
    "is_accelerated",
    "make_log_records",
    "restore",
    "set_unpatched_methods",
    "take",
    "way_of",
    "write_together",
]


def _switched_on(name: str) -> bool:
    return os.environ.get(name, "") not in ("", "0")


_pure = _switched_on("LOGFLUME_NO_EXTENSIONS")
_required = _switched_on("LOGFLUME_REQUIRE_EXTENSIONS")
if _pure and _required:
    raise ImportError(
        "LOGFLUME_NO_EXTENSIONS and LOGFLUME_REQUIRE_EXTENSIONS are both set; unset one of them: "
        "the first asks for the pure core, the second forbids it"
    )

TYPE_CHECKING = False  # type checkers take it for true: to them the pure core stands for both
IMPLEMENTATION = "pure"
if not _pure and not TYPE_CHECKING:
    try:
        from ._c.backend import deliver_batch, drop_below, way_of, write_together
        from ._c.caller import (
            HandlerCore,
            accelerate,
            capture,
            is_accelerated,
            restore,
            set_unpatched_methods,
        )
        from ._c.shared import Batch, ListenerCore, forget_context, make_log_records, take

        IMPLEMENTATION = "compiled"
    except ImportError as error:
        if _required:
            raise ImportError(
                f"LOGFLUME_REQUIRE_EXTENSIONS is set, but the compiled core cannot be imported: {error}. "
                "Install a wheel for this platform, or build with a C compiler and without "
                "LOGFLUME_NO_EXTENSIONS"
            ) from error
if IMPLEMENTATION == "pure":
    from ._py.batch import Batch, ListenerCore, take
    from ._py.call import accelerate, is_accelerated, restore
    from ._py.context import forget_context
    from ._py.deliver import deliver_batch, drop_below, way_of, write_together
    from ._py.exceptions import capture
    from ._py.handler import HandlerCore, set_unpatched_methods
    from ._py.record import make_log_records
