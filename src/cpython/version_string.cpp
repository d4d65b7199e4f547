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

constexpr std::size_t k_longest = 16;

/// The version that is, or ends, this string. Linkers keep a string that ends another one only as that end, so
/// "3.8.18" may be there as the end of "/usr/src/Python-3.8.18" alone.
PythonVersion version_at_end(std::string_view text, bool whole) {
  const std::size_t from = text.size() > k_longest ? text.size() - k_longest : 0;
  for (std::size_t at = whole ? 0 : from; at + 5 <= text.size() && (!whole || at == 0); ++at) {
    const bool begins = at == 0 || text[at - 1] == '/' || text[at - 1] == '-';
    if (begins && (text[at] == '2' || text[at] == '3') && text[at + 1] == '.') {
      const PythonVersion version = parse_version(text.substr(at));
      if (version.major != 0) {
        return version;
      }
    }
  }
  return {};
}

PythonVersion first_version(std::string_view data, bool whole) {
  while (!data.empty()) {
    const std::size_t end = std::min(data.find('\0'), data.size());
    const std::string_view text = data.substr(0, end);
    if (!whole || text.size() <= k_longest) {
      const PythonVersion version = version_at_end(text, whole);
      if (version.major != 0) {
        return version;
      }
    }
    data.remove_prefix(std::min(end + 1, data.size()));
  }
  return {};
}

} // namespace

PythonVersion find_version_string(std::string_view data) {
  const PythonVersion version = first_version(data, true);
  return version.major != 0 ? version : first_version(data, false);
}

} // namespace awaitscope
