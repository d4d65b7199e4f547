#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "awaitscope/support/error.hpp"

namespace awaitscope {

/// "10", "10s", "500ms", "2m", "1.5h", "1m30s" -> nanoseconds. Must be positive and at most ten years.
Result<std::int64_t> parse_duration(std::string_view text);

/// "100", "100Hz", "10kHz" -> hertz. Must be positive and at most 1 MHz.
Result<double> parse_rate(std::string_view text);

/// "1", "0.5", "2%" -> a part of one: 0.01, 0.005, 0.02. Above 0 % and at most 100 %.
Result<double> parse_percent(std::string_view text);

/// 10000 -> "10,000".
std::string with_thousands(std::uint64_t value);

/// Bytes: "812 bytes", "12.3 kB" (of 1000 bytes), "1.2 MB".
std::string human_size(std::uint64_t bytes);

/// Nanoseconds in the unit that reads best: "12.3 µs", "4.56 ms", "7.8 s".
std::string human_duration(std::int64_t nanoseconds);

/// The same in three digits, for columns: "12.3 µs", "456 ms", "7.80 s".
std::string short_duration(std::int64_t nanoseconds);

} // namespace awaitscope
