/* An extension whose functions call Python, each through C functions of known names. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <pthread.h>
#include <unistd.h>

#define PLAIN __attribute__((noinline, noclone))
/* Keeps a call from becoming a jump. */
#define STAY __asm__ volatile("" ::: "memory")

static volatile unsigned long work_done;
static int never[2];

PLAIN static void wait_inner(void) {
  char byte;
  while (read(never[0], &byte, 1) != 1) {
  }
  STAY;
}

static PyObject *wait_outer(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  Py_BEGIN_ALLOW_THREADS wait_inner();
  STAY;
  Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

PLAIN static void pause_inner(void) {
  usleep(1000);
  STAY;
}

static PyObject *pause_outer(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  Py_BEGIN_ALLOW_THREADS pause_inner();
  STAY;
  Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

PLAIN static PyObject *call_inner(PyObject *function) {
  PyObject *result = PyObject_CallObject(function, NULL);
  STAY;
  return result;
}

PLAIN static PyObject *call_middle(PyObject *function) {
  PyObject *result = call_inner(function);
  STAY;
  return result;
}

static PyObject *call_outer(PyObject *self, PyObject *function) {
  (void)self;
  PyObject *result = call_middle(function);
  STAY;
  return result;
}

PLAIN static PyObject *second_inner(PyObject *function) {
  PyObject *result = PyObject_CallFunctionObjArgs(function, NULL); /* otherwise than above: the compiler merges equal functions */
  STAY;
  return result;
}

static PyObject *second_outer(PyObject *self, PyObject *function) {
  (void)self;
  PyObject *result = second_inner(function);
  STAY;
  return result;
}

PLAIN static void spin_inner(long count) {
  for (long i = 0; i < count; ++i) {
    work_done += (unsigned long)i;
  }
  STAY;
}

static PyObject *spin_outer(PyObject *self, PyObject *count) {
  (void)self;
  spin_inner(PyLong_AsLong(count));
  STAY;
  Py_RETURN_NONE;
}

/* Otherwise than above, and than each other: the compiler merges equal functions. */
PLAIN static void spend_first(long count) {
  for (long i = 0; i < count; ++i) {
    work_done -= (unsigned long)i;
  }
  STAY;
}

PLAIN static void spend_second(long count) {
  for (long i = 0; i < count; ++i) {
    work_done ^= (unsigned long)i;
  }
  STAY;
}

static PyObject *spend_outer(PyObject *self, PyObject *count) {
  (void)self;
  const long all = PyLong_AsLong(count);
  if (all > 0) {
    spend_first(all);
  } else {
    spend_second(-all);
  }
  STAY;
  Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"wait", wait_outer, METH_NOARGS, NULL},  {"pause", pause_outer, METH_NOARGS, NULL}, {"call", call_outer, METH_O, NULL},
    {"call_too", second_outer, METH_O, NULL}, {"spin", spin_outer, METH_O, NULL},        {"spend", spend_outer, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "native_calls", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_native_calls(void) {
  if (pipe(never) != 0) {
    return NULL;
  }
  return PyModule_Create(&module);
}
