#pragma once

#include <cstdint>

namespace awaitscope {

// The ways in which CPythons differ that are no offsets. A layout names one of each kind.

/// What a frame of a thread's stack is, and how its fields are to be understood.
enum class FrameForm : std::uint8_t {
  frame_object_top,   ///< PyFrameObject with f_stacktop, a pointer that is null while it runs (3.8, 3.9)
  frame_object_depth, ///< PyFrameObject with f_valuestack, f_stackdepth and f_state (3.10)
  slots_stacktop,     ///< _PyInterpreterFrame with stacktop, in slots from localsplus (3.11 to 3.13)
  stackpointer,       ///< _PyInterpreterFrame with a stackpointer; references carry tags (3.14)
};

/// How a suspended coroutine says that it awaits something.
enum class SuspendRule : std::uint8_t {
  yield_from_opcode, ///< the next instruction is YIELD_FROM
  resume_oparg,      ///< the next instruction is RESUME with oparg & 3 >= 2 (after YIELD FROM or AWAIT)
  frame_state,       ///< gi_frame_state is one of those that await
};

/// How a code object maps instructions to lines.
enum class LineTable : std::uint8_t {
  lnotab,         ///< co_lnotab, Objects/lnotab_notes.txt (3.8, 3.9)
  line_deltas,    ///< co_linetable of PEP 626 (3.10)
  location_table, ///< co_linetable of PEP 657 (3.11)
};

/// How a dict's keys say how large they are.
enum class DictKeys : std::uint8_t {
  counted,  ///< dk_size, a count; every entry stores its hash
  log_sized ///< dk_log2_size and dk_log2_index_bytes; dk_kind tells which entries store their hash (3.11)
};

/// Where an instance keeps its attributes.
enum class InstanceDict : std::uint8_t {
  at_dict_offset,      ///< a dict at tp_dictoffset (before 3.11)
  values_before,       ///< values pointer at -32, dict at -24 (3.11)
  tagged_before,       ///< one word at -24: odd is values - 1, even is a dict (3.12)
  inline_after_object, ///< dict before the object, inline values behind tp_basicsize (3.13)
};

/// What tells a code object from another one that took its address.
enum class CodeIdentity : std::uint8_t {
  version, ///< co_version differs at each reuse
  texts,   ///< pointers can all be equal: the hash of the name and the text of the file name decide
};

/// Where asyncio says which tasks there are, and which of them runs.
enum class TaskRegistry : std::uint8_t {
  module_sets,  ///< sets and a dict {loop: task} in asyncio.tasks
  thread_lists, ///< linked lists and a pointer in each thread state, for tasks of _asyncio (3.14)
};

} // namespace awaitscope
