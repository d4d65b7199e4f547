#pragma once

#include <cstdint>
#include <optional>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/support/unique_fd.hpp"

namespace awaitscope {

/// Counts the CPU time of a thread from now on, and goes on to tell it after the thread has ended, which /proc does not: the
/// kernel's task-clock (perf_event_open(2)). While there is one, each context switch of the thread costs some 0.3 µs more. The
/// first one of the machine takes the kernel some 20 ms (kernel/events/core.c, account_event() waits for every CPU): whoever
/// cannot wait has another one opened before.
class TaskClock {
public:
  /// `tid` 0 is the calling thread. Nothing where that is not permitted, or there is no such thread.
  static std::optional<TaskClock> open(ThreadId tid);

  /// Nanoseconds since it was opened.
  [[nodiscard]] std::optional<std::uint64_t> read() const;

private:
  explicit TaskClock(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

} // namespace awaitscope
