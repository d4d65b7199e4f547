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

} // namespace

std::optional<SchedStat> ThreadWatch::schedstat() {
  if (!opened_) {
    opened_ = true;
    schedstat_ = open_of(pid_, tid_, "schedstat");
  }
  std::array<char, 96> buffer{};
  const std::string_view text = read_again(schedstat_, buffer);
  return text.empty() ? std::nullopt : parse_schedstat(text);
}

std::optional<TaskStat> ThreadWatch::stat() {
  if (!stat_.valid()) {
    stat_ = open_of(pid_, tid_, "stat");
  }
  std::array<char, 1024> buffer{};
  const std::string_view text = read_again(stat_, buffer);
  return text.empty() ? std::nullopt : parse_task_stat(text);
}

ThreadWatch::Run ThreadWatch::run() {
  if (!syscall_.valid()) {
    syscall_ = open_of(pid_, tid_, "syscall");
  }
  std::array<char, 160> buffer{};
  const std::string_view text = read_again(syscall_, buffer);
  if (!text.empty()) {
    return text.substr(0, 7) == "running" ? Run::runnable : Run::blocked;
  }
  const std::optional<TaskStat> status = stat();
  if (!status || status->state == 'Z' || status->state == 'X') {
    return Run::ended;
  }
  return status->state == 'R' ? Run::runnable : Run::blocked;
}

std::optional<std::int64_t> ThreadWatch::accounted_ns() {
  if (!sched_.valid()) {
    sched_ = open_of(pid_, tid_, "sched");
  }
  std::array<char, 512> buffer{};
  const std::string_view text = read_again(sched_, buffer);
  return text.empty() ? std::nullopt : parse_exec_start(text);
}

int ThreadWatch::processor() {
  const std::optional<TaskStat> status = stat();
  return status ? status->processor : -1;
}

} // namespace awaitscope
