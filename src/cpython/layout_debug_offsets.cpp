#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "awaitscope/cpython/layout.hpp"

namespace awaitscope {
namespace {

/// Which word of the structure tells which field. Words that no reader needs are left out.
struct DebugField {
  std::size_t word; ///< 8 bytes each, from the start of the structure
  Offset Layout::*field;
};

constexpr DebugField k_3_13[] = {
#include "offsets/3_13_debug.inc"
};
constexpr DebugField k_3_14[] = {
#include "offsets/3_14_debug.inc"
};
constexpr DebugField k_3_15[] = {
#include "offsets/3_15_debug.inc"
};

struct DebugTable {
  int minor;
  std::span<const DebugField> fields;
};
constexpr std::array k_debug_tables{DebugTable{13, k_3_13}, DebugTable{14, k_3_14}, DebugTable{15, k_3_15}};

/// What has been where it is in every minor so far. If a newer one says otherwise, its words are not in the order that is presumed.
constexpr std::array k_anchors{&Layout::ob_type,   &Layout::tp_name,     &Layout::tp_flags,   &Layout::list_items,
                               &Layout::dict_keys, &Layout::bytes_value, &Layout::str_length, &Layout::set_table,
                               &Layout::long_tag,  &Layout::ts_next,     &Layout::ts_interp,  &Layout::sizeof_object};

constexpr std::string_view k_cookie = "xdebugpy";

std::uint64_t word_at(std::string_view table, std::size_t word) {
  std::uint64_t value = 0;
  std::memcpy(&value, table.data() + word * sizeof value, sizeof value);
  return value;
}

} // namespace

PythonVersion debug_offsets_version(std::string_view table) {
  if (table.size() < 24 || table.substr(0, k_cookie.size()) != k_cookie) {
    return {};
  }
  return version_from_hex(word_at(table, 1));
}

Build debug_offsets_build(std::string_view table) {
  const bool free_threaded = debug_offsets_version(table).major != 0 && word_at(table, 2) != 0;
  return free_threaded ? Build::free_threaded : Build::with_gil;
}

bool apply_debug_offsets(std::string_view table, Layout &layout) {
  const PythonVersion version = debug_offsets_version(table);
  const auto *const known =
      std::find_if(k_debug_tables.begin(), k_debug_tables.end(),
                   [&](const DebugTable &candidate) { return candidate.minor == layout.table_minor; });
  if (version.major != layout.version.major || version.minor != layout.version.minor || known == k_debug_tables.end() ||
      (debug_offsets_build(table) == Build::free_threaded) != layout.free_threaded) {
    return false;
  }
  constexpr std::uint64_t k_largest = 16U << 20U; // of any structure: _PyRuntimeState is below 1 MiB
  Layout overlaid = layout;
  for (const DebugField &field : known->fields) {
    if ((field.word + 1) * sizeof(std::uint64_t) > table.size() || word_at(table, field.word) > k_largest) {
      return false;
    }
    if (overlaid.*(field.field) != k_absent) { // what this build has not is some other number there
      overlaid.*(field.field) = static_cast<Offset>(word_at(table, field.word));
    }
  }
  const bool anchored = std::all_of(k_anchors.begin(), k_anchors.end(),
                                    [&](Offset Layout::*field) { return overlaid.*field == layout.*field; });
  if (layout.presumed && !anchored) {
    return false;
  }
  // Neighbours: Include/internal/pycore_runtime.h (pyinterpreters), Include/cpython/pystate.h, Include/cpython/genobject.h,
  // Include/internal/pycore_interp.h (pythreads).
  overlaid.rt_interpreters_main = overlaid.rt_interpreters_head + 8;
  overlaid.ts_chunk_top = overlaid.ts_chunk + 8;
  overlaid.gen_qualname = overlaid.gen_name + 8;
  overlaid.is_next_thread_id = overlaid.is_threads_head - 8;
  // Include/internal/pycore_tstate.h, _PyThreadStateImpl: behind a PyThreadState, which has grown within a minor.
  const auto moved = [&](Offset field) {
    return field == k_absent ? k_absent : field + overlaid.ts_size - layout.ts_size;
  };
  overlaid.ts_running_loop = moved(layout.ts_running_loop);
  overlaid.ts_running_task = moved(layout.ts_running_task);
  overlaid.ts_tasks_head = moved(layout.ts_tasks_head);
  layout = overlaid;
  return true;
}

bool apply_asyncio_debug(const std::array<std::uint64_t, k_asyncio_debug_words> &table, Layout &layout) {
  enum Word : std::size_t {
    k_task_size,
    k_task_name,
    k_task_awaited_by,
    k_task_is_task,
    k_task_awaited_by_is_set,
    k_task_coroutine,
    k_task_node,
    k_interpreter_size,
    k_interpreter_tasks_head,
    k_thread_size,
    k_running_loop,
    k_running_task,
    k_thread_tasks_head,
  };
  constexpr std::uint64_t k_largest_task = 1024;
  const auto inside = [&](Word field, Word size) { return table[field] != 0 && table[field] < table[size]; };
  const bool sane = table[k_task_size] < k_largest_task && table[k_interpreter_size] == layout.is_size &&
                    inside(k_task_name, k_task_size) && inside(k_task_coroutine, k_task_size) &&
                    inside(k_task_node, k_task_size) && inside(k_interpreter_tasks_head, k_interpreter_size) &&
                    inside(k_running_loop, k_thread_size) && inside(k_running_task, k_thread_size) &&
                    inside(k_thread_tasks_head, k_thread_size);
  if (!sane || layout.task_registry != TaskRegistry::thread_lists) {
    return false;
  }
  layout.task_name = static_cast<Offset>(table[k_task_name]);
  layout.task_coroutine = static_cast<Offset>(table[k_task_coroutine]);
  layout.task_node = static_cast<Offset>(table[k_task_node]);
  layout.is_tasks_head = static_cast<Offset>(table[k_interpreter_tasks_head]);
  layout.ts_running_loop = static_cast<Offset>(table[k_running_loop]);
  layout.ts_running_task = static_cast<Offset>(table[k_running_task]);
  layout.ts_tasks_head = static_cast<Offset>(table[k_thread_tasks_head]);
  return true;
}

} // namespace awaitscope
