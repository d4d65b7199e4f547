#include "awaitscope/report/costs.hpp"

#include <algorithm>

namespace awaitscope {
namespace {

/// value * part / whole; the parts of a whole are of one run.
std::uint64_t share(std::uint64_t value, std::uint64_t part, std::uint64_t whole) {
  return static_cast<std::uint64_t>(static_cast<long double>(value) * static_cast<long double>(part) /
                                    static_cast<long double>(whole));
}

/// How many of `count` moments, evenly from `first` to `last`, are before `moment`.
std::uint64_t moments_before(const SampleRun &run, std::int64_t moment) {
  if (moment <= run.first_ns) {
    return 0;
  }
  if (moment > run.last_ns) {
    return run.count;
  }
  // The moment i is at first + i * step: those with i < (moment - first) / step.
  const long double step =
      static_cast<long double>(run.last_ns - run.first_ns) / static_cast<long double>(run.count - 1);
  const auto before = static_cast<std::uint64_t>(static_cast<long double>(moment - run.first_ns - 1) / step) + 1;
  return std::min(before, run.count);
}

} // namespace

Cost &Cost::operator+=(const Cost &other) {
  samples += other.samples;
  cpu_ns += other.cpu_ns;
  events += other.events;
  await_ns += other.await_ns;
  return *this;
}

std::uint64_t value_of(const Cost &cost, Metric metric) {
  switch (metric) {
  case Metric::wall:
    return cost.samples;
  case Metric::cpu:
    return cost.cpu_ns;
  case Metric::events:
    return cost.events;
  case Metric::await:
    break;
  }
  return cost.await_ns;
}

std::string_view name_of(Metric metric) {
  switch (metric) {
  case Metric::wall:
    return "wall";
  case Metric::cpu:
    return "cpu";
  case Metric::events:
    return "events";
  case Metric::await:
    break;
  }
  return "await";
}

std::int64_t TimeRange::overlap(std::int64_t from_ns, std::int64_t to_ns) const {
  return std::max<std::int64_t>(0, std::min(to_ns, until_ns) - std::max(from_ns, since_ns));
}

Cost cost_within(const SampleRun &run, const TimeRange &range) {
  if (run.left_out) {
    return {};
  }
  if (run.first_ns >= range.since_ns && run.last_ns <= range.until_ns) {
    return {run.count, 0, run.events, 0};
  }
  if (run.count == 0) {
    return {};
  }
  const std::uint64_t end = range.until_ns >= run.last_ns ? run.count : moments_before(run, range.until_ns + 1);
  const std::uint64_t begin = moments_before(run, range.since_ns);
  const std::uint64_t inside = end > begin ? end - begin : 0;
  return {inside, 0, share(run.events, inside, run.count), 0};
}

std::size_t StackCosts::KeyHash::operator()(const Key &key) const {
  constexpr std::uint64_t k_mix = 0x9E3779B97F4A7C15ULL;
  std::uint64_t hash = (std::uint64_t{key.thread} << 32U | key.task_name) * k_mix;
  hash = (hash ^ (std::uint64_t{key.coroutine} << 32U | key.stack)) * k_mix;
  hash = (hash ^ key.process) * k_mix;
  const std::uint64_t flags = static_cast<std::uint64_t>(key.state) << 2U |
                              static_cast<std::uint64_t>(key.in_task) << 1U | static_cast<std::uint64_t>(key.suspended);
  hash = (hash ^ flags) * k_mix;
  return hash ^ (hash >> 32U);
}

StackCosts::Key key_of(const RecordingTables &tables, const SampleRun &run) {
  StackCosts::Key key;
  key.thread = run.thread;
  key.task_name = tables.tasks[run.task].name;
  key.stack = run.stack;
  key.state = run.state;
  key.in_task = run.task != 0;
  return key;
}

StackCosts::Key key_of_wait(const RecordingTables &tables, const TaskSpan &span) {
  const RecordedTask &task = tables.tasks[span.task];
  StackCosts::Key key;
  key.stack = span.stack;
  key.state = ThreadState::idle;
  key.in_task = span.root_thread == 0;
  if (key.in_task) {
    key.task_name = tables.tasks[span.root == 0 ? span.task : span.root].name;
  } else {
    key.thread = span.root_thread - 1;
  }
  key.suspended = true;
  key.coroutine = task.coroutine;
  key.process = task.process;
  return key;
}

void StackCosts::add(const RecordingTables &tables, const SampleRun &run, const TimeRange &range) {
  last_ns = std::max(last_ns, run.last_ns);
  cpu_.add(run);
  const Cost cost = cost_within(run, range);
  if (cost.samples == 0 && cost.events == 0) {
    return;
  }
  stacks_[key_of(tables, run)] += cost;
  samples_in[static_cast<std::size_t>(run.state)] += cost.samples;
  sum_ += cost;
}

void StackCosts::add_wait(const RecordingTables &tables, const TaskSpan &span, std::uint64_t waited_ns) {
  const Cost cost{0, 0, 0, waited_ns};
  stacks_[key_of_wait(tables, span)] += cost;
  sum_ += cost;
}

std::uint64_t unsampled_events(const SamplingTotals &totals, std::uint64_t sampled) {
  const std::uint64_t all = totals.process_events.value_or(EventCount{}).scaled();
  return all > sampled ? all - sampled : 0;
}

void StackCosts::finish(const RecordingReader &reader, const TimeRange &range) {
  const bool time_is_event = reader.info().event_source == EventSource::cpu_time;
  cpu_.finish(reader);
  for (auto &[key, cost] : stacks_) {
    cost.cpu_ns = key.state == ThreadState::running && !key.suspended ? cpu_.cpu_ns(key.thread, cost.samples) : 0;
    sum_.cpu_ns += cost.cpu_ns;
    if (time_is_event) {
      cost.events = cost.cpu_ns;
    }
  }
  sum_.events = time_is_event ? sum_.cpu_ns : sum_.events;
  if (range.everything()) {
    unsampled.cpu_ns = cpu_.unsampled_ns();
    unsampled.events = time_is_event ? unsampled.cpu_ns : unsampled_events(reader.totals(), sum_.events);
  }
}

Result<StackCosts> read_costs(RecordingReader &reader, const TimeRange &range) {
  StackCosts costs;
  const RecordingTables &tables = reader.tables();
  TaskSpans waits([&](const TaskSpan &span) {
    const std::int64_t waited = range.overlap(span.from_ns, span.to_ns);
    if (span.state == TaskState::waiting && waited > 0) {
      costs.add_wait(tables, span, static_cast<std::uint64_t>(waited));
    }
  });
  const Result<void> read = reader.each_block([&]() -> Result<void> {
    for (const SampleRun &run : reader.samples()) {
      costs.add(tables, run, range);
    }
    for (const RecordedTaskChange &change : reader.task_changes()) {
      waits.add(change);
      ++costs.task_changes;
    }
    return {};
  });
  if (!read) {
    return tl::unexpected(read.error());
  }
  waits.finish(std::max(costs.last_ns, reader.totals().elapsed_ns));
  costs.finish(reader, range);
  return costs;
}

} // namespace awaitscope
