#include <algorithm>

#include "awaitscope/sampler/process_sampler.hpp"
#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

constexpr double k_turns_from_hz = 50;                      // below that they would save nothing, and take long
constexpr std::size_t k_fewest_armed = 2;                   // ticks
constexpr std::int64_t k_longest_ns = k_ns_per_second / 10; // so that a stop is noticed, and other threads are

} // namespace

std::vector<TargetThread *> ProcessSampler::those(const Wanted &wanted) {
  std::vector<TargetThread *> found;
  for (TargetThread &thread : target_->threads()) {
    if (target_->leads(thread) && wanted(thread)) {
      found.push_back(&thread);
    }
  }
  return found;
}

/// First those on the sampler's CPU, then those that were on another one.
ProcessSampler::Health ProcessSampler::visit_runnable(SampleSink &sink, const Wanted &wanted) {
  std::vector<TargetThread *> runnable =
      those([&](const TargetThread &thread) { return thread.is_runnable() && wanted(thread); });
  if (runnable.size() > 1) {
    std::stable_partition(runnable.begin(), runnable.end(),
                          [&](TargetThread *thread) { return engine_.is_here(*target_, *thread); });
  }
  for (auto next = runnable.begin(); next != runnable.end(); ++next) {
    if (runnable.end() - next > 1 && !engine_.is_here(*target_, **next)) {
      engine_.approach(*target_, **next);
      std::stable_partition(next, runnable.end(), [](const TargetThread *thread) { return thread->on_cpu == true; });
    }
    if (visit(**next, sink) == Health::ended) {
      return Health::ended;
    }
  }
  return Health::running;
}

ProcessSampler::Health ProcessSampler::visit_waiting(SampleSink &sink, const Wanted &wanted) {
  // With its priority, unless it takes long: beside busy processes a tick would else end late, and the next ones be missed, just where
  // threads of the target have the CPUs.
  const std::vector<TargetThread *> waiting =
      those([&](const TargetThread &thread) { return !thread.is_runnable() && wanted(thread); });
  return std::any_of(waiting.begin(), waiting.end(),
                     [&](TargetThread *thread) { return visit(*thread, sink) == Health::ended; })
             ? Health::ended
             : Health::running;
}

/// The thread that the sampler took the CPU from; null if it is none of these, or that is not known.
TargetThread *ProcessSampler::taken_from() {
  const auto found =
      std::find_if(target_->threads().begin(), target_->threads().end(),
                   [&](const TargetThread &thread) { return !thread.shared && engine_.knows_runnable(thread); });
  return found == target_->threads().end() ? nullptr : &*found;
}

/// The thread that holds the GIL; null if none of these does.
TargetThread *ProcessSampler::gil_holder(const TargetThread *taken_from) {
  std::vector<TargetThread> &threads = target_->threads();
  std::optional<Address> state = taken_from == nullptr ? std::nullopt : reading_.gil_holder;
  if (!state) {
    state = target_->interpreters().gil_holder_now(threads.front().entry.interpreter);
    holder_known_ = state.has_value();
  }
  const auto found = std::find_if(threads.begin(), threads.end(), [&](const TargetThread &thread) {
    return state.value_or(0) != 0 && thread.entry.state == *state;
  });
  // By the one of its states that stands for it: up to 3.11 a state may name the thread that made it, for a while.
  return found == threads.end() ? nullptr : target_->states_of(found->watch.tid()).front();
}

bool ProcessSampler::waits_for_turn(const TargetThread &thread) {
  return turns_.waits(static_cast<std::size_t>(&thread - target_->threads().data())) && !thread.born;
}

void ProcessSampler::ask_known() {
  std::vector<TargetThread> &threads = target_->threads();
  const bool one_interpreter = std::all_of(threads.begin(), threads.end(), [&](const TargetThread &thread) {
    return thread.entry.interpreter == threads.front().entry.interpreter;
  });
  const bool one_gil = one_interpreter && holder_known_ && !target_->runtime().layout.free_threaded;
  turns_.begin(threads, target_->process().pid(),
               one_gil && options_.idle == IdleThreads::skip && options_.rate_hz >= k_turns_from_hz);
  taken_ = taken_from();
  for (TargetThread &thread : threads) {
    if (target_->leads(thread) && (turns_.now() || !waits_for_turn(thread) || &thread == taken_)) {
      ask(thread);
      engine_.rest_if_long();
    }
  }
}

