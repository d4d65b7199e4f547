#include "awaitscope/cpython/runtime.hpp"

#include <charconv>

namespace awaitscope {
namespace {

/// "3.13.0", "3.14.0rc1", "3.11.2+": anything else is no version.
PythonVersion parse_version(std::string_view text) {
  PythonVersion version;
  for (int *const part : {&version.major, &version.minor, &version.patch}) {
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), *part);
    if (error != std::errc{} || *part < 0) {
      return {};
    }
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    if (part != &version.patch) {
      if (text.empty() || text.front() != '.') {
        return {};
      }
      text.remove_prefix(1);
    }
  }
  const bool ends_well =
      text.empty() || text.front() == '+' || text.front() == 'a' || text.front() == 'b' || text.front() == 'r';
  return ends_well ? version : PythonVersion{};
}

/// What begins at `at`, if it is a version up to the NUL.
PythonVersion version_from(std::string_view data, std::size_t at) {
  constexpr std::size_t k_longest = 16;
  const std::string_view text = data.substr(at, k_longest + 1);
  const std::size_t end = text.find('\0');
  const bool ends = end != std::string_view::npos || text.size() <= k_longest;
  return ends ? parse_version(text.substr(0, end)) : PythonVersion{};
}

} // namespace

PythonVersion find_version_string(std::string_view data) {
  // Linkers keep a string that ends another one only as that end, so "3.8.18" may be there as the end of
  // "/usr/src/Python-3.8.18" alone.
  PythonVersion at_end;
  // From dot to dot: much of what is looked at is no text, and to go from string to string takes several times as long.
  for (std::size_t dot = data.find('.'); dot != std::string_view::npos; dot = data.find('.', dot + 1)) {
    if (dot == 0 || (data[dot - 1] != '3' && data[dot - 1] != '2')) {
      continue;
    }
    const char before = dot == 1 ? '\0' : data[dot - 2];
    const bool whole = before == '\0';
    if (!whole && (at_end.major != 0 || (before != '/' && before != '-'))) {
      continue;
    }
    const PythonVersion version = version_from(data, dot - 1);
    if (whole && version.major != 0) {
      return version;
    }
    if (!whole) {
      at_end = version;
    }
  }
  return at_end;
}

} // namespace awaitscope
