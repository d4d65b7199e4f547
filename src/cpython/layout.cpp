#include "awaitscope/cpython/layout.hpp"

#include <array>

#include <fmt/format.h>

#include "layout_tables.hpp"

namespace awaitscope {
namespace {

struct Table {
  int minor;
  Layout (*make)();
  Layout (*make_free_threaded)(); ///< null where there is no such build
};

constexpr std::array k_tables{
    Table{8, layout_3_8, nullptr},        Table{9, layout_3_9, nullptr},        Table{10, layout_3_10, nullptr},
    Table{11, layout_3_11, nullptr},      Table{12, layout_3_12, nullptr},      Table{13, layout_3_13, layout_3_13t},
    Table{14, layout_3_14, layout_3_14t}, Table{15, layout_3_15, layout_3_15t},
};

} // namespace

std::string PythonVersion::text() const { return fmt::format("{}.{}.{}", major, minor, patch); }

PythonVersion version_from_hex(std::uint64_t hex) {
  return {static_cast<int>((hex >> 24U) & 0xFFU), static_cast<int>((hex >> 16U) & 0xFFU),
          static_cast<int>((hex >> 8U) & 0xFFU)};
}

std::string supported_versions() {
  return fmt::format("this version of awaitscope reads CPython 3.{} to 3.{}", k_tables.front().minor,
                     k_tables.back().minor);
}

std::string presumed_warning(const Layout &layout) {
  return !layout.presumed
             ? std::string()
             : fmt::format("warning: Python {} is newer than those that are known: it is read as it says itself "
                           "that it is laid out, and some of it may be wrong or missing ({})",
                           layout.version.text(), supported_versions());
}

Error unknown_layout(const PythonVersion &version) {
  return {ExitStatus::no_target,
          fmt::format("Python {} lays out its memory in a way that is not known", version.text()),
          supported_versions()};
}

void set_free_threaded(Layout &layout) {
  layout.free_threaded = true;
  layout.managed_dict_before = 8; // Include/internal/pycore_object.h, MANAGED_DICT_OFFSET: no head of the collector
}

Result<Layout> layout_for(const PythonVersion &version, Build build) {
  const Table &newest = k_tables.back();
  const bool newer = version.major == 3 && version.minor > newest.minor;
  for (const Table &table : k_tables) {
    if (version.major != 3 || (version.minor != table.minor && !(newer && table.minor == newest.minor))) {
      continue;
    }
    const auto make = build == Build::free_threaded ? table.make_free_threaded : table.make;
    if (make != nullptr) {
      Layout layout = make();
      layout.version = version;
      layout.table_minor = table.minor;
      layout.presumed = newer;
      return layout;
    }
  }
  return fail(ExitStatus::no_target,
              fmt::format("Python {}{} is not supported", version.text(),
                          build == Build::free_threaded ? " without a GIL" : ""),
              supported_versions());
}

} // namespace awaitscope
