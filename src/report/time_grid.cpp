#include "awaitscope/report/time_grid.hpp"

#include <algorithm>

namespace awaitscope {

void TimeGrid::make_room(std::int64_t at_ns) {
  while (at_ns / slot_ns_ >= k_rows * k_most_columns) {
    slot_ns_ *= 2;
    for (std::vector<std::uint64_t> &slots : slots_) {
      for (std::size_t i = 0; i < slots.size(); ++i) {
        const std::uint64_t value = slots[i];
        slots[i] = 0;
        slots[i / 2] += value;
      }
      slots.resize((slots.size() + 1) / 2);
    }
  }
}

void TimeGrid::add(Metric metric, std::int64_t at_ns, std::uint64_t value) {
  if (value == 0 || at_ns < 0) {
    return;
  }
  make_room(at_ns);
  std::vector<std::uint64_t> &slots = slots_[static_cast<std::size_t>(metric)];
  const auto slot = static_cast<std::size_t>(at_ns / slot_ns_);
  if (slot >= slots.size()) {
    slots.resize(slot + 1);
  }
  slots[slot] += value;
}

void TimeGrid::add(const SampleRun &run, const TimeRange &range, bool in_wall) {
  const std::int64_t end_ns = std::min(run.last_ns, range.until_ns);
  make_room(end_ns); // slots keep their width from here on
  Cost left = cost_within(run, range);
  for (std::int64_t at_ns = std::max(run.first_ns, range.since_ns); left.samples > 0 || left.events > 0;) {
    const std::int64_t next_ns = (at_ns / slot_ns_ + 1) * slot_ns_;
    const Cost cost = next_ns > end_ns ? left : cost_within(run, {at_ns, next_ns - 1});
    left.samples -= cost.samples;
    left.events -= cost.events;
    add(Metric::wall, at_ns, in_wall ? cost.samples : 0);
    add(Metric::cpu, at_ns, run.state == ThreadState::running ? cost.samples : 0);
    add(Metric::events, at_ns, cost.events);
    at_ns = next_ns;
  }
}

void TimeGrid::add_await(std::int64_t from_ns, std::int64_t to_ns) {
  make_room(to_ns);
  for (std::int64_t at_ns = from_ns; at_ns < to_ns;) {
    const std::int64_t next_ns = std::min(to_ns, (at_ns / slot_ns_ + 1) * slot_ns_);
    add(Metric::await, at_ns, static_cast<std::uint64_t>(next_ns - at_ns));
    at_ns = next_ns;
  }
}

} // namespace awaitscope
