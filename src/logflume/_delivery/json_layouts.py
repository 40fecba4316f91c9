"""Layouts: what is the same in the JSON of all records with the same extra fields.

A layout is found by giving a JsonFormatter a record of placeholders. Wherever one of these comes out, the compiled core
writes the value of the record at hand; what stands between them is text. So only the formatter, and the schemas of
json_schemas.py, say which fields there are, under which names and in which order.

What a formatter does may depend on a value itself, as on whether the id of a trace is "0". The kind of a field says
what matters about its value.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import json

# The kinds of extra fields, by what of a value a formatter looks at. But for ANY, a dictionary's items are fields, too.
ANY = 0  # nothing
GIVEN = 1  # whether it is None; the same of its items
IDENTIFIER = 2  # whether it has "/", or stands for none
SETTING = 3  # the whole value, which is one of a few
PATH = 4  # found of an IDENTIFIER: it has "/"

# What each record has, and what its formatting adds.
OWN = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime"}
_OF_EXCEPTIONS = ("exc_info", "exc_text", "stack_info")


class Placeholder:
    """Stands for a value.

    Attributes:
        what: the name of a record's attribute, or of something made of it; or the index of an extra field
        form: what was found of an extra field: ANY or PATH
        before: text that comes before it in the same string, or None
    """

    __slots__ = ("before", "form", "what")

    def __init__(self, what: str | int, form: int = ANY, before: str | None = None) -> None:
        self.what = what
        self.form = form
        self.before = before

    def after(self, text: str) -> Placeholder:
        """Return one for the string that begins with `text`, unless it is a path already."""
        return self if self.form == PATH else Placeholder(self.what, self.form, text)

    def __repr__(self) -> str:
        raise TypeError("a value that is not known yet cannot be a part of text")


class Sample:
    """A record of placeholders."""


class _Created(float):
    """Stands for `created`: a formatter makes a datetime of it."""


def pieces_of(formatter: Any, encoder: json.JSONEncoder, known: dict[str, Any]) -> list[Any]:
    """Return the text of records, and the placeholders in it.

    `known` has a placeholder for each of their extra fields, and the values that they have.
    """
    sample = Sample()
    vars(sample).update({name: Placeholder(name) for name in OWN})
    vars(sample).update({**dict.fromkeys(_OF_EXCEPTIONS), "created": _Created(), **known})
    log_data: dict[Any, Any] = {}
    formatter.add_fields(log_data, sample, {})
    schema = getattr(formatter, "_schema", None)
    if schema is not None:
        log_data = schema.ordered(log_data)
    pieces = [formatter.prefix]
    _add(pieces, encoder, log_data)
    return pieces


def _add(pieces: list[Any], encoder: json.JSONEncoder, value: Any) -> None:
    from datetime import datetime  # which a program without JSON does not need

    if isinstance(value, _Created):
        pieces.append(Placeholder("created"))
    elif isinstance(value, datetime):
        pieces.append(Placeholder("timestamp"))
    elif isinstance(value, Placeholder):
        if value.before is not None:
            pieces.append(encoder.encode(value.before)[:-1])
        pieces.append(value)
        if value.before is not None:
            pieces.append('"')
    elif type(value) is dict:
        before = "{"
        for key, each in value.items():
            if type(key) is not str:
                raise TypeError("a name that is no string")
            pieces.append(before + encoder.encode(key) + encoder.key_separator)
            before = encoder.item_separator
            _add(pieces, encoder, each)
        pieces.append("}" if value else "{}")
    else:
        pieces.append(encoder.encode(value))
