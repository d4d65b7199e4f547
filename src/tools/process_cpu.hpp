#pragma once

#include <cstdint>
#include <ctime>
#include <optional>

#include "awaitscope/model/ids.hpp"

namespace awaitscope::tools {

/// The CPU time of a whole process by the kernel's own clock of it (clock_getcpuclockid(3)): of every thread, those that
/// ended included, to the nanosecond.
class ProcessCpu {
public:
  explicit ProcessCpu(ThreadId pid);

  /// Used since this was made: what it was last if the process is gone, nothing if it never could be read.
  std::optional<std::uint64_t> used();

private:
  [[nodiscard]] std::optional<std::uint64_t> now() const;

  std::optional<clockid_t> clock_;
  std::optional<std::uint64_t> start_;
  std::optional<std::uint64_t> used_;
};

} // namespace awaitscope::tools
