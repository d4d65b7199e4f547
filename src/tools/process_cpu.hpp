#pragma once

#include <cstdint>
#include <optional>

#include "awaitscope/process/process_clock.hpp"

namespace awaitscope::tools {

/// The CPU time that a whole process uses from now on.
class ProcessCpu {
public:
  explicit ProcessCpu(ThreadId pid) : clock_(pid), start_(clock_.now()) {}

  /// Used since this was made: what it was last if the process is gone, nothing if it never could be read.
  std::optional<std::uint64_t> used();

private:
  ProcessClock clock_;
  std::optional<std::uint64_t> start_;
  std::optional<std::uint64_t> used_;
};

} // namespace awaitscope::tools