void ProcessSampler::ask_threads(const Tick &tick) {
  forget_born();
  done_ = {};
  if (target_->threads().empty()) {
    return;
  }
  if (tick.others_weight) {
    ask_apart(*tick.others_weight);
  } else {
    ask_known();
  }
}

bool ProcessSampler::is_done(const TargetThread &thread) const {
  return std::find(done_.begin(), done_.end(), thread.watch.tid()) != done_.end();
}

ProcessSampler::Health ProcessSampler::run_all(const Tick &tick, SampleSink &sink) {
  TargetThread *const taken = taken_;
  sample_.weight = tick.weight;
  reading_.gil_holder.reset();
  if (taken != nullptr) {
    done_[0] = taken->watch.tid();
    if (visit(*taken, sink) == Health::ended) { // while what was copied of it holds
      return Health::ended;
    }
  }
  TargetThread *const holder = turns_.apply() ? gil_holder(taken) : nullptr;
  if (holder != nullptr && holder != taken) {
    done_[1] = holder->watch.tid();
    if (waits_for_turn(*holder) && !turns_.now()) {
      ask(*holder);
    }
    if (visit(*holder, sink) == Health::ended) {
      return Health::ended;
    }
  }
  if (add_born() ==
      Health::ended) { // while the sampler has its priority: on a busy machine they would not stay what they are
    return Health::ended;
  }
  const Health health =
      visit_runnable(sink, [&](const TargetThread &thread) { return !is_done(thread) && !waits_for_turn(thread); });
  if (health == Health::ended || !turns_.apply() || !turns_.now()) {
    return health;
  }
  sample_.weight = tick.weight * ThreadTurns::k_every;
  return visit_runnable(sink, [&](const TargetThread &thread) { return !is_done(thread) && waits_for_turn(thread); });
}

ProcessSampler::Health ProcessSampler::wait_all(const Tick &tick, SampleSink &sink) {
  sample_.weight = tick.weight;
  const Health health =
      visit_waiting(sink, [&](const TargetThread &thread) { return !is_done(thread) && !waits_for_turn(thread); });
  if (health == Health::ended || !turns_.apply() || !turns_.now()) {
    return health;
  }
  sample_.weight = tick.weight * ThreadTurns::k_every;
  engine_.step_aside();
  return visit_waiting(sink, [&](const TargetThread &thread) { return !is_done(thread) && waits_for_turn(thread); });
}

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
  // Nobody knows beforehand where arguments, names and stacks will lie.
  const bool simple = options_.idle == IdleThreads::skip && options_.all_tasks == AllTasks::skip &&
                      !options_.arguments && !options_.native && options_.labels == LabelFrames::skip;
  if (!simple || engine_.kernel_ticks() == nullptr || !steady_.steady() || !new_threads_.empty()) {
    return 0;
  }
  const auto ticks = static_cast<std::size_t>(static_cast<double>(k_longest_ns) * rate_hz / k_ns_per_second);
  const std::size_t most = std::min(ticks, KernelTicks::k_most + 1); // the last one is the sampler's
  return most > k_fewest_armed ? most - 1 : 0;
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
  ThreadReader::Wanted wanted;
  wanted.calls = options_.plain_calls == PlainCalls::follow;
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
ProcessSampler::Health ProcessSampler::run_apart(const Tick &tick, SampleSink &sink) {
  TargetThread *const thread = followed();
  sample_.weight = tick.weight;
  if (thread != nullptr && visit(*thread, sink) == Health::ended) {
    return Health::ended;
  }
  if (tick.others_weight == 0) {
    return Health::running;
  }
  sample_.weight = *tick.others_weight;
  const auto wanted = [&](const TargetThread &other) { return &other != thread; };
  return visit_runnable(sink, wanted) == Health::ended ? Health::ended : visit_waiting(sink, wanted);
}

} // namespace awaitscope
