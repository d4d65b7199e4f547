#include "awaitscope/process/thread_watch.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>

#include "awaitscope/process/own_thread.hpp"

namespace awaitscope {
namespace {

UniqueFd open_of(ThreadId pid, ThreadId tid, std::string_view name) {
  return UniqueFd(::open(fmt::format("/proc/{}/task/{}/{}", pid, tid, name).c_str(), O_RDONLY | O_CLOEXEC));
}

/// "202 0x7f…": the number of the call, and its first argument (proc_pid_syscall(5)).
Address futex_of(std::string_view text) {
  constexpr int k_hexadecimal = 16;
  static const std::string call = fmt::format("{} 0x", SYS_futex);
  Address address = 0;
  if (text.substr(0, call.size()) == call) {
    std::from_chars(text.data() + call.size(), text.data() + text.size(), address, k_hexadecimal);
  }
  return address;
}

/// "-1" of a thread that is blocked in no call: by a page fault.
std::optional<int> system_call_of(std::string_view text) {
  int number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() && number >= 0 ? std::optional(number) : std::nullopt;
}

/// "202 0x7f… … 0x7ffe… 0x7f…": the stack pointer and the instruction pointer come last (proc_pid_syscall(5)).
std::optional<ThreadWatch::UserPlace> place_of(std::string_view text) {
  std::array<Address, 2> last{};
  for (auto word = last.rbegin(); word != last.rend(); ++word) {
    constexpr int k_hexadecimal = 16;
    const std::size_t begin = text.rfind(" 0x");
    if (begin == std::string_view::npos) {
      return std::nullopt;
    }
    std::from_chars(text.data() + begin + 3, text.data() + text.size(), *word, k_hexadecimal);
    text = text.substr(0, begin);
  }
  return ThreadWatch::UserPlace{last[0], last[1]};
}

} // namespace

/// Through `kept`, which is opened at first use, and stays open if there is room for it.
std::string_view ThreadWatch::read(UniqueFd &kept, std::string_view name, std::span<char> room) const {
  if (kept.valid()) {
    return read_again(kept, room);
  }
  UniqueFd file = open_of(pid_, tid_, name);
  if (!file.valid() || !leaves_descriptors(file.get(), KeptFor::account)) {
    return read_again(file, room);
  }
  kept = std::move(file);
  return read_again(kept, room);
}

std::optional<SchedStat> ThreadWatch::schedstat() {
  if (ended_) {
    return std::nullopt;
  }
  std::array<char, 96> buffer{};
  errno = 0;
  const std::string_view text = read(schedstat_, "schedstat", buffer);
  ended_ = text.empty() && (errno == ENOENT || errno == ESRCH);
  return text.empty() ? std::nullopt : parse_schedstat(text);
}

std::optional<TaskStat> ThreadWatch::stat() {
  std::array<char, 1024> buffer{};
  const std::string_view text = read(stat_, "stat", buffer);
  return text.empty() ? std::nullopt : parse_task_stat(text);
}

ThreadWatch::Run ThreadWatch::run() {
  std::array<char, 160> buffer{};
  const std::string_view text = read(syscall_, "syscall", buffer);
  futex_ = futex_of(text);
  system_call_ = system_call_of(text);
  if (!text.empty()) {
    return text.substr(0, 7) == "running" ? Run::runnable : Run::blocked;
  }
  const std::optional<TaskStat> status = stat();
  if (!status || status->state == 'Z' || status->state == 'X') {
    return Run::ended;
  }
  return status->state == 'R' ? Run::runnable : Run::blocked;
}

std::optional<ThreadWatch::UserPlace> ThreadWatch::blocked_at() {
  std::array<char, 160> buffer{};
  return place_of(read(syscall_, "syscall", buffer));
}

std::optional<std::int64_t> ThreadWatch::accounted_ns() {
  std::array<char, 512> buffer{};
  const std::string_view text = read(sched_, "sched", buffer);
  return text.empty() ? std::nullopt : parse_exec_start(text);
}

int ThreadWatch::processor() {
  const std::optional<TaskStat> status = stat();
  return status ? status->processor : -1;
}

} // namespace awaitscope
