#include "awaitscope/process/image_identity.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "awaitscope/process/proc_fs.hpp"

namespace awaitscope {
namespace {

/// The fields of a stat file from the third on: what stands behind the command, which may hold anything.
std::vector<std::string_view> fields_behind_command(std::string_view text) {
  std::vector<std::string_view> fields;
  const std::size_t end = text.rfind(')');
  std::size_t at = end == std::string_view::npos ? text.size() : end + 1;
  while (at < text.size()) {
    const std::size_t from = text.find_first_not_of(" \n", at);
    if (from == std::string_view::npos) {
      break;
    }
    at = std::min(text.find_first_of(" \n", from), text.size());
    fields.push_back(text.substr(from, at - from));
  }
  return fields;
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

} // namespace

std::optional<ImageIdentity> parse_image_identity(std::string_view stat) {
  const std::vector<std::string_view> fields = fields_behind_command(stat);
  constexpr std::size_t k_third = 3; // proc(5) counts from 1, and the command is the second
  if (fields.size() < 28 - k_third + 1 || fields.front() == "Z" || fields.front() == "X") {
    return std::nullopt;
  }
  // fs/proc/array.c, do_task_stat(): a process that is ending has no memory any more, and the size of that is 0. One that
  // executes a program has its new memory some time before that says where its text begins (fs/binfmt_elf.c,
  // load_elf_binary(): from begin_new_exec() until the segments are mapped).
  if (number(fields[23 - k_third]) == 0) {
    return std::nullopt;
  }
  ImageIdentity identity;
  identity.start_time = number(fields[22 - k_third]);
  identity.start_code = number(fields[26 - k_third]);
  identity.start_stack = number(fields[28 - k_third]);
  identity.executing = identity.start_code == 0;
  return identity;
}

std::optional<ImageIdentity> image_identity(ThreadId pid) {
  const std::string folder = fmt::format("/proc/{}/", pid);
  const std::optional<ImageIdentity> before = parse_image_identity(read_file(folder + "stat").value_or(""));
  std::array<char, PATH_MAX> link{};
  const ssize_t length = ::readlink((folder + "exe").c_str(), link.data(), link.size());
  std::optional<ImageIdentity> identity = parse_image_identity(read_file(folder + "stat").value_or(""));
  if (!before || !identity) {
    return std::nullopt;
  }
  identity->executing = identity->executing || *before != *identity; // the link is of either program
  identity->executable.assign(link.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  // A file that is replaced while it runs makes no other program of the process (fs/d_path.c adds this).
  constexpr std::string_view k_deleted = " (deleted)";
  if (identity->executable.ends_with(k_deleted)) {
    identity->executable.resize(identity->executable.size() - k_deleted.size());
  }
  return identity;
}

std::optional<ImageIdentity> image_identity(ThreadId pid, const ImageIdentity &known, UniqueFd &stat) {
  if (!stat.valid()) {
    stat = UniqueFd(::open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
  }
  std::array<char, 1024> room{}; // for more than the 28 fields that are asked for
  std::optional<ImageIdentity> now = parse_image_identity(read_again(stat, room));
  if (!now) {
    return std::nullopt;
  }
  now->executable = known.executable;
  return *now == known && !now->executing ? now : image_identity(pid);
}

std::vector<ThreadId> children_of(ThreadId pid) {
  std::vector<ThreadId> children;
  for (const ThreadId tid : list_ids(fmt::format("/proc/{}/task", pid))) {
    const std::string text = read_file(fmt::format("/proc/{}/task/{}/children", pid, tid)).value_or("");
    const char *at = text.data();
    const char *const end = at + text.size();
    while (at < end) {
      ThreadId child = 0;
      const auto [rest, error] = std::from_chars(at, end, child);
      if (error == std::errc{}) {
        children.push_back(child);
      }
      at = rest + 1;
    }
  }
  return children;
}

} // namespace awaitscope
