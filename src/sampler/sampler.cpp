#include "awaitscope/sampler/sampler.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <random>
#include <span>
#include <utility>

#include <unistd.h>

#include "awaitscope/process/image_identity.hpp"
#include "awaitscope/sampler/sample_batch.hpp"
#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

constexpr std::int64_t k_progress_ns = k_ns_per_second / 4;
constexpr std::int64_t k_longest_sleep_ns = k_ns_per_second / 10; // so that a stop is noticed at any rate
constexpr std::int64_t k_shortest_sleep_ns = 20'000;

/// Now, as /proc/PID/stat says when a process started: in clock ticks since the machine booted (proc_pid_stat(5), starttime).
std::uint64_t boot_ticks() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  const std::int64_t ns = std::int64_t{now.tv_sec} * k_ns_per_second + now.tv_nsec;
  return static_cast<std::uint64_t>(ns / (k_ns_per_second / ::sysconf(_SC_CLK_TCK)));
}

} // namespace

/// Before it sleeps: what it has used of its CPU since it woke up.
void Sampler::note_busy() {
  const std::int64_t cpu_ns = thread_cpu_ns();
  const std::int64_t busy_ns = cpu_ns - std::exchange(slept_at_cpu_ns_, cpu_ns);
  totals_.busy_ns += busy_ns;
  totals_.longest_busy_ns = std::max(totals_.longest_busy_ns, busy_ns);
}

bool Sampler::sleep_until(std::int64_t due_ns, const std::atomic<bool> &stop) {
  while (!stop.load(std::memory_order_relaxed)) {
    const std::int64_t now = monotonic_ns();
    if (now >= due_ns) { // else than after a sleep, the tick is late, and belongs to the work before it
      return true;
    }
    const std::int64_t until = std::min(due_ns, now + k_longest_sleep_ns);
    note_busy();
    const timespec at{until / k_ns_per_second, until % k_ns_per_second};
    const bool sleeps = until - now >= k_shortest_sleep_ns; // else it all is one piece of work
    if (sleeps) {
      engine_.expect_tick();
    }
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr); // a signal ends it early, which is as well
    if (sleeps) {
      engine_.end_wait();
    }
  }
  return false;
}

void Sampler::add(std::unique_ptr<Target> target, SampleSink &sink) {
  const ThreadId pid = target->process().pid();
  const std::uint64_t start_time = image_identity(pid).value_or(ImageIdentity{}).start_time;
  const bool fresh = met_.emplace(pid, start_time).second; // else it is another program now
  const CountFrom from = fresh && start_time >= start_time_ && start_time_ != 0 ? CountFrom::birth : CountFrom::now;
  totals_.processes = met_.size();
  sink.meet(target->describe());
  processes_.push_back(std::make_unique<ProcessSampler>(std::move(target), engine_, options_, from, totals_));
}

/// Whether a process that could not be sampled has ended, or cannot be read for another reason, which is not its end.
bool Sampler::is_over(const ProcessSampler &process) {
  const Result<void> readable = process.check_readable();
  if (!readable && readable.error().status != ExitStatus::no_target && !failure_) {
    failure_ = readable.error();
    failure_->what = "a process that still runs is not sampled any more: " + failure_->what;
  }
  return !readable;
}

/// Before a process is let go: its counters outlive it, but not its sampler.
void Sampler::close(ProcessSampler &process) {
  if (const std::optional<std::uint64_t> cpu_ns = process.cpu_ns()) {
    closed_cpu_.push_back({process.pid(), *cpu_ns});
  }
  closed_uncounted_ += process.uncounted();
  const std::optional<EventCount> count = process.event_count();
  closed_events_ += count.value_or(EventCount{});
  events_known_ = events_known_ && count;
}

void Sampler::count_events() {
  totals_.uncounted_threads = closed_uncounted_;
  EventCount sum = closed_events_;
  bool known = options_.event && events_known_;
  for (const auto &process : processes_) {
    const std::optional<EventCount> count = known ? process->event_count() : std::nullopt;
    known = known && count;
    sum += count.value_or(EventCount{});
    totals_.uncounted_threads += process->uncounted();
  }
  totals_.process_events = known ? std::optional(sum) : std::nullopt;
}

