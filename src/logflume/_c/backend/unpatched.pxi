"""Quick answers to what _delivery.unpatched tells, which is asked for each batch."""

cdef tuple HANDLER_METHODS = tuple(_HANDLER_METHODS)
cdef tuple FORMATTER_METHODS = tuple(_FORMATTER_METHODS)
cdef tuple STYLE_METHODS = tuple(_STYLE_METHODS)

cdef dict versions = {}  # a class, and its version tag when it was last found to be unpatched
# By the class: its version tag, and what overridden() said then.
cdef dict handler_classes = {}
cdef dict formatter_classes = {}
cdef Py_ssize_t MOST_CLASSES = 64


cdef bint class_is_unpatched(type cls) except -1:
    """Whether `cls` and its bases are as the standard library made them."""
    # Read first, so that a change while the class is examined counts at the next call.
    cdef unsigned int version = assign_type_version(<PyTypeObject *>cls)
    if version != 0 and versions.get(cls) == version:
        return True
    if not _class_is_unpatched(cls):
        return False
    versions[cls] = version
    return True


cdef object overridden(type cls, tuple bases, dict known_classes):
    """Return what `cls` overrides of the one of `bases` that it is derived from; None if that is none, or patched."""
    cdef unsigned int version = assign_type_version(<PyTypeObject *>cls)  # read first, as above
    cdef object known = known_classes.get(cls)
    cdef object names
    if known is not None and version != 0 and (<tuple>known)[0] == version:
        return (<tuple>known)[1]
    names = _overridden(cls, bases)
    if len(known_classes) >= MOST_CLASSES:
        known_classes.clear()
    known_classes[cls] = (version, names)
    return names


cdef bint formatter_is_unpatched(object formatter) except -1:
    cdef object own, style, names = overridden(type(formatter), FORMATTERS, formatter_classes)
    if names is None or len(<frozenset>names) > 0:
        return False
    own = instance_dict(formatter)
    style = dict_get(own, "_style", None)
    return (
        is_one_of(type(style), STYLES)
        and class_is_unpatched(type(style))
        and not has_any(own, FORMATTER_METHODS)
        and not has_any(instance_dict(style), STYLE_METHODS)
    )


cdef object overridden_by(object handler, bint asked):
    cdef object own, filters, names = overridden(type(handler), HANDLERS, handler_classes)
    if names is None:
        return None
    own = instance_dict(handler)
    filters = dict_get(own, "filters", None)
    if not (
        PyList_CheckExact(filters)
        and (asked or PyList_GET_SIZE(filters) == 0 or only_standard(filters))
        and dict_get(own, "lock", None) is not None
    ):
        return None
    for name in HANDLER_METHODS:
        if PyDict_Contains(own, name) and type(dict_get(own, name, None)) is not Guarded:
            names = names | {name}
    return names - FILTER if asked and len(<frozenset>names) > 0 else names


cdef bint is_one_of(type cls, tuple classes):
    for known in classes:
        if cls is known:
            return True
    return False


cdef bint has_any(object attributes, tuple names) except -1:
    for name in names:
        if PyDict_Contains(attributes, name):
            return True
    return False
