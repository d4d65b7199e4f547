#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "awaitscope/cpython/layout_rules.hpp"

namespace awaitscope {

/// The line of the instructions from `offset` (bytes from the first instruction) up to the next entry's offset;
/// 0 where the code has none.
struct LineEntry {
  std::uint32_t offset = 0;
  std::int32_t line = 0;
};

/// The lines of one code object.
struct CodeLines {
  std::int32_t first_line = 0;
  std::vector<LineEntry> entries{}; ///< sorted by offset
};

/// The executing line at `offset`, or 0 where the code has none.
std::int32_t line_at(const CodeLines &lines, std::int64_t offset);

/// Decodes co_lnotab or co_linetable of a code object that begins at `first_line`. Neighbours with the same line are one
/// entry. A table that ends early gives what stood before.
std::vector<LineEntry> decode_lines(LineTable form, std::string_view table, std::int32_t first_line);

} // namespace awaitscope