void Sampler::count_cpu() {
  totals_.process_cpu = closed_cpu_;
  for (const auto &process : processes_) {
    if (const std::optional<std::uint64_t> cpu_ns = process->cpu_ns()) {
      totals_.process_cpu.push_back({process->pid(), *cpu_ns});
    }
  }
  totals_.process_cpu_ns.reset();
  for (const ProcessCpu &process : totals_.process_cpu) {
    totals_.process_cpu_ns = totals_.process_cpu_ns.value_or(0) + process.cpu_ns;
  }
}

void Sampler::take_events(SampleSink &sink) {
  for (ProcessFollower::Event &event : follower_.take()) {
    // The process has become another program, or has ended: what was known of it is void.
    std::erase_if(processes_, [&](const auto &process) {
      const bool over = process->pid() == event.pid;
      if (over) {
        close(*process);
      }
      return over;
    });
    if (event.target) {
      add(std::move(event.target), sink);
    }
  }
}

/// False once no process is left.
bool Sampler::tick(SampleSink &sink, std::uint64_t weight, std::optional<std::uint64_t> others_weight) {
  ++totals_.ticks;
  targets_.clear();
  for (const auto &process : processes_) {
    targets_.push_back(&process->target());
  }
  engine_.begin_tick(targets_);
  using Health = ProcessSampler::Health;
  const ProcessSampler::Tick tick{monotonic_ns(), weight, others_weight};
  for (const auto &process : processes_) {
    process->ask_threads(tick);
  }
  std::vector<const ProcessSampler *> ended;
  for (const auto &process : processes_) {
    if (process->sample_running(tick, sink) == Health::ended) {
      ended.push_back(process.get());
    }
  }
  const bool amid = others_weight == 0; // of ticks that the kernel samples
  std::vector<const ProcessSampler *> over;
  for (const auto &process : processes_) {
    const bool is_ended = std::ranges::find(ended, process.get()) != ended.end() ||
                          process->sample_rest(tick, sink) == Health::ended ||
                          (!amid && process->housekeep(tick.now_ns, sink) == Health::ended);
    if (is_ended && is_over(*process)) {
      close(*process);
      over.push_back(process.get());
    }
  }
  std::erase_if(processes_, [&](const auto &process) { return std::ranges::find(over, process.get()) != over.end(); });
  for (const auto &process : processes_) {
    if (!amid) {
      process->prepare();
    }
  }
  // In this order: the follower stops expecting after it has reported what came of it.
  return !processes_.empty() || follower_.expects_more() || follower_.has_events();
}

/// From this tick on, as many as the kernel may sample by itself, and then one more; else only this one.
void Sampler::plan(std::int64_t due_ns, std::int64_t end_ns, Pacer &pacer) {
  due_.assign(1, due_ns);
  const std::size_t armed = processes_.size() == 1 ? processes_.front()->ticks_to_arm(rate_.rate_hz()) : 0;
  const auto longest = static_cast<double>(armed + 1) * 1e9 / rate_.rate_hz();
  if (static_cast<double>(due_ns) + longest < static_cast<double>(end_ns)) {
    while (due_.size() <= armed) {
      due_.push_back(pacer.next(due_ns).due_ns);
    }
  }
}

/// Runs the ticks of the plan. False once the recording is over.
bool Sampler::run_ticks(SampleSink &sink, const std::atomic<bool> &stop) {
  const auto alone = std::span(due_).first(due_.size() - 1);
  if (!alone.empty() && processes_.front()->arm(alone)) {
    return drain_ticks(*processes_.front(), sink, stop);
  }
  return std::all_of(due_.begin(), due_.end(),
                     [&](std::int64_t due_ns) { return sleep_until(due_ns, stop) && tick(sink, rate_.weight()); });
}

