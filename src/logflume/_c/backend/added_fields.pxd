"""The fields that a formatter of _delivery/added_fields.py adds to a record's attributes."""

from logflume._c.backend.format cimport Composer


cdef inline dict with_added(
    Composer composer, object levelname, object levelno, object args, dict attributes
):
    """Return a dictionary of the attributes, or of `extra`, and of what the formatter adds to them."""
    cdef dict added = composer.adder(composer.formatter, levelname, levelno, args, attributes)
    if not attributes:
        return added
    cdef dict values = attributes.copy()
    values.update(added)
    return values
