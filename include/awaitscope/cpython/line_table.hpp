#pragma once

#include <string_view>
#include <vector>

#include "awaitscope/cpython/layout_rules.hpp"
#include "awaitscope/model/code_table.hpp"

namespace awaitscope {

/// Decodes co_lnotab or co_linetable of a code object that begins at `first_line`. Neighbours with the same line are one
/// entry. A table that ends early gives what stood before.
std::vector<LineEntry> decode_lines(LineTable form, std::string_view table, std::int32_t first_line);

} // namespace awaitscope
