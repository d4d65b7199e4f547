#include "awaitscope/sampler/pacer.hpp"

#include <algorithm>

namespace awaitscope {

Pacer::Pacer(std::int64_t start_ns, double rate_hz, std::uint64_t seed)
    : start_ns_(start_ns), period_ns_(1e9 / rate_hz), random_(seed) {}

Pacer::Tick Pacer::next(std::int64_t now_ns) {
  Tick tick;
  const auto elapsed = static_cast<double>(now_ns - start_ns_);
  const auto current = static_cast<std::uint64_t>(std::max(0.0, elapsed / period_ns_));
  if (current > period_) {
    // The tick of the current period is still to come or just due; those of the periods before it are lost.
    tick.missed = current - period_;
    period_ = current;
  }
  const double place = std::uniform_real_distribution<double>(0.0, 1.0)(random_);
  tick.due_ns = start_ns_ + static_cast<std::int64_t>((static_cast<double>(period_) + place) * period_ns_);
  ++period_;
  return tick;
}

void Pacer::change_rate(std::int64_t now_ns, double rate_hz) {
  const auto end = start_ns_ + static_cast<std::int64_t>(static_cast<double>(period_) * period_ns_);
  start_ns_ = std::max(now_ns, end);
  period_ns_ = 1e9 / rate_hz;
  period_ = 0;
}

} // namespace awaitscope