bool Sampler::drain_ticks(ProcessSampler &process, SampleSink &sink, const std::atomic<bool> &stop) {
  std::uint64_t weight = rate_.weight();
  std::uint64_t sum = weight;
  while (!stop.load(std::memory_order_relaxed)) {
    const ProcessSampler::Drained drained = process.drain(sink, weight);
    if (drained != ProcessSampler::Drained::none) {
      if (drained == ProcessSampler::Drained::needs_sampler) {
        const bool goes_on = tick(sink, weight, 0);
        if (!goes_on || processes_.empty()) { // `process` has ended, and others may be expected
          return goes_on;
        }
      }
      const std::uint64_t alone = drained == ProcessSampler::Drained::sampled ? 1 : 0;
      totals_.ticks += alone;
      totals_.alone += alone;
      weight = rate_.weight();
      sum += weight;
      continue;
    }
    const std::int64_t now = monotonic_ns();
    if (now >= due_.back()) {
      process.disarm();
      return tick(sink, weight, sum);
    }
    note_busy();
    engine_.expect_tick();
    engine_.kernel_ticks()->wait(std::min(due_.back(), now + k_longest_sleep_ns));
    engine_.end_wait();
  }
  process.disarm();
  return false;
}

/// See RateControl.
std::int64_t Sampler::cost_ns() const {
  return engine_.held_ns() + (options_.most_share ? own_cpu_ns() - cpu_before_ns_ : 0);
}

void Sampler::control_rate(std::int64_t now, Pacer &pacer) {
  if (!rate_.due(now)) {
    return;
  }
  if (const std::optional<double> rate = rate_.look(now, cost_ns(), totals_.ticks)) {
    pacer.change_rate(now, *rate);
    const auto millihertz = static_cast<std::uint64_t>(std::llround(*rate * 1000));
    totals_.slowest_millihertz =
        totals_.slowest_millihertz == 0 ? millihertz : std::min(totals_.slowest_millihertz, millihertz);
  }
}

SamplingTotals Sampler::run(std::unique_ptr<Target> first, SampleSink &sink, const std::atomic<bool> &stop) {
  SampleBatch batch(sink);
  const auto first_clock =
      PerfCounter::open(task_clock_event(), 0, Inherit::nothing); // so that those of threads need no time
  const std::int64_t start = start_ns_ = monotonic_ns();
  const std::int64_t end = options_.duration_ns ? start + *options_.duration_ns : INT64_MAX;
  options_.over = [end, &stop] { return stop.load(std::memory_order_relaxed) || monotonic_ns() >= end; };
  Pacer pacer(start, options_.rate_hz, std::random_device{}());
  next_progress_ns_ = start + k_progress_ns;
  batch.between([this] { engine_.rest_if_long(); });
  batch.before_flush([this, &batch] {
    for (const auto &process : processes_) {
      const std::size_t dropped = process->drop_unconfirmed(batch);
      totals_.samples -= dropped;
      totals_.lost[static_cast<std::size_t>(Loss::unreadable)] += dropped;
    }
  });
  const auto settle = [&] {
    batch.flush();
    totals_.elapsed_ns = monotonic_ns() - start;
    totals_.tool_cpu_ns = own_cpu_ns() - cpu_before_ns_;
    count_events();
    count_cpu();
  };
  add(std::move(first), batch);
  start_time_ = boot_ticks();
  cpu_before_ns_ = own_cpu_ns();
  slept_at_cpu_ns_ = thread_cpu_ns();
  rate_.start(start, cost_ns());
  while (true) {
    const Pacer::Tick due = pacer.next(std::min(monotonic_ns(), end)); // what was due after the end is not missed
    totals_.lost[static_cast<std::size_t>(Loss::late)] += due.missed;
    if (due.due_ns >= end) {
      sleep_until(end, stop);
      break;
    }
    plan(due.due_ns, end, pacer);
    if (!run_ticks(batch, stop)) {
      break;
    }
    if (follower_.has_events()) {
      engine_.rest();
      take_events(batch);
    }
    const std::int64_t now = monotonic_ns();
    control_rate(now, pacer);
    if (now >= next_progress_ns_) {
      next_progress_ns_ = now + k_progress_ns;
      settle();
      if (progress_) {
        progress_(totals_);
      }
    }
  }
  engine_.rest();
  for (const auto &process : processes_) {
    process->finish(batch);
  }
  settle();
  return totals_;
}

} // namespace awaitscope
