#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/process/proc_fs.hpp"
#include "awaitscope/support/unique_fd.hpp"

namespace awaitscope {

/// What the kernel says of one thread, through descriptors that are kept open: a schedstat read takes about 1 µs, the run
/// state 1.3 µs. Once the thread has ended, every call yields nothing; the descriptors never lead to another thread. Where there
/// is no room for more descriptors (leaves_descriptors()) the file is opened at each call, some 5 µs.
class ThreadWatch {
public:
  ThreadWatch() = default;
  ThreadWatch(ThreadId pid, ThreadId tid) : pid_(pid), tid_(tid) {}

  [[nodiscard]] ThreadId pid() const { return pid_; }
  [[nodiscard]] ThreadId tid() const { return tid_; }

  [[nodiscard]] std::optional<SchedStat> schedstat();

  enum class Run : std::uint8_t {
    runnable, ///< on a CPU, or waiting for one
    blocked,
    ended,
  };
  [[nodiscard]] Run run();

  /// The address that it waited for in futex(2) when run() last found it blocked; 0: it was in another call, or that is not known.
  [[nodiscard]] Address futex() const { return futex_; }

  /// The number of the system call in which run() last found it blocked; none: it was in none, or that is not known.
  [[nodiscard]] std::optional<int> system_call() const { return system_call_; }

  /// Where a blocked thread is in user space: its stack pointer, and the instruction that it goes on with.
  struct UserPlace {
    Address stack_pointer = 0;
    Address instruction = 0;
  };
  /// Nothing if it is not blocked, or that is not known (proc_pid_syscall(5)).
  [[nodiscard]] std::optional<UserPlace> blocked_at();

  /// When the scheduler last brought the account of its running up to date, in nanoseconds of its CPU's run-queue clock: at ticks,
  /// and when it leaves the CPU. So of two threads, one of which came to run in place of the other, both have the same time until
  /// the next tick (kernel/sched/fair.c, update_curr(); kernel/sched/rt.c, update_curr_rt()). Nothing where the kernel does not
  /// say (before 6.15 without CONFIG_SCHED_DEBUG). Takes 3 µs.
  [[nodiscard]] std::optional<std::int64_t> accounted_ns();

  /// The CPU that the thread runs or last ran on, or -1.
  [[nodiscard]] int processor();

  [[nodiscard]] std::optional<TaskStat> stat();

private:
  std::string_view read(UniqueFd &kept, std::string_view name, std::span<char> room) const;

  ThreadId pid_ = 0;
  ThreadId tid_ = 0;
  // Opened at first use: many threads have ended before they are looked at, and most are never seen running.
  Address futex_ = 0;
  std::optional<int> system_call_;
  bool ended_ = false; ///< schedstat is not there (any more)
  UniqueFd schedstat_;
  UniqueFd syscall_; ///< "running" while runnable (proc_pid_syscall(5)); needs ptrace access
  UniqueFd stat_;
  UniqueFd sched_;
};

} // namespace awaitscope
