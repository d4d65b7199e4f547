#include "cells.hpp"

#include <fmt/format.h>

#include "awaitscope/support/units.hpp"

namespace awaitscope {

std::string percent_cell(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? "-" : fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string seconds_cell(std::uint64_t nanoseconds, std::uint64_t whole) {
  constexpr std::uint64_t k_two_places_from = 10'000'000'000;
  constexpr std::uint64_t k_one_place_from = 1'000'000'000'000;
  const int places = whole >= k_one_place_from ? 1 : whole >= k_two_places_from ? 2 : 3;
  return fmt::format("{:.{}f} s", static_cast<double>(nanoseconds) / 1e9, places);
}

std::string duration_cell(std::uint64_t nanoseconds) { return short_duration(static_cast<std::int64_t>(nanoseconds)); }

std::string percentile_cell(const std::optional<Length> &length, std::uint64_t calls, std::uint64_t least) {
  if (!length || calls < least) {
    return "-";
  }
  return length_cell(*length);
}

std::string length_cell(const Length &length) {
  const std::string_view mark = length.is == Length::Is::measured ? "" : length.is == Length::Is::longer ? ">" : "<";
  return fmt::format("{}{}", mark, short_duration(length.ns));
}

std::string rows_of(std::size_t shown, std::size_t all, std::string_view whose) {
  const std::string functions = fmt::format("{} function{}{}", with_thousands(all), all == 1 ? "" : "s", whose);
  return shown == all ? (all == 1 ? "" : "all ") + functions
                      : fmt::format("the first {} of {} (--limit 0 shows all)", with_thousands(shown), functions);
}

} // namespace awaitscope
