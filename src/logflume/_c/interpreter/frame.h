/* Where the running Python code is, without a frame object, which takes as long to make as a fifth of a log call. */
#ifndef LOGFLUME_FRAME_H
#define LOGFLUME_FRAME_H

#include <Python.h>

#if PY_VERSION_HEX < 0x030C0000
#define Py_BUILD_CORE 1
#include "internal/pycore_frame.h"
#undef Py_BUILD_CORE
#endif

/* A new reference to the code that the running Python frame executes, and the offset of its current instruction;
   NULL without an exception if there is no frame. */
static inline PyObject *
logflume_running_code(int *lasti)
{
#if PY_VERSION_HEX >= 0x030C0000
    /* 3.12 and later: PyUnstable_InterpreterFrame_*(), and the place of the current frame in the thread's state. */
#if PY_VERSION_HEX >= 0x030D0000
    struct _PyInterpreterFrame *frame = PyThreadState_GetUnchecked()->current_frame;
#else
    struct _PyInterpreterFrame *frame = PyThreadState_Get()->cframe->current_frame;
#endif
    if (frame == NULL) {
        return NULL;
    }
    PyObject *code = (PyObject *)PyUnstable_InterpreterFrame_GetCode(frame);
    if (code == NULL || !PyCode_Check(code)) {
        Py_XDECREF(code);
        return NULL;
    }
    *lasti = PyUnstable_InterpreterFrame_GetLasti(frame);
    return code;
#else
    /* 3.11: the internal frame itself. */
    _PyInterpreterFrame *frame = PyThreadState_Get()->cframe->current_frame;
    while (frame != NULL && _PyFrame_IsIncomplete(frame)) {
        frame = frame->previous;
    }
    if (frame == NULL) {
        return NULL;
    }
    *lasti = _PyInterpreterFrame_LASTI(frame) * (int)sizeof(_Py_CODEUNIT);
    return Py_NewRef((PyObject *)frame->f_code);
#endif
}

#endif
