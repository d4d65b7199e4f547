#include "awaitscope/sampler/last_periods.hpp"

#include <utility>

#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

constexpr std::int64_t k_young_ns = k_ns_per_second;

} // namespace

void LastPeriods::sampled(const Sample &sample, const std::string &thread_name, std::uint64_t cpu_ns,
                          ThreadWatch &watch) {
  if (!permitted_ || sample.tid == sample.process) { // the first thread ends with the process
    return;
  }
  const auto [entry, fresh] = lives_.try_emplace(sample.tid);
  Life &life = entry->second;
  if (fresh) {
    life.first_ns = sample.time_ns;
    if (auto clock = PerfCounter::open(event_, sample.tid, Inherit::nothing)) {
      life.clock = std::move(*clock);
    }
    permitted_ = life.clock.has_value();
  } else if (life.clock && sample.time_ns - life.first_ns > k_young_ns) {
    life = Life();
  }
  if (life.clock) {
    const std::uint64_t now_ns = watch.schedstat().value_or(SchedStat{}).cpu_ns;
    life.untold_ns = now_ns > cpu_ns ? now_ns - cpu_ns : 0;
    life.clock_ns = life.clock->read().value_or(EventCount{}).counted;
    life.last = sample;
    life.thread_name = thread_name;
  }
}

void LastPeriods::ended(ThreadId tid, SampleSink &sink) {
  const auto entry = lives_.find(tid);
  if (entry == lives_.end()) {
    return;
  }
  Life &life = entry->second;
  const std::uint64_t clock_ns = life.clock ? life.clock->read().value_or(EventCount{}).counted : 0;
  life.last.cpu_ns = life.untold_ns + (clock_ns > life.clock_ns ? clock_ns - life.clock_ns : 0);
  if (life.last.cpu_ns > 0) {
    life.last.events = 0;
    life.last.weight = 0;
    life.last.time_ns = monotonic_ns();
    sink.consume(life.last, life.thread_name);
  }
  lives_.erase(entry);
}

} // namespace awaitscope
