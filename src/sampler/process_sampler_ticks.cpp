#include <algorithm>

#include "awaitscope/sampler/process_sampler.hpp"
#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_worth_it = 2;                       // ticks
constexpr std::int64_t k_longest_ns = k_ns_per_second / 10; // so that a stop is noticed, and other threads are

} // namespace

/// Was all that was read of it in the accepted reading what the kernel had copied? Nobody knows where the next request will lie.
bool ProcessSampler::can_arm(const TargetThread &thread, ThreadState state) {
  return state == ThreadState::running && !thread.shared && !reading_.new_threads && reading_.subject &&
         reading_.lineage.request.object == 0 && target_->memory().has_records() && !target_->memory().read_more();
}

TargetThread *ProcessSampler::followed() {
  const ThreadId tid = steady_.tid();
  std::vector<TargetThread> &threads = target_->threads();
  const auto found = std::find_if(threads.begin(), threads.end(), [&](const TargetThread &thread) {
    return thread.watch.tid() == tid && !thread.shared && !thread.left;
  });
  return found == threads.end() ? nullptr : &*found;
}

std::size_t ProcessSampler::ticks_to_arm(double rate_hz) const {
  // Nobody knows beforehand where arguments will lie.
  const bool simple = options_.idle == IdleThreads::skip && options_.all_tasks == AllTasks::skip && !options_.arguments;
  if (!simple || engine_.kernel_ticks() == nullptr || !steady_.steady() || !new_threads_.empty()) {
    return 0;
  }
  const auto ticks = static_cast<std::size_t>(static_cast<double>(k_longest_ns) * rate_hz / k_ns_per_second);
  const std::size_t most = std::min(ticks, KernelTicks::k_most + 1); // the last one is the sampler's
  return most > k_worth_it ? most - 1 : 0;
}

bool ProcessSampler::arm(std::span<const std::int64_t> due_ns) {
  const TargetThread *const thread = followed();
  unserved_ = 0;
  copy_incomplete_ = false;
  armed_ = due_ns.size();
  return thread != nullptr && engine_.kernel_ticks()->begin(*target_, *thread, generation_, due_ns);
}

ProcessSampler::Drained ProcessSampler::drain(SampleSink &sink, std::uint64_t weight) {
  KernelTicks &ticks = *engine_.kernel_ticks();
  const std::optional<SwitchCapture::Tick> tick = ticks.next();
  if (!tick) {
    return Drained::none;
  }
  if (!tick->captured) {
    ++unserved_;
    return Drained::needs_sampler;
  }
  TargetThread *const thread = followed();
  const ThreadReader::Wanted wanted{false, false, options_.plain_calls == PlainCalls::follow, false};
  const auto read = [&] { reader_.read(*thread, wanted, generation_, reading_); };
  const bool whole = thread != nullptr && thread->stat && thread->watch.tid() == ticks.tid() &&
                     KernelTicks::read(*target_, *tick, std::cref(read)) && reading_.subject && !reading_.new_threads;
  if (!whole) {
    copy_incomplete_ = true;
    ticks.forget();
    lose(Loss::unreadable);
    return Drained::sampled;
  }
  totals_.read_ns += tick->took_ns;
  totals_.busy_ns += tick->took_ns; // by the kernel, while the sampler slept
  totals_.longest_read_ns = std::max(totals_.longest_read_ns, tick->took_ns);
  if (accept(*thread)) {
    sample_.weight = weight;
    reading_.count = thread->counter ? std::optional(tick->count) : std::nullopt;
    emit(*thread, ThreadState::running, {ticks.cpu_ns(*tick), thread->stat->wait_ns, thread->stat->times_run},
         tick->time_ns, sink);
  }
  return Drained::sampled;
}

void ProcessSampler::disarm() {
  totals_.lost[static_cast<std::size_t>(Loss::late)] += engine_.kernel_ticks()->end();
  if (copy_incomplete_ || unserved_ * 2 > armed_) {
    steady_.broke();
  } else {
    steady_.held();
  }
}

void ProcessSampler::ask_apart(std::uint64_t others_weight) {
  const TargetThread *const thread = followed();
  for (TargetThread &other : target_->threads()) {
    if (&other == thread || (others_weight != 0 && target_->leads(other))) {
      ask(other);
    }
  }
}

/// The thread whose ticks the kernel samples counts as in any tick; the others as ThreadTurns has it: seldom, and for more.
ProcessSampler::Health ProcessSampler::visit_apart(SampleSink &sink, std::uint64_t weight,
                                                   std::uint64_t others_weight) {
  TargetThread *const thread = followed();
  sample_.weight = weight;
  if (thread != nullptr && visit(*thread, sink) == Health::ended) {
    return Health::ended;
  }
  if (others_weight == 0) {
    return Health::running;
  }
  sample_.weight = others_weight;
  return visit_if(sink, [&](const TargetThread &other) { return &other != thread; });
}

} // namespace awaitscope
