#pragma once

#include <array>
#include <csignal>
#include <cstdint>

#include <sys/resource.h>

namespace awaitscope {

/// struct sched_attr of <linux/sched/types.h>, SCHED_ATTR_SIZE_VER0 (glibc before 2.41 declares none).
struct SchedulingState {
  std::uint32_t size = 48;
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};
static_assert(sizeof(SchedulingState) == 48);

/// What a process has from the one that started it, and passes on at execve(2), as far as this program changes it: which signals
/// are ignored, the limits, and of the calling thread scheduling and timer slack. Everything else (mask of signals, CPUs, umask,
/// capabilities) is passed on because nothing here changes it while a command may be started.
class InheritedState {
public:
  /// Of this process and thread. To be taken before anything is changed.
  InheritedState();

  [[nodiscard]] bool ignores(int signal) const { return sigismember(&ignored_, signal) == 1; }

  /// Puts all of it back, as far as the system allows. Async-signal-safe: for a child between fork(2) and execve(2). Signals that
  /// were not ignored get their default action.
  void restore() const;

private:
  sigset_t ignored_{};
  std::array<rlimit, RLIM_NLIMITS> limits_{};
  SchedulingState scheduling_;
  unsigned long timer_slack_ns_ = 0;
};

} // namespace awaitscope
