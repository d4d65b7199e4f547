#pragma once

#include <optional>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/process/proc_fs.hpp"
#include "awaitscope/support/unique_fd.hpp"

namespace awaitscope {

/// What the kernel says of one thread, through descriptors that are kept open: a schedstat read takes about 1 µs, the run
/// state 1.3 µs. Once the thread has ended, every call yields nothing; the descriptors never lead to another thread.
class ThreadWatch {
public:
  ThreadWatch() = default;
  ThreadWatch(ThreadId pid, ThreadId tid) : pid_(pid), tid_(tid) {}

  [[nodiscard]] ThreadId tid() const { return tid_; }

  [[nodiscard]] std::optional<SchedStat> schedstat();

  enum class Run : std::uint8_t {
    runnable, ///< on a CPU, or waiting for one
    blocked,
    ended,
  };
  [[nodiscard]] Run run();

  /// The CPU that the thread runs or last ran on, or -1.
  [[nodiscard]] int processor();

  [[nodiscard]] std::optional<TaskStat> stat();

private:
  ThreadId pid_ = 0;
  ThreadId tid_ = 0;
  // Opened at first use: many threads have ended before they are looked at, and most are never seen running.
  bool opened_ = false; ///< schedstat_, if that could be done
  UniqueFd schedstat_;
  UniqueFd syscall_; ///< "running" while runnable (proc_pid_syscall(5)); needs ptrace access
  UniqueFd stat_;
};

} // namespace awaitscope
