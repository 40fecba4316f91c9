"""The caller's side: from logger.info() to the queue.

The files of caller/ are parts of this module: they share its names, which this file and they define in this order.
"""

cimport cython
from cpython.dict cimport PyDict_CheckExact, PyDict_Copy, PyDict_Size
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.list cimport PyList_CheckExact, PyList_GET_SIZE
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_CheckExact
from cpython.object cimport PyObject, PyObject_GenericSetAttr, PyTypeObject
from cpython.pythread cimport PyThread_get_thread_ident
from cpython.ref cimport Py_DECREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_CheckExact
from libc.string cimport memset

from logflume._c.backend cimport way_of
from logflume._c.interpreter.python cimport (
    HAS_GIL, PyEval_GetFrame, PyMethod_New, PyObject_Vectorcall, PyVectorcall_NARGS, Py_TYPE, Watch, WatchedDict,
    WatchedObject, are_unchanged, assign_type_version, call0, call1, class_dict, decref, dict_get, enable_vectorcall,
    generic_delattr, give_away, hide, incref, instance_dict, is_dict_unchanged, is_immutable_record,
    is_object_unchanged, list_get, load, raise_set_exception, store, try_call1, type_version, vectorcallfunc,
    version_now, watch_dict, watch_object, watch_only, xdecref,
)
from logflume._c.shared cimport (
    ASKS, DROPS, CallSite, CapturedRecord, ListenerCore, by_name, captured_for, captured_type, current_context,
    has_same_items, keep_message, made_of, record_for_call, snapshot, take_back, track_if_needed,
    with_exception,
)

# C variables: while the interpreter shuts down the names in a module become None, and __del__ may still log.
cdef object CapturedException, Full, LogRecord, Mapping, NotSimple, QueueHandler, SimpleQueue
cdef object asks_for_exceptions, captured_chain, formatter_of, get_cache_token, has_standard_filter, has_standard_handle
cdef object json_formatter_is_unpatched, keep_context, leaves_process, logging, needs_no_exception, os, private_copy
cdef object rendered_now, settle_fork, shows_exception, source_globals, string_of_suggested, syntax_error_attributes
cdef object sys, threading, time, types
# C variables of these types.
cdef bint OWN_AT_IMPORT
cdef int COMPOSED, RUNNING
cdef long long MOST_UNREAD
cdef str STR_FAILED
cdef tuple CODES, FUNCTIONS, KEYS, OWNERS, SUGGESTED, VALUES
cdef type HandlerList
import logging
import os
import sys
import threading
import time
import types
from _abc import get_cache_token
from collections.abc import Mapping
from logging import LogRecord
from logging.handlers import QueueHandler
from queue import Full, SimpleQueue
from types import TracebackType

from logflume._delivery.json_formatters import asks_for_exceptions, json_formatter_is_unpatched
from logflume._delivery.plan import COMPOSED
from logflume._delivery.unpatched import formatter_of, needs_no_exception, shows_exception
from logflume._shared.contexts import keep_context
from logflume._shared.exceptions import (
    CODES, FUNCTIONS, KEYS, OWN_AT_IMPORT, OWNERS, STR_FAILED, SUGGESTED, VALUES, CapturedException, NotSimple,
    captured_chain, rendered_now, source_globals, string_of_suggested, syntax_error_attributes,
)
from logflume._shared.fork import settle as settle_fork
from logflume._shared.moved import HandlerList, has_standard_filter, has_standard_handle
from logflume._shared.queues import leaves_process
from logflume._shared.rendered import private_copy
from logflume._shared.state import MOST_UNREAD, RUNNING

cdef object MISSING = object()
cdef dict MODULES = sys.modules
cdef PyTypeObject *record_class = <PyTypeObject *><PyObject *>LogRecord

include "caller/caches.pxi"
include "caller/unpatched.pxi"
include "caller/logging_state.pxi"
include "caller/call_site.pxi"
include "caller/stamp.pxi"
include "caller/exceptions.pxi"
include "caller/moved.pxi"
include "caller/item.pxi"
include "caller/route.pxi"
include "caller/handler.pxi"
include "caller/handle.pxi"
include "caller/call.pxi"
