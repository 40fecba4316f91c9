/* Memory that a thread has of its own, as long as it runs Python. It is used without the GIL only. */
/* For one extension module alone: there is one piece of memory for each thread. */
#ifndef LOGFLUME_THREAD_MEMORY_H
#define LOGFLUME_THREAD_MEMORY_H

#include <Python.h>

typedef void (*logflume_release)(void *memory);

#ifdef Py_GIL_DISABLED
#ifdef _MSC_VER
static __declspec(thread) void *logflume_own_memory;
#else
static _Thread_local void *logflume_own_memory;
#endif

/* The end of the thread's state, which has the capsule. What is released may run code. */
static void
logflume_end_memory(PyObject *capsule)
{
    void *memory = PyCapsule_GetPointer(capsule, NULL);
    if (logflume_own_memory == memory) {
        logflume_own_memory = NULL;
    }
    ((logflume_release)(uintptr_t)PyCapsule_GetContext(capsule))(memory);
    PyMem_RawFree(memory);
}

static void *
logflume_begin_memory(size_t size, logflume_release release)
{
    PyObject *capsule, *attributes = PyThreadState_GetDict(); /* borrowed */
    void *memory = attributes == NULL ? NULL : PyMem_RawCalloc(1, size);
    if (memory == NULL) {
        return NULL;
    }
    capsule = PyCapsule_New(memory, NULL, NULL);
    if (capsule == NULL) {
        PyErr_Clear();
        PyMem_RawFree(memory);
        return NULL;
    }
    if (PyCapsule_SetContext(capsule, (void *)(uintptr_t)release) == 0
        && PyDict_SetItem(attributes, capsule, capsule) == 0
        && PyCapsule_SetDestructor(capsule, logflume_end_memory) == 0) {
        logflume_own_memory = memory;
    } else {
        PyErr_Clear();
        PyMem_RawFree(memory);
        memory = NULL;
    }
    Py_DECREF(capsule);
    return memory;
}
#endif

/* So much of it, which was zeroed at first; NULL if there is none. `release` is called with it at the end. */
static inline void *
logflume_thread_memory(size_t size, logflume_release release)
{
#ifdef Py_GIL_DISABLED
    return logflume_own_memory != NULL ? logflume_own_memory : logflume_begin_memory(size, release);
#else
    (void)size; (void)release;
    return NULL;
#endif
}

#endif
