#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "awaitscope/cpython/bytecode.hpp"
#include "awaitscope/cpython/layout_rules.hpp"
#include "awaitscope/model/ids.hpp"
#include "awaitscope/support/error.hpp"

namespace awaitscope {

/// A byte offset in one of the target's structures, or k_absent where its CPython has no such field.
using Offset = std::uint32_t;
inline constexpr Offset k_absent = 0xFFFF'FFFF;

struct PythonVersion {
  int major = 0;
  int minor = 0;
  int patch = 0;
  [[nodiscard]] std::string text() const;
};

/// Where the target's structures keep what awaitscope reads: knowledge of versions as data. Prefixes: rt _PyRuntimeState,
/// is PyInterpreterState, gil _gil_runtime_state, ts PyThreadState, if _PyInterpreterFrame, gen PyGenObject and its kin,
/// co PyCodeObject. Filled by layout_for() from a table of the minor (its headers, Include/internal), then overlaid by the
/// target's own _Py_DebugOffsets where it has them, then validated against the live process: it is untrusted input.
struct Layout { // NOLINT(clang-analyzer-optin.performance.Padding): by what it describes; there is one for a process
  PythonVersion version;
  int table_minor = 0;   ///< whose table it is
  bool presumed = false; ///< a minor newer than every table: only good with its own _Py_DebugOffsets
  bool free_threaded = false;

  Offset ob_type = 8, ob_size = 16, sizeof_object = 16;
  Offset tp_name = 24, tp_basicsize = 32, tp_flags = 168, tp_hash = 120, tp_base = 256, tp_dict = 264;
  Offset tp_dictoffset = 288, tp_bases = 336;
  Offset ht_cached_keys = k_absent;

  Offset rt_size = k_absent, rt_interpreters_head = k_absent, rt_interpreters_main = k_absent;
  Offset rt_gil_holder = k_absent, rt_gil_locked = k_absent; ///< one GIL for the process
  Offset rt_thread_current = k_absent; ///< the thread state that is attached, where there is one for the process

  Offset is_next = k_absent, is_id = k_absent, is_size = k_absent, is_threads_head = k_absent, is_modules = k_absent;
  Offset is_next_thread_id = k_absent;       ///< grows with each new thread state
  std::string_view next_code_version_symbol; ///< of a count for all interpreters, where it is not in each; else empty
  Offset is_next_code_version = k_absent;    ///< func_state.next_version: grows with each new code object
  Offset is_code_generation = k_absent;      ///< _code_object_generation: grows with each code object that dies
  Offset is_gil = k_absent;                  ///< pointer to the interpreter's GIL, where each has its own
  Offset gil_holder = k_absent, gil_locked = k_absent;

  Offset ts_size = k_absent, ts_next = 8, ts_interp = 16, ts_thread_id = k_absent;
  Offset ts_native_id = k_absent; ///< absent: the C library's descriptor of the thread holds it
  Offset ts_attached = k_absent;  ///< whether it is attached, where each thread state says so itself
  Offset ts_dict = k_absent, ts_chunk = k_absent, ts_chunk_top = k_absent;
  Offset ts_context_version = k_absent;                 ///< counts contexts (PEP 567) that the thread enters and leaves
  Offset ts_frame = k_absent;                           ///< current frame, where the thread state holds it
  Offset ts_cframe = k_absent, cframe_frame = k_absent; ///< where a C frame holds it: a _PyCFrame of each evaluation
  Offset cframe_previous = k_absent;
  Offset ts_running_loop = k_absent; ///< asyncio's running loop, where the thread state holds it
  Offset ts_running_task = k_absent, ts_tasks_head = k_absent, is_tasks_head = k_absent; ///< thread_lists
  Offset loop_holder_loop = k_absent; ///< else in ts_dict, behind a holder object where there is one

  // Running a script in the target: PEP 768.
  Offset is_remote_debug = k_absent; ///< PyConfig.remote_debug: whether it is allowed
  Offset ts_eval_breaker = k_absent, ts_debugger_support = k_absent;
  Offset debugger_pending_call = k_absent, debugger_script_path = k_absent; ///< from ts_debugger_support
  Offset debugger_script_path_size = k_absent;                              ///< in bytes, with the NUL

  Offset chunk_previous = 0, chunk_size = 8, chunk_data = 24;

