#pragma once

#include <cstdint>
#include <random>

namespace awaitscope {

/// When to sample: one tick at a random moment of each period, so that the program and the sampler never run in step, and
/// the rate is kept exactly. A period that has passed unseen is missed: ticks are never bunched up to make good for it.
class Pacer {
public:
  /// Times in nanoseconds of one monotonic clock.
  Pacer(std::int64_t start_ns, double rate_hz, std::uint64_t seed);

  struct Tick {
    std::int64_t due_ns = 0;
    std::uint64_t missed = 0; ///< periods skipped since the tick before
  };
  /// The next tick, at or after now.
  Tick next(std::int64_t now_ns);

  /// From the end of the current period on: its tick, which may have been early in it, stands for the whole of it.
  void change_rate(std::int64_t now_ns, double rate_hz);

private:
  std::int64_t start_ns_;
  double period_ns_;
  std::uint64_t period_ = 0; ///< index of the period of the next tick
  std::mt19937_64 random_;
};

} // namespace awaitscope
