"""What both sides use: the records, the batches, and what goes through the queue.

The files of shared/ are parts of this module: they share its names, which this file and they define in this order.
"""

cimport cython
from cpython.bool cimport PyBool_Check
from cpython.bytearray cimport PyByteArray_CheckExact
from cpython.dict cimport PyDict_CheckExact, PyDict_Copy, PyDict_DelItem, PyDict_Next, PyDict_SetItem, PyDict_Update
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.list cimport PyList_CheckExact, PyList_GET_SIZE, PyList_GetSlice
from cpython.long cimport PyLong_CheckExact
from cpython.object cimport PyObject, PyObject_GenericSetAttr, PyTypeObject
from cpython.pythread cimport PyThread_get_thread_ident
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_CheckExact, PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_New
from cpython.unicode cimport (
    PyUnicode_CheckExact, PyUnicode_Format, PyUnicode_GET_LENGTH, PyUnicode_READ_CHAR, PyUnicode_Tailmatch,
)
from libc.string cimport memcpy

from logflume._c.interpreter.python cimport (
    HAS_GIL, PyList_GET_ITEM, PyList_SET_ITEM, PyList_SetSlice, PyObject_GC_IsTracked, PyObject_GC_Track,
    PyObject_GC_UnTrack, Py_TYPE, assign_type_version, call0, decref, dict_get, has_references, has_weak_references,
    instance_dict, is_immutable_value, list_get, load, new_object, reference_to_give, store, type_version,
)

# C variables: while the interpreter shuts down the names in a module become None, and __del__ may still log.
cdef object Empty, LogRecord, RenderedMessage, SimpleQueue, class_is_unpatched, copy, copy_context, get_ident
cdef object handled_contexts, is_worth_carrying, keep_rendered, kept_deeply, kept_event_of_structlog, known_copies
cdef object logging, remember
cdef object rendered_copy, rendered_message, set_exception, take_context
cdef dict kept_contexts
import _thread
import logging
import sys
from contextvars import copy_context
from copy import copy
from logging import LogRecord
from logging.handlers import QueueListener
from queue import Empty, SimpleQueue
from threading import get_ident

from logflume._delivery.unpatched import class_is_unpatched
from logflume._shared.contexts import handled_contexts, is_worth_carrying, kept_contexts, take_context
from logflume._shared.exceptions import CapturedException
from logflume._shared.kept import kept as kept_deeply, kept_event as kept_event_of_structlog
from logflume._shared.rendered import (
    RenderedMessage, keep_message as keep_rendered, known_copies, remember, rendered_copy, rendered_message,
    set_exception,
)
from logflume._shared.state import FlushRequest

cdef extern from "Python.h":
    Py_ssize_t PY_SSIZE_T_MAX

include "shared/kept.pxi"
include "shared/filters.pxi"
include "shared/context.pxi"
include "shared/record.pxi"
include "shared/reuse.pxi"
include "shared/snapshot.pxi"
include "shared/batch.pxi"
