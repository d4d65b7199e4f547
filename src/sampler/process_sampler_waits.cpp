// ProcessSampler's fourth part: what threads do when a tick begins, and those that waited then.

#include "awaitscope/sampler/process_sampler.hpp"
#include "awaitscope/support/clock.hpp"

namespace awaitscope {

/// Was it blocked when it was asked last, and not woken since?
bool ProcessSampler::not_woken(const TargetThread &thread) const {
  return thread.run == ThreadWatch::Run::blocked && thread.wakings && engine_.wakings(thread) == thread.wakings;
}

/// What the thread does at this time. One that was not woken is asked in a few ticks only: a kernel may hide wakings from tracepoints.
void ProcessSampler::ask(TargetThread &thread) {
  constexpr std::uint64_t k_checked_every = 16; // ticks
  const bool first = !thread.run;
  const bool known = !wakings_hidden_ && not_woken(thread);
  thread.on_cpu.reset();
  if (known && totals_.ticks % k_checked_every != 0) {
    return;
  }
  const std::optional<SchedStat> before = thread.stat;
  const std::optional<std::uint32_t> wakings = engine_.wakings(thread);
  thread.stat = thread.watch.schedstat(); // before the state: if the thread waits, this count is that of its wait
  if (known && thread.stat && thread.stat->times_run != before->times_run && not_woken(thread)) {
    wakings_hidden_ = true;
  }
  thread.stat_before = before.value_or(SchedStat{});
  thread.wakings = wakings;
  thread.run = !thread.stat                     ? ThreadWatch::Run::ended
               : engine_.knows_runnable(thread) ? ThreadWatch::Run::runnable
                                                : thread.watch.run();
  if (first && events_ && !thread.counter && !thread.uncounted && thread.stat) {
    events_->watch(thread);
  }
}

/// A thread that was woken since it was asked waited at this tick all the same, and is read wherever it is now. One that left its CPU
/// between the tick and the question had it.
ProcessSampler::Health ProcessSampler::sample_waiting(TargetThread &thread, SampleSink &sink) {
  const bool has_run = !thread.wait || thread.wait->times_run != thread.stat->times_run;
  const bool had_cpu = has_run && engine_.just_left_cpu(*target_, thread);
  const WaitReader::Found found = waits_.update(thread, wanted_of(thread), generation_, reading_);
  if (found == WaitReader::Found::known) {
    if (thread.wait->sample) {
      emit_again(thread, thread.wait->state, sink);
    } else {
      thread.calls.stay(monotonic_ns());
    }
    return Health::running;
  }
  const bool unread = found == WaitReader::Found::state && had_cpu;
  if (found == WaitReader::Found::woken || unread) {
    const CaptureStatus status = capture(thread).status;
    if (status != CaptureStatus::captured) {
      return status == CaptureStatus::failed ? Health::ended : Health::running;
    }
  }
  const bool in_python = accept(thread);
  const ThreadState waits = found == WaitReader::Found::woken ? waits_.state_of(reading_) : thread.wait->state;
  const ThreadState state = had_cpu ? ThreadState::running : waits;
  if (!in_python || (state == ThreadState::idle && options_.idle == IdleThreads::skip)) {
    leave_calls(thread);
    return Health::running;
  }
  emit(thread, state, *thread.stat, monotonic_ns(), sink);
  if (found == WaitReader::Found::stack) {
    thread.wait->sample = sample_;
    thread.wait->root_thread = reading_.lineage.root_thread;
  }
  return Health::running;
}

} // namespace awaitscope
