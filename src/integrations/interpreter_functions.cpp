#include "awaitscope/integrations/interpreter_functions.hpp"

#include <algorithm>
#include <array>

namespace awaitscope {
namespace {

/// How the interpreter gets from a call in Python to the function called, and back. Of CPython 3.8 to 3.15: Python/ceval.c,
/// Objects/call.c, methodobject.c, descrobject.c, classobject.c, funcobject.c, genobject.c, typeobject.c (slots that call methods
/// written in Python), Python/pythonrun.c, Modules/main.c, Modules/_threadmodule.c. Beginnings of names.
constexpr std::array<std::string_view, 49> k_beginnings{
    "_PyEval",
    "PyEval_Eval",
    "_TAIL_CALL_",
    "_PyObject_Call",
    "PyObject_Call",
    "_PyObject_Vectorcall",
    "PyObject_Vectorcall",
    "_PyObject_FastCall",
    "_PyObject_MakeTpCall",
    "_PyVectorcall_",
    "PyVectorcall_",
    "_PyFunction_",
    "_PyCFunction_",
    "PyCFunction_Call",
    "_PyMethodDef_",
    "_PyMethodDescr_",
    "_PyStack_",
    "_PyCallMethod",
    "_PyGen_",
    "PyGen_",
    "PyIter_Send",
    "_PyRun_",
    "PyRun_",
    "pyrun_",
    "_PyBuiltins_AddStackRef",
    "_Py_VectorCall",
    "_Py_Call",
    "_Py_BuiltinCall",
    "_Py_CheckFunctionResult",
    "_Py_HandlePending",
    "method_vectorcall",
    "cfunction_",
    "vectorcall_",
    "call_function",
    "call_method",
    "call_attribute",
    "call_unbound",
    "trace_call_function",
    "slot_",
    "wrap_",
    "gen_send_ex",
    "gen_iternext",
    "gen_close",
    "gen_throw",
    "run_eval_code_obj",
    "run_mod",
    "pymain_",
    "py_trampoline_evaluator",
    "eval_frame_handle_pending",
};
constexpr std::array<std::string_view, 27> k_callers{
    "Py_RunMain",
    "Py_BytesMain",
    "Py_Main",
    "main",
    "builtin_exec",
    "builtin_exec_impl",
    "do_call_core",
    "function_code_fastcall",
    "object_vacall",
    "method_call",
    "methoddescr_call",
    "classmethoddescr_call",
    "wrapper_call",
    "wrapperdescr_call",
    "wrapperdescr_raw_call",
    "type_call",
    "type_vectorcall",
    "gen_send",
    "gen_throw",
    "coro_wrapper_send",
    "async_gen_asend_send",
    "async_gen_asend_iternext",
    "thread_run",
    "t_bootstrap",
    "pythread_wrapper",
    "_PyCode_CODE",
    "eval_frame",
};

/// Of the C library, Linux: how programs and threads begin.
constexpr std::array<std::string_view, 9> k_starts{"_start",
                                                   "__libc_start_main",
                                                   "__libc_start_main_impl",
                                                   "__libc_start_call_main",
                                                   "start_thread",
                                                   "__clone",
                                                   "clone",
                                                   "clone3",
                                                   "__clone3"};

template <typename Names> bool has(const Names &names, std::string_view symbol) {
  return std::find(names.begin(), names.end(), symbol) != names.end();
}

} // namespace

NativeRole native_role(std::string_view symbol, NativeLibrary library) {
  if (has(k_starts, symbol)) {
    return NativeRole::start;
  }
  if (library == NativeLibrary::other) {
    return NativeRole::code;
  }
  if (symbol == "_PyEval_EvalFrameDefault") {
    return NativeRole::evaluation;
  }
  const bool calls = symbol.empty() || has(k_callers, symbol) ||
                     std::any_of(k_beginnings.begin(), k_beginnings.end(),
                                 [&](std::string_view beginning) { return symbol.starts_with(beginning); });
  return calls ? NativeRole::interpreter : NativeRole::code;
}

} // namespace awaitscope
