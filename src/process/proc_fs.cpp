#include "awaitscope/process/proc_fs.hpp"

#include <algorithm>
#include <charconv>

#include <dirent.h>
#include <fcntl.h>

namespace awaitscope {
namespace {

std::string_view take_until(std::string_view &text, char separator) {
  const std::size_t at = std::min(text.find(separator), text.size());
  const std::string_view head = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return head;
}

template <typename T> bool parse_number(std::string_view text, T &value, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string_view skip_spaces(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text;
}

std::optional<MapEntry> parse_map_line(std::string_view line) {
  MapEntry entry;
  const std::string_view start = take_until(line, '-');
  const std::string_view end = take_until(line, ' ');
  const std::string_view rights = take_until(line, ' ');
  const std::string_view offset = take_until(line, ' ');
  take_until(line, ' '); // device
  const std::string_view inode = take_until(line, ' ');
  if (!parse_number(start, entry.start, 16) || !parse_number(end, entry.end, 16) || rights.size() < 4 ||
      !parse_number(offset, entry.file_offset, 16) || !parse_number(inode, entry.inode)) {
    return std::nullopt;
  }
  entry.readable = rights[0] == 'r';
  entry.writable = rights[1] == 'w';
  entry.executable = rights[2] == 'x';
  entry.path = std::string(skip_spaces(line));
  return entry;
}

} // namespace

std::vector<MapEntry> parse_maps(std::string_view text) {
  std::vector<MapEntry> entries;
  while (!text.empty()) {
    if (std::optional<MapEntry> entry = parse_map_line(take_until(text, '\n'))) {
      entries.push_back(std::move(*entry));
    }
  }
  return entries;
}

std::optional<std::int64_t> parse_exec_start(std::string_view text) {
  constexpr std::string_view k_name = "se.exec_start";
  constexpr std::int64_t k_ns_per_ms = 1'000'000;
  const std::size_t at = text.find(k_name);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  text.remove_prefix(at + k_name.size());
  text = skip_spaces(text);
  if (text.substr(0, 1) != ":") {
    return std::nullopt;
  }
  text = skip_spaces(text.substr(1));
  // Milliseconds, then six digits of a fraction (SPLIT_NS).
  std::int64_t milliseconds = 0;
  std::int64_t fraction = 0;
  const std::string_view whole = take_until(text, '.');
  const std::string_view rest = take_until(text, '\n');
  if (!parse_number(whole, milliseconds) || rest.size() != 6 || !parse_number(rest, fraction)) {
    return std::nullopt;
  }
  return milliseconds * k_ns_per_ms + fraction;
}

std::optional<SchedStat> parse_schedstat(std::string_view text) {
  SchedStat stat;
  const std::string_view cpu = take_until(text, ' ');
  const std::string_view wait = take_until(text, ' ');
  const std::string_view times = take_until(text, '\n');
  if (!parse_number(cpu, stat.cpu_ns) || !parse_number(wait, stat.wait_ns) || !parse_number(times, stat.times_run)) {
    return std::nullopt;
  }
  return stat;
}

std::optional<TaskStat> parse_task_stat(std::string_view text) {
  // The command stands in parentheses and may itself hold any character: the last ')' ends it.
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open || close + 2 >= text.size()) {
    return std::nullopt;
  }
  TaskStat stat;
  stat.command = std::string(text.substr(open + 1, close - open - 1));
  text.remove_prefix(close + 2);
  constexpr int k_state_field = 3;
  constexpr int k_minor_faults_field = 10;
  constexpr int k_major_faults_field = 12;
  constexpr int k_processor_field = 39;
  for (int field = k_state_field; field <= k_processor_field && !text.empty(); ++field) {
    const std::string_view value = take_until(text, ' ');
    if (field == k_state_field && !value.empty()) {
      stat.state = value.front();
    } else if ((field == k_minor_faults_field && !parse_number(value, stat.minor_faults)) ||
               (field == k_major_faults_field && !parse_number(value, stat.major_faults)) ||
               (field == k_processor_field && !parse_number(value, stat.processor))) {
      return std::nullopt;
    }
  }
  return stat;
}

std::optional<ThreadId> parse_innermost_pid(std::string_view status) {
  while (!status.empty()) {
    std::string_view line = take_until(status, '\n');
    if (take_until(line, ':') != "NSpid") {
      continue;
    }
    const std::size_t last = line.find_last_of("\t ");
    ThreadId id = 0;
    if (parse_number(last == std::string_view::npos ? line : line.substr(last + 1), id)) {
      return id;
    }
    return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string> read_file(const std::string &path, std::size_t limit) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return std::nullopt;
  }
  std::string text;
  std::size_t chunk = 4096; // most are less than this, and what is made room for is cleared
  constexpr std::size_t k_longest_chunk = 65536;
  while (text.size() < limit) {
    const std::size_t at = text.size();
    text.resize(at + chunk);
    const ssize_t got = ::read(fd.get(), text.data() + at, chunk);
    chunk = std::min(chunk * 2, k_longest_chunk);
    if (got < 0) {
      return std::nullopt;
    }
    text.resize(at + static_cast<std::size_t>(got));
    if (got == 0) {
      break;
    }
  }
  return text;
}

std::string_view read_again(const UniqueFd &file, std::span<char> room) {
  const ssize_t got = file.valid() ? ::pread(file.get(), room.data(), room.size(), 0) : -1;
  return got > 0 ? std::string_view(room.data(), static_cast<std::size_t>(got)) : std::string_view();
}

std::vector<ThreadId> list_ids(const std::string &directory) {
  std::vector<ThreadId> ids;
  DIR *handle = ::opendir(directory.c_str());
  if (handle == nullptr) {
    return ids;
  }
  while (const dirent *entry = ::readdir(handle)) { // NOLINT(concurrency-mt-unsafe): one stream, one thread
    ThreadId id = 0;
    if (parse_number(std::string_view(entry->d_name), id)) {
      ids.push_back(id);
    }
  }
  ::closedir(handle);
  std::sort(ids.begin(), ids.end());
  return ids;
}

} // namespace awaitscope
