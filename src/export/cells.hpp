#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "awaitscope/report/latency.hpp"

// What stands in the cells of tables.
namespace awaitscope {

/// "12.3 %"; "-" of nothing.
std::string percent_cell(std::uint64_t part, std::uint64_t whole);

/// Nanoseconds in seconds, with as many places as make sense beside the whole: "1.513 s", "1234.5 s".
std::string seconds_cell(std::uint64_t nanoseconds, std::uint64_t whole);

/// "1.51 s"
std::string duration_cell(std::uint64_t nanoseconds);

/// A length with what is known of it: ">12.3 ms".
std::string length_cell(const Length &length);

/// A percentile with what is known of it ("<12.3 ms"): "-" if there is none, or fewer calls than it takes to tell it: `least`.
std::string percentile_cell(const std::optional<Length> &length, std::uint64_t calls, std::uint64_t least);

inline constexpr std::uint64_t k_calls_for_p50 = 1;
inline constexpr std::uint64_t k_calls_for_p95 = 20;
inline constexpr std::uint64_t k_calls_for_p99 = 100;

inline constexpr std::string_view k_of_project = " of your own code";

/// "the first 4 of 10 functions of your own code (--limit 0 shows all)", "all 10 functions"; `whose` is k_of_project, or nothing.
std::string rows_of(std::size_t shown, std::size_t all, std::string_view whose = {});

} // namespace awaitscope
