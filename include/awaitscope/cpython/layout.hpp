#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

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

/// How a suspended coroutine says that it awaits something.
enum class SuspendRule : std::uint8_t {
  resume_oparg, ///< the next instruction is RESUME with oparg & 3 >= 2 (after YIELD FROM or AWAIT)
  frame_state,  ///< gi_frame_state == FRAME_SUSPENDED_YIELD_FROM
};

/// Where an instance keeps its attributes.
enum class InstanceDict : std::uint8_t {
  values_before,       ///< values pointer at -32, dict at -24 (3.11)
  tagged_before,       ///< one word at -24: odd is values - 1, even is a dict (3.12)
  inline_after_object, ///< dict at -24, inline values behind tp_basicsize (3.13)
};

/// What tells a code object from another one that took its address.
enum class CodeIdentity : std::uint8_t {
  version,   ///< co_version differs at each reuse
  name_hash, ///< pointers can all be equal: the hash of the name string decides
};

/// Where the target's structures keep what awaitscope reads: knowledge of versions as data. Prefixes: rt _PyRuntimeState,
/// is PyInterpreterState, gil _gil_runtime_state, ts PyThreadState, if _PyInterpreterFrame, gen PyGenObject and its kin,
/// co PyCodeObject. Filled by layout_for() from a table of the minor (its headers, Include/internal), then overlaid by the
/// target's own _Py_DebugOffsets where it has them, then validated against the live process: it is untrusted input.
struct Layout {
  PythonVersion version;

  Offset ob_type = 8, ob_size = 16, sizeof_object = 16;
  Offset tp_name = 24, tp_basicsize = 32, tp_flags = 168, tp_dictoffset = 288, tp_base = 256;
  Offset ht_cached_keys = k_absent;

  Offset rt_size = k_absent, rt_interpreters_head = k_absent, rt_interpreters_main = k_absent;
  Offset rt_gil_holder = k_absent, rt_gil_locked = k_absent; ///< one GIL for the process

  Offset is_next = k_absent, is_id = k_absent, is_size = k_absent, is_threads_head = k_absent, is_modules = k_absent;
  Offset is_next_code_version = k_absent; ///< func_state.next_version: grows with each new code object
  Offset is_gil = k_absent;               ///< pointer to the interpreter's GIL, where each has its own
  Offset gil_holder = k_absent, gil_locked = k_absent;

  Offset ts_size = k_absent, ts_next = 8, ts_interp = 16, ts_thread_id = k_absent, ts_native_id = k_absent;
  Offset ts_dict = k_absent, ts_chunk = k_absent, ts_chunk_top = k_absent;
  Offset ts_frame = k_absent;                           ///< current frame, where the thread state holds it
  Offset ts_cframe = k_absent, cframe_frame = k_absent; ///< where a C frame holds it
  Offset ts_running_loop = k_absent;                    ///< asyncio's running loop, where the thread state holds it
  Offset loop_holder_loop = k_absent;                   ///< else in ts_dict, behind a holder object where there is one

  Offset chunk_previous = 0, chunk_size = 8, chunk_data = 24;

  Offset if_size = k_absent, if_previous = k_absent, if_code = k_absent, if_instr = k_absent, if_owner = k_absent;
  Offset if_stacktop = k_absent, if_localsplus = k_absent;
  std::uint8_t owner_generator = 1;
  std::uint8_t owner_shim = 0xFF; ///< a frame that only marks an entry from C; 0xFF where there is none

  Offset gen_name = k_absent, gen_qualname = k_absent, gen_frame = k_absent, gen_state = k_absent;
  std::int8_t state_executing = 0;
  std::int8_t state_finished = 1;  ///< this or more: the frame is gone
  std::int8_t state_awaiting = -1; ///< suspended with something awaited (with resume_oparg: suspended at all)
  SuspendRule suspend_rule = SuspendRule::frame_state;
  std::array<std::uint8_t, 2> resume_opcodes{};

  Offset co_filename = 112, co_name = 120, co_qualname = 128, co_linetable = 136, co_firstlineno = k_absent;
  Offset co_bytecode = k_absent, co_version = k_absent;
  Offset co_localsplusnames = 96, co_localspluskinds = 104, co_nlocalsplus = k_absent;
  CodeIdentity code_identity = CodeIdentity::version;

  Offset str_length = 16, str_hash = 24, str_state = 32, str_ascii = k_absent, str_compact = k_absent;
  Offset bytes_value = 32, long_tag = 16, long_digit = 24;
  bool long_tag_is_size = false; ///< ob_size of before 3.12, a tag word since
  Offset tuple_items = 24, list_items = 24;
  Offset dict_used = 16, dict_keys = 32, dict_values = 40;
  Offset keys_log2_size = 8, keys_log2_index = 9, keys_kind = 10, keys_nentries = 24, keys_indices = 32;
  Offset dict_values_header = 0; ///< from a split dict's values pointer to the first value
  InstanceDict instance_dict = InstanceDict::inline_after_object;
  std::uint32_t inline_values_flag = 1U << 2U; ///< Py_TPFLAGS_INLINE_VALUES
  std::uint32_t managed_dict_flag = 1U << 4U;  ///< Py_TPFLAGS_MANAGED_DICT
  Offset set_used = 24, set_mask = 32, set_table = 40;
  Offset deque_leftblock = 24, deque_leftindex = 40;
  Offset weakref_object = 16;

  Offset func_code = 48, func_closure = 72, cell_contents = 16, method_function = 16, method_self = 24;
  Offset cfunction_self = 24, module_dict = 16, partial_function = 16, partial_args = 24;

  // _asyncio. Future and Task are laid out around sizeof(Future), which the target's own tp_basicsize tells: fields were
  // added to both within a minor.
  Offset future_loop = 16, future_callback = 24, future_callbacks = 40;
  Offset future_state_before_dict = 16; ///< fut_state, back from the dict that tp_dictoffset of Future names
  Offset future_state_before_end = 8;   ///< or, where there is none, back from sizeof(Future)
  Offset task_waiter_after_future = 0;  ///< task_fut_waiter, from sizeof(Future)
  Offset task_coroutine_after_waiter = 8, task_name_after_waiter = 16;
  std::array<std::string_view, 2> task_sets{}; ///< attributes of asyncio.tasks that hold every task
};

/// The table of a minor, before any overlay. Fails with no_target for a Python that is not supported.
Result<Layout> layout_for(const PythonVersion &version);

/// Overlays what the target's _Py_DebugOffsets says (CPython 3.13+, Include/internal/pycore_debug_offsets.h).
/// `table` is the raw structure. False if its cookie or its values make no sense; layout is then unchanged.
bool apply_debug_offsets(std::string_view table, Layout &layout);

/// The version that a _Py_DebugOffsets table was built for; major 0 if it is none.
PythonVersion debug_offsets_version(std::string_view table);

/// Py_Version / PY_VERSION_HEX, 0xMMmmpp.., as a version.
PythonVersion version_from_hex(std::uint64_t hex);

inline constexpr std::size_t k_debug_offsets_size = 1024;

} // namespace awaitscope
