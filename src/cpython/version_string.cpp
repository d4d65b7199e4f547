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

} // namespace

PythonVersion find_version_string(std::string_view data) {
  constexpr std::size_t k_longest = 16;
  while (!data.empty()) {
    const std::size_t end = std::min(data.find('\0'), data.size());
    const std::string_view text = data.substr(0, end);
    if (text.size() >= 5 && text.size() <= k_longest && (text.front() == '2' || text.front() == '3') &&
        text[1] == '.') {
      const PythonVersion version = parse_version(text);
      if (version.major != 0) {
        return version;
      }
    }
    data.remove_prefix(std::min(end + 1, data.size()));
  }
  return {};
}

} // namespace awaitscope
