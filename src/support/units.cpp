#include "awaitscope/support/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace awaitscope {
namespace {

struct Unit {
  std::string_view suffix;
  double factor;
};

constexpr std::array<Unit, 7> k_duration_units{
    {{"", 1.0}, {"s", 1.0}, {"sec", 1.0}, {"ms", 1e-3}, {"us", 1e-6}, {"m", 60.0}, {"h", 3600.0}}};
constexpr std::array<Unit, 7> k_rate_units{
    {{"", 1.0}, {"Hz", 1.0}, {"hz", 1.0}, {"kHz", 1e3}, {"khz", 1e3}, {"k", 1e3}, {"KHz", 1e3}}};

constexpr std::array<Unit, 2> k_percent_units{{{"", 0.01}, {"%", 0.01}}};

constexpr double k_max_seconds = 10.0 * 366 * 86400;
constexpr double k_min_hertz = 1e-3; // the times of ticks are 64-bit numbers of nanoseconds
constexpr double k_max_hertz = 1e6;

template <std::size_t N> bool parse_quantity(std::string_view text, const std::array<Unit, N> &units, double &value) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value)) {
    return false;
  }
  const std::string_view suffix = text.substr(static_cast<std::size_t>(rest - text.data()));
  for (const Unit &unit : units) {
    if (suffix == unit.suffix) {
      value *= unit.factor;
      return true;
    }
  }
  return false;
}

/// "1h30m", "1m30s": whole numbers, each with a unit that is smaller than the one before.
bool parse_parts(std::string_view text, double &seconds) {
  constexpr std::string_view k_digits = "0123456789";
  constexpr std::array<Unit, 4> k_units{{{"h", 3600.0}, {"m", 60.0}, {"s", 1.0}, {"ms", 1e-3}}};
  seconds = 0;
  std::size_t next = 0; // the largest unit that may follow
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of(k_digits), text.size());
    const std::size_t length = std::min(text.find_first_of(k_digits, digits), text.size());
    double number = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + digits, number);
    const std::string_view suffix = text.substr(digits, length - digits);
    while (next < k_units.size() && k_units.at(next).suffix != suffix) {
      ++next;
    }
    if (digits == 0 || error != std::errc{} || next == k_units.size()) {
      return false;
    }
    seconds += number * k_units.at(next++).factor;
    text.remove_prefix(length);
  }
  return true;
}

} // namespace

Result<std::int64_t> parse_duration(std::string_view text) {
  double seconds = 0;
  const bool valid = parse_quantity(text, k_duration_units, seconds) || parse_parts(text, seconds);
  if (!valid || seconds * 1e9 < 1 || seconds > k_max_seconds) {
    return fail(ExitStatus::usage, fmt::format("'{}' is not a duration", text),
                "give a positive number of seconds, or one with units: 10, 500ms, 2m, 1m30s");
  }
  return static_cast<std::int64_t>(std::llround(seconds * 1e9));
}

Result<double> parse_rate(std::string_view text) {
  double hertz = 0;
  if (!parse_quantity(text, k_rate_units, hertz) || hertz < k_min_hertz || hertz > k_max_hertz) {
    return fail(ExitStatus::usage, fmt::format("'{}' is not a sampling rate", text),
                "give samples per second, from 0.001 up to 1 MHz: 100, 250Hz, 1kHz");
  }
  return hertz;
}

Result<double> parse_percent(std::string_view text) {
  double part = 0;
  if (!parse_quantity(text, k_percent_units, part) || part < 0 || part > 1) {
    return fail(ExitStatus::usage, fmt::format("'{}' is not a percentage", text),
                "give a number up to 100: 1, 0.5, 2%");
  }
  return part;
}

std::string with_thousands(std::uint64_t value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) {
      text += ',';
    }
    text += digits[i];
  }
  return text;
}

std::string human_size(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (value < 1e3) {
    return fmt::format("{} bytes", bytes);
  }
  return value < 1e6   ? fmt::format("{:.1f} kB", value / 1e3)
         : value < 1e9 ? fmt::format("{:.1f} MB", value / 1e6)
                       : fmt::format("{:.1f} GB", value / 1e9);
}

std::string human_duration(std::int64_t nanoseconds) {
  const auto value = static_cast<double>(nanoseconds);
  if (value < 1e3) {
    return fmt::format("{} ns", nanoseconds);
  }
  if (value < 1e6) {
    return fmt::format("{:.1f} µs", value / 1e3);
  }
  if (value < 1e9) {
    return fmt::format("{:.1f} ms", value / 1e6);
  }
  return fmt::format("{:.1f} s", value / 1e9);
}

std::string short_duration(std::int64_t nanoseconds) {
  constexpr std::array<std::string_view, 3> k_units{"ns", "µs", "ms"};
  constexpr double k_next_unit = 999.5; // what three digits round up to it
  constexpr double k_one_place = 99.95;
  constexpr double k_two_places = 9.995;
  auto value = static_cast<double>(nanoseconds);
  std::string_view unit = "s";
  for (const std::string_view smaller : k_units) {
    if (value < k_next_unit) {
      unit = smaller;
      break;
    }
    value /= 1e3;
  }
  const int places = unit == "ns" || value >= k_one_place ? 0 : value >= k_two_places ? 1 : 2;
  return fmt::format("{:.{}f} {}", value, places, unit);
}

} // namespace awaitscope
