#include "awaitscope/sampler/rate_control.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

constexpr std::int64_t k_step_ns = k_ns_per_second / 10;
constexpr std::int64_t k_window_ns = k_ns_per_second;
constexpr std::uint64_t k_least_ticks = 4; // what a single tick costs says little
constexpr double k_least_hz = 1;
constexpr double k_headroom = 0.9;   // aimed at, of the limit
constexpr double k_least_part = 0.5; // of the limit, however much is overdrawn: the rate must not die
constexpr double k_doubling_ns = 1e9;
constexpr double k_saving_ns = 2e9;         // what is overdrawn is saved in about this time
constexpr double k_most_overdrawn_ns = 5e9; // times the share: what is older than that is forgiven
constexpr double k_worth_a_change = 0.03;

} // namespace

void RateControl::start(std::int64_t now_ns, std::int64_t cost_ns) { steps_ = {{now_ns, cost_ns, 0}}; }

bool RateControl::due(std::int64_t now_ns) const {
  return most_share_ && !steps_.empty() && now_ns - steps_.back().at_ns >= k_step_ns;
}

/// The rate at which the limit would be met, if ticks cost what they did during the last second.
double RateControl::affordable_hz() const {
  const Step &first = steps_.front();
  const Step &last = steps_.back();
  const double cost = std::max(1.0, static_cast<double>(last.cost_ns - first.cost_ns));
  const double ticks = std::max(1.0, static_cast<double>(last.ticks - first.ticks));
  const double share = std::max(k_least_part * *most_share_, k_headroom * *most_share_ - overdrawn_ns_ / k_saving_ns);
  return share * 1e9 * ticks / cost;
}

void RateControl::keep_account(const Step &step) {
  const Step &last = steps_.back();
  const double allowed = *most_share_ * static_cast<double>(step.at_ns - last.at_ns);
  overdrawn_ns_ = std::clamp(overdrawn_ns_ + static_cast<double>(step.cost_ns - last.cost_ns) - allowed, 0.0,
                             k_most_overdrawn_ns * *most_share_);
  steps_.push_back(step);
  while (steps_.size() > 2 && step.at_ns - steps_[1].at_ns >= k_window_ns &&
         step.ticks - steps_[1].ticks >= k_least_ticks) {
    steps_.pop_front();
  }
}

std::optional<double> RateControl::look(std::int64_t now_ns, std::int64_t cost_ns, std::uint64_t ticks) {
  if (!due(now_ns)) {
    return std::nullopt;
  }
  const auto passed = static_cast<double>(now_ns - steps_.back().at_ns);
  keep_account({now_ns, cost_ns, ticks});
  if (ticks - steps_.front().ticks < k_least_ticks) {
    return std::nullopt;
  }
  const double affordable = std::max(k_least_hz, affordable_hz());
  const double risen = rate_hz_ * std::exp2(passed / k_doubling_ns);
  const double rate = std::min({asked_hz_, affordable, std::max(rate_hz_, risen)});
  if (std::abs(rate - rate_hz_) < k_worth_a_change * rate_hz_ && rate != asked_hz_) {
    return std::nullopt;
  }
  return rate == rate_hz_ ? std::nullopt : std::optional(rate_hz_ = rate);
}

std::uint64_t RateControl::weight() {
  constexpr double k_rounding = 1e-6;
  rest_ += asked_hz_ / rate_hz_;
  const double whole = std::floor(rest_ + k_rounding);
  rest_ -= whole;
  return static_cast<std::uint64_t>(whole);
}

bool is_much_missed(std::uint64_t ticks, std::uint64_t late) {
  constexpr std::uint64_t k_enough = 10;
  constexpr std::uint64_t k_part = 10;
  return late >= k_enough && late * k_part >= ticks + late;
}

bool LateTicks::notice(std::int64_t now_ns, std::uint64_t ticks, std::uint64_t late) {
  if (since_ns_ != 0 && now_ns - since_ns_ < k_ns_per_second) {
    return false;
  }
  const bool many = since_ns_ != 0 && is_much_missed(ticks - ticks_, late - late_);
  since_ns_ = now_ns;
  ticks_ = ticks;
  late_ = late;
  return many && !std::exchange(noticed_, true);
}

} // namespace awaitscope
