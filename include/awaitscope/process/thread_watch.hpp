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
  ThreadWatch(ThreadId pid, ThreadId tid);

  [[nodiscard]] ThreadId tid() const { return tid_; }
  [[nodiscard]] bool valid() const { return schedstat_.valid(); }

  [[nodiscard]] std::optional<SchedStat> schedstat() const;

  enum class Run : std::uint8_t {
    runnable, ///< on a CPU, or waiting for one
    blocked,
    ended,
  };
  [[nodiscard]] Run run();

  /// The CPU that the thread runs or last ran on, or -1.
  [[nodiscard]] int processor();

private:
  [[nodiscard]] std::optional<TaskStat> stat();

  ThreadId pid_ = 0;
  ThreadId tid_ = 0;
  UniqueFd schedstat_;
  // Opened at first use: most threads are never seen running.
  UniqueFd syscall_; ///< "running" while runnable (proc_pid_syscall(5)); needs ptrace access
  UniqueFd stat_;
};

} // namespace awaitscope
