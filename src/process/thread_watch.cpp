#include "awaitscope/process/thread_watch.hpp"

#include <array>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>

namespace awaitscope {
namespace {

UniqueFd open_of(ThreadId pid, ThreadId tid, std::string_view name) {
  return UniqueFd(::open(fmt::format("/proc/{}/task/{}/{}", pid, tid, name).c_str(), O_RDONLY | O_CLOEXEC));
}

template <std::size_t N> std::string_view read_into(const UniqueFd &fd, std::array<char, N> &buffer) {
  const ssize_t got = fd.valid() ? ::pread(fd.get(), buffer.data(), buffer.size(), 0) : -1;
  return got > 0 ? std::string_view(buffer.data(), static_cast<std::size_t>(got)) : std::string_view();
}

} // namespace

std::optional<SchedStat> ThreadWatch::schedstat() {
  if (!opened_) {
    opened_ = true;
    schedstat_ = open_of(pid_, tid_, "schedstat");
  }
  std::array<char, 96> buffer{};
  const std::string_view text = read_into(schedstat_, buffer);
  return text.empty() ? std::nullopt : parse_schedstat(text);
}

std::optional<TaskStat> ThreadWatch::stat() {
  if (!stat_.valid()) {
    stat_ = open_of(pid_, tid_, "stat");
  }
  std::array<char, 1024> buffer{};
  const std::string_view text = read_into(stat_, buffer);
  return text.empty() ? std::nullopt : parse_task_stat(text);
}

ThreadWatch::Run ThreadWatch::run() {
  if (!syscall_.valid()) {
    syscall_ = open_of(pid_, tid_, "syscall");
  }
  std::array<char, 160> buffer{};
  const std::string_view text = read_into(syscall_, buffer);
  if (!text.empty()) {
    return text.substr(0, 7) == "running" ? Run::runnable : Run::blocked;
  }
  const std::optional<TaskStat> status = stat();
  if (!status || status->state == 'Z' || status->state == 'X') {
    return Run::ended;
  }
  return status->state == 'R' ? Run::runnable : Run::blocked;
}

int ThreadWatch::processor() {
  const std::optional<TaskStat> status = stat();
  return status ? status->processor : -1;
}

} // namespace awaitscope
