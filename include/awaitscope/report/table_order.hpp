#pragma once

#include <cstdint>

namespace awaitscope {

/// What the rows of a table are ordered by, the greatest first.
enum class TableOrder : std::uint8_t { usual, self, total, calls, p50, p95, p99, max };

} // namespace awaitscope
