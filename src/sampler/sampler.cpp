#include "awaitscope/sampler/sampler.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "awaitscope/sampler/pacer.hpp"
#include "awaitscope/sampler/sample_batch.hpp"
#include "awaitscope/stitch/stitch.hpp"
#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

constexpr std::int64_t k_housekeeping_ns = k_ns_per_second / 4;
constexpr std::int64_t k_progress_ns = k_ns_per_second / 4;
constexpr std::int64_t k_longest_sleep_ns = k_ns_per_second / 10; // so that a stop is noticed at any rate

bool is_whole(const LogicalStack &stack) {
  return std::none_of(stack.frames.begin(), stack.frames.end(),
                      [](const Frame &frame) { return frame.kind == FrameKind::unreadable; });
}

} // namespace

void Sampler::lose(Loss loss, std::uint64_t count) { totals_.lost[static_cast<std::size_t>(loss)] += count; }

bool Sampler::sleep_until(std::int64_t due_ns, const std::atomic<bool> &stop) const {
  while (!stop.load(std::memory_order_relaxed)) {
    const std::int64_t now = monotonic_ns();
    if (now >= due_ns) {
      return true;
    }
    const std::int64_t until = std::min(due_ns, now + k_longest_sleep_ns);
    const timespec at{until / k_ns_per_second, until % k_ns_per_second};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr); // a signal ends it early, which is as well
  }
  return false;
}

/// What is read of one thread in one snapshot.
void Sampler::look(TargetThread &thread) {
  thread_valid_ = target_.interpreters().same_thread(thread.entry);
  seen_generation_ = target_.interpreters().thread_generation();
  seen_threads_.reset();
  if (seen_generation_ != generation_) {
    seen_threads_ = target_.interpreters().threads([this](const ThreadEntry &entry) { return target_.knows(entry); });
  }
  if (!thread_valid_) {
    return;
  }
  target_.read_name(thread);
  target_.code_cache().begin(thread.entry.interpreter_id == 0 ? thread.entry.interpreter : 0);
  target_.stacks().read(thread.entry.state, stack_);
  chain_ = target_.tasks().running_chain(thread.entry.state, stack_, options_.root_names);
  coroutines_seen_ = coroutines_seen_ || std::any_of(stack_.frames.begin(), stack_.frames.end(),
                                                     [](const PythonFrame &frame) { return frame.of_generator; });
}

Sampler::Health Sampler::sample(TargetThread &thread, ThreadState state, const SchedStat &stat, SampleSink &sink) {
  const Capture capture = engine_.capture(target_, thread, stat, [&] { look(thread); });
  totals_.retries += capture.retries;
  switch (capture.status) {
  case CaptureStatus::failed:
    return Health::ended;
  case CaptureStatus::ended:
    return Health::running;
  case CaptureStatus::moved:
    lose(Loss::moved);
    return Health::running;
  case CaptureStatus::no_cpu:
    lose(Loss::no_cpu);
    return Health::running;
  case CaptureStatus::captured:
    break;
  }
  totals_.read_ns += capture.read_ns;
  totals_.longest_read_ns = std::max(totals_.longest_read_ns, capture.read_ns);
  if (seen_threads_) {
    generation_ = seen_generation_;
    new_threads_.insert(new_threads_.end(), seen_threads_->begin(), seen_threads_->end());
  }
  if (!thread_valid_) {
    thread.left = true; // no Python thread any more; if it becomes one again, the list says so
    return Health::running;
  }
  if (stack_.frames.empty()) {
    return Health::running; // between threads' start and their first frame: nothing of Python's runs
  }
  sample_.time_ns = monotonic_ns();
  sample_.tid = thread.watch.tid();
  sample_.state = state;
  stitch(stack_, chain_ ? &*chain_ : nullptr, sample_.stack);
  sample_.task_name = chain_ ? chain_->root_name : std::string();
  ++totals_.samples;
  if (!is_whole(sample_.stack)) {
    ++totals_.partial;
  }
  sink.consume(sample_, thread.name.empty() ? std::to_string(sample_.tid) : thread.name);
  return Health::running;
}

Sampler::Health Sampler::tick(SampleSink &sink) {
  ++totals_.ticks;
  bool any_left = false;
  bool any_sampled = false;
  for (TargetThread &thread : target_.threads()) {
    const std::optional<SchedStat> stat = thread.watch.schedstat();
    if (!stat) {
      thread.left = any_left = true;
      continue;
    }
    const bool still_blocked = stat->times_run == thread.blocked_at && stat->times_run != 0;
    const ThreadWatch::Run run = still_blocked ? ThreadWatch::Run::blocked : thread.watch.run();
    if (run == ThreadWatch::Run::blocked) {
      // Counted before the state was read: if it ran in between, the next tick sees another count and looks again.
      thread.blocked_at = stat->times_run;
    }
    thread.left = thread.left || run == ThreadWatch::Run::ended;
    any_left = any_left || thread.left;
    if (run == ThreadWatch::Run::runnable ||
        (run == ThreadWatch::Run::blocked && options_.idle == IdleThreads::sample)) {
      const ThreadState state = run == ThreadWatch::Run::runnable ? ThreadState::running : ThreadState::idle;
      if (sample(thread, state, *stat, sink) == Health::ended) {
        return Health::ended;
      }
      any_sampled = true;
    }
  }
  if (any_left) {
    target_.drop_left_threads();
  }
  if (!new_threads_.empty()) {
    target_.add_threads(new_threads_);
    new_threads_.clear();
  }
  // A zombie keeps its /proc entries until its parent reaps it.
  return !any_sampled && !target_.process().alive() ? Health::ended : Health::running;
}

/// What a look may have missed: interpreters, threads whose list was changing while it was read, asyncio imported after the attach. Read while
/// the target runs on: what is found is checked whenever it is used.
void Sampler::housekeep() {
  target_.memory().begin();
  target_.interpreters().interpreters();
  const std::uint64_t generation = target_.interpreters().thread_generation();
  if (generation != checked_generation_) {
    checked_generation_ = generation;
    target_.set_threads(target_.interpreters().threads());
  }
  if (coroutines_seen_ && !target_.tasks().located()) {
    target_.locate_tasks();
  }
}

SamplingTotals Sampler::run(SampleSink &sink, const std::atomic<bool> &stop) {
  SampleBatch batch(sink);
  const std::int64_t start = monotonic_ns();
  const std::int64_t end = options_.duration_ns ? start + *options_.duration_ns : INT64_MAX;
  Pacer pacer(start, options_.rate_hz, std::random_device{}());
  next_progress_ns_ = start + k_progress_ns;
  while (true) {
    const Pacer::Tick due = pacer.next(monotonic_ns());
    if (due.due_ns >= end) {
      sleep_until(end, stop);
      break;
    }
    lose(Loss::late, due.missed);
    if (!sleep_until(due.due_ns, stop) || tick(batch) == Health::ended) {
      break;
    }
    const std::int64_t now = monotonic_ns();
    if (now >= next_housekeeping_ns_) {
      next_housekeeping_ns_ = now + k_housekeeping_ns;
      housekeep();
      batch.flush();
    }
    if (progress_ && now >= next_progress_ns_) {
      next_progress_ns_ = now + k_progress_ns;
      totals_.elapsed_ns = now - start;
      progress_(totals_);
    }
  }
  batch.flush();
  totals_.elapsed_ns = monotonic_ns() - start;
  return totals_;
}

} // namespace awaitscope
