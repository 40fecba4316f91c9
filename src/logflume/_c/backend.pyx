"""The listener's side: from the queue to the bytes.

The files of backend/ are parts of this module: they share its names, which this file and they define in this order.
"""

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.dict cimport PyDict_CheckExact, PyDict_Contains
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.list cimport PyList_CheckExact, PyList_GET_SIZE
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_CheckExact
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF
from cpython.unicode cimport PyUnicode_CheckExact
from libc.math cimport floor, rint
from libc.stdlib cimport calloc, free, realloc  # without the GIL PyMem_RawRealloc fails while tracemalloc stops
from libc.string cimport memchr, memcmp, memcpy, memmove, memset

from logflume._c.interpreter.python cimport (
    HAS_GIL, Py_TYPE, Watch, WatchedObject, assign_type_version, dict_get, instance_dict, is_object_unchanged,
    type_version, watch_object, xdecref,
)
from logflume._c.shared cimport (
    DROPS, Batch, CapturedRecord, by_name, captured_type, log_record, made_of, make_log_records,
    message as captured_message, milliseconds, only_standard, recycle, render,
)

# C variables of these types.
cdef frozenset FILTER, FORMAT, OWN
cdef int COMPOSED, FORMATTED, HANDED_OVER, ONE_BY_ONE
cdef tuple FORMATTERS, HANDLERS, STYLES
cdef type CapturedException, DescriptorSink, FileSink, RotatingFileHandler, TimedRotatingFileHandler, WatchedFileHandler
cdef unsigned char ANY, GIVEN, IDENTIFIER, PATH
cdef bint newlines_are_known
import logging
import os
import re
import string
import sys
import time
import types
from logging.handlers import RotatingFileHandler, TimedRotatingFileHandler, WatchedFileHandler

from logflume._delivery.added_fields import added_fields, status_texts
from logflume._delivery.collected import write_filtered, write_formatted
from logflume._delivery.deliver import Progress, hand_over, one_by_one, write_text
from logflume._delivery.json_formatters import json_formatter_is_unpatched
from logflume._delivery.json_layouts import ANY, GIVEN, IDENTIFIER, OWN, PATH, Placeholder, pieces_of
from logflume._delivery.plan import COMPOSED, FORMAT, FORMATTED, HANDED_OVER, ONE_BY_ONE
from logflume._delivery.sinks import (
    DescriptorSink, FileSink, due, newlines_are_known, room_of, rotates_by_size, sink_of,
)
from logflume._delivery.unpatched import (
    FILTER, FORMATTERS, FORMATTER_METHODS as _FORMATTER_METHODS, HANDLERS, HANDLER_METHODS as _HANDLER_METHODS, STYLES,
    STYLE_METHODS as _STYLE_METHODS, class_is_unpatched as _class_is_unpatched, overridden as _overridden,
)
from logflume._shared.exceptions import CapturedException
from logflume._shared.moved import Guarded

__all__ = ["deliver_batch", "drop_below", "way_of", "write_together"]

include "backend/values.pxi"
include "backend/text.pxi"
include "backend/message.pxi"
include "backend/pattern.pxi"
include "backend/json_layouts.pxi"
include "backend/attributes.pxi"
include "backend/added_fields.pxi"
include "backend/clock.pxi"
include "backend/batch_text.pxi"
include "backend/json_text.pxi"
include "backend/json_pattern.pxi"
include "backend/json.pxi"
include "backend/unpatched.pxi"
include "backend/format.pxi"
include "backend/plan.pxi"
include "backend/line.pxi"
include "backend/deliver.pxi"
include "backend/together.pxi"
