"""Records whose message was rendered by the caller, because an argument could change before it is written."""

from __future__ import annotations

import copy
import functools
import logging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def rendered_copy(record: logging.LogRecord) -> logging.LogRecord:
    """Return a copy of `record` that keeps its message of now; `record` itself if rendering or copying fails."""
    try:
        text = record.getMessage()
        new: Any = object.__new__(_rendered_class(type(record)))  # type: ignore[arg-type]
    except Exception:
        return record
    new.__dict__.update(record.__dict__)
    new._rendered = (text, record.msg, record.args)
    return new  # type: ignore[no-any-return]


@functools.cache
def _rendered_class(cls: type[logging.LogRecord]) -> type[logging.LogRecord]:
    class Rendered(cls):  # type: ignore[misc, valid-type]
        __slots__ = ("_rendered",)
        __class__ = property(lambda self: cls)  # what pickle goes by

        def getMessage(self) -> str:
            text, msg, args = self._rendered
            if self.msg is msg and self.args is args:
                return text  # type: ignore[no-any-return]
            return cls.getMessage(self)

        def __copy__(self) -> logging.LogRecord:
            new = object.__new__(type(self))
            new.__dict__.update(self.__dict__)
            new._rendered = self._rendered
            return new

        def __deepcopy__(self, memo: dict[int, Any]) -> logging.LogRecord:
            return copy.deepcopy(self._unrendered(), memo)

        def __reduce_ex__(self, protocol: Any) -> Any:
            return self._unrendered().__reduce_ex__(protocol)

        def _unrendered(self) -> logging.LogRecord:
            new = object.__new__(cls)
            new.__dict__.update(self.__dict__)
            return new

    Rendered.__name__ = cls.__name__
    Rendered.__qualname__ = cls.__qualname__
    Rendered.__module__ = cls.__module__
    Rendered.__doc__ = cls.__doc__
    return Rendered
