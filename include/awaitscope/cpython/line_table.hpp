#pragma once

#include <string_view>
#include <vector>

#include "awaitscope/model/code_table.hpp"

namespace awaitscope {

/// Decodes co_linetable of CPython 3.11+ (Objects/locations.md; InternalDocs/code_objects.md since 3.14). Neighbours with
/// the same line are one entry. A table that ends early gives what stood before.
std::vector<LineEntry> decode_location_table(std::string_view table, std::int32_t first_line);

} // namespace awaitscope
