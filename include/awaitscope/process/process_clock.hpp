#pragma once

#include <cstdint>
#include <ctime>
#include <optional>

#include "awaitscope/model/ids.hpp"

namespace awaitscope {

/// The kernel's own clock of a process (clock_getcpuclockid(3)): the CPU time of all of its threads, those that ended
/// included, to the nanosecond. Anybody may read it.
class ProcessClock {
public:
  explicit ProcessClock(ThreadId pid);

  /// Nanoseconds; nothing if the process is gone. Of a thread that is on no CPU it has what schedstat has (kernel/sched/core.c,
  /// task_sched_runtime()); of one that runs it is the newer of the two.
  [[nodiscard]] std::optional<std::uint64_t> now() const;

private:
  std::optional<clockid_t> clock_;
};

} // namespace awaitscope
