"""Chooses between the compiled and the pure core. Nothing else in the package knows which one runs."""

from __future__ import annotations

import os

__all__ = [
    "IMPLEMENTATION",
    "HandlerCore",
    "ListenerCore",
    "Batch",
    "accelerate",
    "at_level",
    "batching",
    "capture",
    "context_for",
    "deliver_batch",
    "deliver_flow",
    "forget_context",
    "is_accelerated",
    "restore",
    "set_standard_methods",
    "snapshot",
    "take",
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
        # Some are imported by other modules only, which tools that freeze programs cannot see.
        from ._c.backend import format, pattern  # noqa: F401
        from ._c.backend.deliver import at_level, batching, deliver_batch
        from ._c.backend.flow import deliver_flow
        from ._c.batch import ListenerCore, Batch, take
        from ._c.caller import logging_state  # noqa: F401
        from ._c.caller.call import accelerate, is_accelerated, restore
        from ._c.caller.exceptions import capture
        from ._c.caller.handler import HandlerCore, set_standard_methods
        from ._c.context import context_for, forget_context
        from ._c.record import snapshot

        IMPLEMENTATION = "compiled"
    except ImportError as error:
        if _required:
            raise ImportError(
                f"LOGFLUME_REQUIRE_EXTENSIONS is set, but the compiled core cannot be imported: {error}. "
                "Install a wheel for this platform, or build with a C compiler and without "
                "LOGFLUME_NO_EXTENSIONS"
            ) from error
if IMPLEMENTATION == "pure":
    from ._py.batch import ListenerCore, Batch, take
    from ._py.call import accelerate, is_accelerated, restore
    from ._py.context import context_for, forget_context
    from ._py.deliver import at_level, batching, deliver_batch
    from ._py.exceptions import capture
    from ._py.flow import deliver_flow
    from ._py.handler import HandlerCore, set_standard_methods
    from ._py.record import snapshot
