#pragma once

#include <array>
#include <csignal>
#include <cstdint>

#include <sys/resource.h>

#include "awaitscope/process/scheduling_attributes.hpp"

namespace awaitscope {

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
  SchedulingAttributes scheduling_;
  unsigned long timer_slack_ns_ = 0;
};

} // namespace awaitscope