  // The frame of a call: a PyFrameObject before 3.11, a _PyInterpreterFrame since.
  FrameForm frame_form = FrameForm::slots_stacktop;
  Offset if_size = k_absent, if_previous = k_absent, if_code = k_absent, if_owner = k_absent;
  Offset if_instr = k_absent; ///< f_lasti, prev_instr or instr_ptr
  Offset if_stacktop = k_absent, if_localsplus = k_absent;
  Offset if_generator = k_absent;                       ///< f_gen: the coroutine that owns the frame object
  Offset if_valuestack = k_absent, if_state = k_absent; ///< f_valuestack, f_state
  Offset if_tlbc_index = k_absent, co_tlbc = k_absent;  ///< which of co_tlbc's copies of the bytecode it runs
  std::uint8_t lasti_unit = 1;                          ///< bytes that one of f_lasti stands for
  std::uint8_t owner_generator = 1;
  std::uint8_t owner_first_shim = 0xFF; ///< this or more: a frame that only marks an entry from C
  Offset if_is_entry = k_absent;        ///< where there is none: whether the frame itself is the first after one
  const Bytecode *bytecode = nullptr;   ///< what its instructions do
  Address reference_tag = 0;            ///< bits of a _PyStackRef that are no address

  Offset gen_name = k_absent, gen_qualname = k_absent;
  Offset gen_frame = k_absent; ///< the frame itself, or a pointer to the frame object
  Offset gen_state = k_absent; ///< gi_frame_state; absent: the frame object tells
  std::int8_t state_executing = 0;
  std::int8_t state_finished = 1;                                  ///< this or more: the frame is gone
  std::int8_t state_awaiting_first = -1, state_awaiting_last = -1; ///< with resume_oparg: suspended at all
  std::uint8_t awaited_depth = 1; ///< slots from the top of the stack down to the awaited object
  SuspendRule suspend_rule = SuspendRule::frame_state;
  std::array<std::uint8_t, 2> await_opcodes{}; ///< of the instruction that tells, for rules that look at it

  Offset co_filename = 112, co_name = 120, co_qualname = 128, co_linetable = 136, co_firstlineno = k_absent;
  Offset co_bytecode = k_absent; ///< the first instruction, or a pointer to a bytes object with all of them
  Offset co_version = k_absent, co_argcount = k_absent, co_flags = k_absent, co_names = k_absent;
  /// co_argcount, co_posonlyargcount and co_kwonlyargcount, then co_nlocals up to 3.10, lie before it (Include/cpython/code.h).
  [[nodiscard]] Offset co_stacksize() const { return co_argcount + (if_generator != k_absent ? 16 : 12); }
  std::array<std::uint8_t, 4> store_opcodes{}; ///< instructions that set or delete a local variable
  bool stores_packed =
      false; ///< the last two of them store into two, one in each half of the operand, or into the first
  std::array<std::uint8_t, 8> jump_opcodes{}; ///< instructions that may jump backwards; the last one: anywhere
  bool jumps_relative = true;                 ///< by so many instructions; else to that one
  std::uint8_t extended_arg = 144;            ///< EXTENDED_ARG
  Offset co_localsplusnames = 96, co_localspluskinds = 104, co_nlocalsplus = k_absent;
  Offset co_varnames = k_absent,
         co_freevars = k_absent; ///< tuples of names, where there is none of all with their kinds
  CodeIdentity code_identity = CodeIdentity::version;
  LineTable line_table = LineTable::location_table;
  bool has_qualname = true; ///< else co_qualname is co_name's offset

  Offset str_length = 16, str_hash = 24, str_state = 32, str_ascii = k_absent, str_compact = k_absent;
  std::uint8_t str_kind_shift = 2; ///< of the kind in str_state; behind it compact and ascii, one bit each
  Offset bytes_value = 32, long_tag = 16, long_digit = 24;
  bool long_tag_is_size = false; ///< ob_size of before 3.12, a tag word since
  Offset tuple_items = 24, list_items = 24;
  Offset dict_used = 16, dict_keys = 32, dict_values = 40;
  DictKeys keys_form = DictKeys::log_sized;
  Offset keys_size = k_absent; ///< dk_size, with DictKeys::counted
  Offset keys_log2_size = 8, keys_log2_index = 9, keys_kind = 10, keys_nentries = 24, keys_indices = 32;
  Offset dict_values_header = 0; ///< from a split dict's values pointer to the first value
  InstanceDict instance_dict = InstanceDict::inline_after_object;
  Offset managed_dict_before = 24;             ///< from an object back to its dict
  std::uint32_t inline_values_flag = 1U << 2U; ///< Py_TPFLAGS_INLINE_VALUES
  std::uint32_t managed_dict_flag = 1U << 4U;  ///< Py_TPFLAGS_MANAGED_DICT
  Offset set_used = 24, set_mask = 32, set_table = 40;
  Offset deque_leftblock = 24, deque_leftindex = 40;
  Offset weakref_object = 16;

