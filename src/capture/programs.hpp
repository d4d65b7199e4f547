#pragma once

#include <cstdint>
#include <memory>

#include "awaitscope/support/error.hpp"
#include "bpf/switch_capture.h"

namespace awaitscope::capture {

/// The BPF programs, loaded and attached until this is destroyed.
class Programs {
public:
  Programs() = default;
  Programs(const Programs &) = delete;
  Programs &operator=(const Programs &) = delete;
  virtual ~Programs() = default;

  /// What they share with this process.
  [[nodiscard]] virtual CaptureMemory &memory() = 0;
  /// Does the one for timers run?
  [[nodiscard]] virtual bool at_timers() const = 0;
  /// Does the one for wakings?
  [[nodiscard]] virtual bool at_wakings() const = 0;
  /// Has them read this perf event. False if they cannot.
  virtual bool count(int event) = 0;
  /// Sleeps until one of them wakes the sampler, or until then (CLOCK_MONOTONIC), or a signal.
  virtual void wait(std::int64_t until_ns) = 0;
};

/// Fails where this executable has none, and where the kernel refuses them.
Result<std::unique_ptr<Programs>> load_programs();

} // namespace awaitscope::capture
