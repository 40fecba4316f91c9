"""What of Python's objects is read without the GIL: by borrowed references, of values that do not change."""

cdef extern from "Python.h" nogil:
    Py_ssize_t PY_SSIZE_T_MAX
    PyObject *Py_None
    PyObject *Py_True
    PyObject *Py_False
    PyTypeObject *type_of "Py_TYPE"(PyObject *)
    bint is_bool "PyBool_Check"(PyObject *)
    bint is_float "PyFloat_CheckExact"(PyObject *)
    double float_value "PyFloat_AS_DOUBLE"(PyObject *)
    bint is_whole "PyLong_CheckExact"(PyObject *)
    # of exactly an int; it only reads the digits, and raises nothing
    long long whole_number "PyLong_AsLongLongAndOverflow"(PyObject *, int *overflow)
    bint is_string "PyUnicode_CheckExact"(PyObject *)
    unsigned int character_at "PyUnicode_READ"(int kind, void *data, Py_ssize_t index)
    ctypedef struct PyASCIIObject:
        Py_hash_t hash
    bint is_dict "PyDict_Check"(PyObject *)
    bint is_exact_dict "PyDict_CheckExact"(PyObject *)
    bint next_item "PyDict_Next"(PyObject *dictionary, Py_ssize_t *at, PyObject **key, PyObject **value)
    bint is_tuple "PyTuple_CheckExact"(PyObject *)
    Py_ssize_t tuple_size "PyTuple_GET_SIZE"(PyObject *)
    PyObject *tuple_item "PyTuple_GET_ITEM"(PyObject *, Py_ssize_t)
    bint is_list "PyList_CheckExact"(PyObject *)
    # of a list or tuple
    Py_ssize_t sequence_size "PySequence_Fast_GET_SIZE"(PyObject *)
    PyObject *sequence_item "PySequence_Fast_GET_ITEM"(PyObject *, Py_ssize_t)
    PyObject **sequence_items "PySequence_Fast_ITEMS"(PyObject *)

cdef extern from "interpreter/strings.h" nogil:
    bint is_ascii "logflume_is_ascii"(PyObject *)
    int kind_of "logflume_kind"(PyObject *)
    void *data_of "logflume_data"(PyObject *)
    Py_ssize_t length_of "logflume_length"(PyObject *)
