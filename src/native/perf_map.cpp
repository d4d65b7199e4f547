#include "perf_map.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "awaitscope/process/proc_fs.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_longest_map = std::size_t{64} << 20U;
constexpr std::size_t k_most_functions = std::size_t{1} << 20U;

/// "START SIZE NAME", both in hexadecimal.
template <typename Function> std::optional<Function> parse_line(std::string_view line) {
  constexpr int k_hexadecimal = 16;
  Function function;
  const char *const end = line.data() + line.size();
  std::uint64_t size = 0;
  const auto first = std::from_chars(line.data(), end, function.begin, k_hexadecimal);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ' ') {
    return std::nullopt;
  }
  const auto second = std::from_chars(first.ptr + 1, end, size, k_hexadecimal);
  if (second.ec != std::errc{} || second.ptr == end || *second.ptr != ' ') {
    return std::nullopt;
  }
  function.end = function.begin + size;
  function.name.assign(second.ptr + 1, end);
  return function;
}

} // namespace

void PerfMap::parse(std::string_view text) {
  functions_.clear();
  while (!text.empty() && functions_.size() < k_most_functions) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (std::optional<Function> function = parse_line<Function>(text.substr(0, end))) {
      functions_.push_back(std::move(*function));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::stable_sort(functions_.begin(), functions_.end(),
                   [](const Function &a, const Function &b) { return a.begin < b.begin; });
}

void PerfMap::refresh(const Process &process) {
  const std::string root = fmt::format("/proc/{}", process.pid());
  const std::string path = fmt::format("{}/root/tmp/perf-{}.map", root, process.inner_id(process.pid()));
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat of_file {};
  struct stat of_process {};
  if (!file.valid() || ::fstat(file.get(), &of_file) != 0 || ::stat(root.c_str(), &of_process) != 0 ||
      !S_ISREG(of_file.st_mode) || (of_file.st_uid != 0 && of_file.st_uid != of_process.st_uid)) {
    return;
  }
  const auto size = static_cast<std::uint64_t>(of_file.st_size);
  if (size != size_) {
    size_ = size;
    parse(read_file(fmt::format("/proc/self/fd/{}", file.get()), k_longest_map).value_or(""));
  }
}

std::optional<std::string> PerfMap::find(Address address) const {
  const auto behind =
      std::upper_bound(functions_.begin(), functions_.end(), address,
                       [](Address wanted, const Function &function) { return wanted < function.begin; });
  if (behind == functions_.begin() || address >= std::prev(behind)->end) {
    return std::nullopt;
  }
  return std::prev(behind)->name;
}

} // namespace awaitscope
