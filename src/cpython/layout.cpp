#include "awaitscope/cpython/layout.hpp"

#include <array>
#include <cstring>

#include <fmt/format.h>

#include "layout_tables.hpp"

namespace awaitscope {
namespace {

struct Table {
  int minor;
  Layout (*make)();
};

constexpr std::array<Table, 3> k_tables{{{11, layout_3_11}, {12, layout_3_12}, {13, layout_3_13}}};

/// Where a field of _Py_DebugOffsets goes. Fields that no reader needs are skipped by position.
struct DebugField {
  std::size_t word; ///< 8-byte words from the start of the structure
  Offset Layout::*field;
};

// CPython 3.13, Include/internal/pycore_runtime.h, struct _Py_DebugOffsets: every field is a uint64_t behind the
// 8-byte cookie, the version and the free-threaded flag.
constexpr std::array k_debug_3_13{
    DebugField{3, &Layout::rt_size},
    DebugField{5, &Layout::rt_interpreters_head},
    DebugField{6, &Layout::is_size},
    DebugField{7, &Layout::is_id},
    DebugField{8, &Layout::is_next},
    DebugField{9, &Layout::is_threads_head},
    DebugField{11, &Layout::is_modules},
    DebugField{14, &Layout::is_gil},
    DebugField{19, &Layout::ts_size},
    DebugField{21, &Layout::ts_next},
    DebugField{22, &Layout::ts_interp},
    DebugField{23, &Layout::ts_frame},
    DebugField{24, &Layout::ts_thread_id},
    DebugField{25, &Layout::ts_native_id},
    DebugField{26, &Layout::ts_chunk},
    DebugField{28, &Layout::if_size},
    DebugField{29, &Layout::if_previous},
    DebugField{30, &Layout::if_code},
    DebugField{31, &Layout::if_instr},
    DebugField{32, &Layout::if_localsplus},
    DebugField{33, &Layout::if_owner},
    DebugField{35, &Layout::co_filename},
    DebugField{36, &Layout::co_name},
    DebugField{37, &Layout::co_qualname},
    DebugField{38, &Layout::co_linetable},
    DebugField{39, &Layout::co_firstlineno},
    DebugField{41, &Layout::co_localsplusnames},
    DebugField{42, &Layout::co_localspluskinds},
    DebugField{43, &Layout::co_bytecode},
    DebugField{44, &Layout::sizeof_object},
    DebugField{45, &Layout::ob_type},
    DebugField{47, &Layout::tp_name},
    DebugField{49, &Layout::tp_flags},
    DebugField{51, &Layout::tuple_items},
    DebugField{57, &Layout::dict_keys},
    DebugField{58, &Layout::dict_values},
    DebugField{54, &Layout::list_items},
    DebugField{62, &Layout::long_tag},
    DebugField{63, &Layout::long_digit},
    DebugField{66, &Layout::bytes_value},
    DebugField{68, &Layout::str_state},
    DebugField{69, &Layout::str_length},
    DebugField{70, &Layout::str_ascii},
};

constexpr std::string_view k_cookie = "xdebugpy";

std::uint64_t word_at(std::string_view table, std::size_t word) {
  std::uint64_t value = 0;
  std::memcpy(&value, table.data() + word * sizeof value, sizeof value);
  return value;
}

} // namespace

std::string PythonVersion::text() const { return fmt::format("{}.{}.{}", major, minor, patch); }

PythonVersion version_from_hex(std::uint64_t hex) {
  return {static_cast<int>((hex >> 24U) & 0xFFU), static_cast<int>((hex >> 16U) & 0xFFU),
          static_cast<int>((hex >> 8U) & 0xFFU)};
}

Result<Layout> layout_for(const PythonVersion &version) {
  for (const Table &table : k_tables) {
    if (version.major == 3 && version.minor == table.minor) {
      Layout layout = table.make();
      layout.version = version;
      return layout;
    }
  }
  return fail(ExitStatus::no_target, fmt::format("Python {} is not supported", version.text()),
              "this version of awaitscope reads CPython 3.11, 3.12 and 3.13");
}

PythonVersion debug_offsets_version(std::string_view table) {
  if (table.size() < 24 || table.substr(0, k_cookie.size()) != k_cookie) {
    return {};
  }
  return version_from_hex(word_at(table, 1));
}

bool apply_debug_offsets(std::string_view table, Layout &layout) {
  const PythonVersion version = debug_offsets_version(table);
  const bool free_threaded = version.major != 0 && word_at(table, 2) != 0;
  if (version.major != layout.version.major || version.minor != layout.version.minor || free_threaded) {
    return false;
  }
  constexpr std::uint64_t k_largest = 16U << 20U; // of any structure: _PyRuntimeState is below 1 MiB
  Layout overlaid = layout;
  for (const DebugField &field : k_debug_3_13) {
    if ((field.word + 1) * sizeof(std::uint64_t) > table.size()) {
      return false;
    }
    const std::uint64_t value = word_at(table, field.word);
    if (value > k_largest) {
      return false;
    }
    overlaid.*(field.field) = static_cast<Offset>(value);
  }
  overlaid.ts_chunk_top = overlaid.ts_chunk + sizeof(Address); // Include/cpython/pystate.h: they are neighbours
  layout = overlaid;
  return true;
}

} // namespace awaitscope