  Offset func_code = 48, func_closure = 72, func_qualname = 40, func_dict = k_absent, func_module = k_absent;
  Offset cell_contents = 16, method_function = 16, method_self = 24;
  Offset wrapper_callable = 16;   ///< of a staticmethod or a classmethod
  Offset property_functions = 16; ///< three pointers
  // functools._lru_cache_wrapper (Modules/_functoolsmodule.c, lru_cache_object). Its dict is where tp_dictoffset says.
  Offset lru_typed = k_absent, lru_cache = k_absent, lru_hits = k_absent, lru_function = k_absent;
  Offset lru_maxsize = k_absent; ///< -1: unbounded
  Offset lru_misses = k_absent;
  Offset cfunction_definition = 16, cfunction_module = 32;
  Offset cfunction_self = 24, module_dict = 16, partial_function = 16, partial_args = 24;

  // _asyncio. Future and Task are laid out around sizeof(Future), which the target's own tp_basicsize tells: fields were
  // added to both within a minor.
  TaskRegistry task_registry = TaskRegistry::module_sets;
  Offset future_loop = 16, future_callback = 24, future_callbacks = 40;
  Offset future_state_before_dict = 16; ///< fut_state, back from the dict that tp_dictoffset of Future names
  Offset future_state_before_end = 8;   ///< or, where there is none, back from sizeof(Future)
  Offset task_waiter_after_future = 0;  ///< task_fut_waiter, from sizeof(Future)
  Offset task_coroutine_after_waiter = 8, task_name_after_waiter = 16, task_node_after_waiter = k_absent;
  Offset task_name = k_absent, task_coroutine = k_absent, task_node = k_absent; ///< where .AsyncioDebug tells them
  Offset wakeup_task = 16;                                                      ///< TaskWakeupMethWrapper.ww_task
  std::array<std::string_view, 2> task_sets{}; ///< attributes of asyncio.tasks that hold every task
};

enum class Build : std::uint8_t { with_gil, free_threaded };

/// The table of a minor, before any overlay; of a newer minor, the newest table, marked as presumed. Fails with no_target
/// for a Python that is not supported.
Result<Layout> layout_for(const PythonVersion &version, Build build);

/// One line: which Pythons can be read.
std::string supported_versions();

/// One line for people, if the layout is presumed; else empty.
std::string presumed_warning(const Layout &layout);

/// The error of a Python whose own tables, or what is behind them, are not as they should be.
Error unknown_layout(const PythonVersion &version);

/// What .AsyncioDebug holds (CPython 3.14+, Modules/_asynciomodule.c, struct _Py_AsyncioModuleDebugOffsets).
inline constexpr std::size_t k_asyncio_debug_words = 13;

/// Overlays it. False if its values make no sense; layout is then unchanged.
bool apply_asyncio_debug(const std::array<std::uint64_t, k_asyncio_debug_words> &table, Layout &layout);

/// Overlays what the target's _Py_DebugOffsets says (CPython 3.13+, Include/internal/pycore_debug_offsets.h).
/// `table` is the raw structure. False if its cookie or its values make no sense; layout is then unchanged.
bool apply_debug_offsets(std::string_view table, Layout &layout);

Build debug_offsets_build(std::string_view table);

/// The version that a _Py_DebugOffsets table was built for; major 0 if it is none.
PythonVersion debug_offsets_version(std::string_view table);

/// Py_Version / PY_VERSION_HEX, 0xMMmmpp.., as a version.
PythonVersion version_from_hex(std::uint64_t hex);

inline constexpr std::size_t k_debug_offsets_size = 1024;

} // namespace awaitscope
