#include "awaitscope/sampler/process_sampler.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "awaitscope/stitch/stitch.hpp"
#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

constexpr std::int64_t k_housekeeping_ns = k_ns_per_second / 4;
constexpr double k_turns_from_hz = 50; // below that they would save nothing, and take long
// A thread state is counted when it is made and usable only once its thread has started (Modules/_threadmodule.c,
// thread_run binds it): until then it is left out of lists, which must be read again.
constexpr std::int64_t k_settling_ns = 20'000'000;

bool is_whole(const LogicalStack &stack) {
  return std::none_of(stack.frames.begin(), stack.frames.end(),
                      [](const Frame &frame) { return frame.kind == FrameKind::unreadable; });
}

} // namespace

void ProcessSampler::lose(Loss loss) { ++totals_.lost[static_cast<std::size_t>(loss)]; }

/// CPU time counts from the recording's start, or from the thread's birth if that was later. One that lived before and was
/// not in the first list (it was changing) cannot have used more than the time since the start.
void ProcessSampler::begin_cpu(TargetThread &thread, const SchedStat &stat) const {
  const std::uint64_t counts =
      first_tick_ ? 0 : std::min(stat.cpu_ns, static_cast<std::uint64_t>(monotonic_ns() - start_ns_));
  thread.cpu_told_ns = stat.cpu_ns - counts;
}

/// The thread state that a thread runs in: of those with a call in them the one that is attached, or, while the thread waits or is
/// in C code without the GIL, the one that it was last seen to run in, or else that of the newest interpreter: one interpreter
/// runs inside another's call.
std::optional<ThreadEntry> ProcessSampler::choose_state(const TargetThread &thread) {
  dead_states_.clear();
  InterpreterReader &interpreters = target_->interpreters();
  const auto is_other = [&](const ThreadEntry &entry) { return entry.native_id == thread.entry.native_id; };
  const bool alone =
      !thread.shared && (!seen_threads_ || std::none_of(seen_threads_->begin(), seen_threads_->end(), is_other));
  std::optional<ThreadEntry> best;
  int best_rank = -1;
  const auto consider = [&](const ThreadEntry &entry, bool entered) {
    if (!interpreters.same_thread(entry)) {
      dead_states_.push_back(entry.state);
      return;
    }
    const bool inside = !alone && target_->stacks().has_frames(entry.state);
    const int rank = !inside ? 0 : interpreters.attached(entry) ? 3 : entered ? 2 : 1;
    if (rank > best_rank || (rank == best_rank && entry.interpreter_id > best->interpreter_id)) {
      best = entry;
      best_rank = rank;
    }
  };
  if (alone) {
    consider(thread.entry, true);
    return best;
  }
  for (const TargetThread *state : target_->states_of(thread.watch.tid())) {
    consider(state->entry, state->entered);
  }
  for (const ThreadEntry &entry : seen_threads_ ? *seen_threads_ : std::vector<ThreadEntry>{}) {
    if (is_other(entry)) {
      consider(entry, false);
    }
  }
  return best;
}

/// After an accepted look: what it says of the thread's states, and what they share.
void ProcessSampler::settle_states(TargetThread &thread) {
  if (!thread.shared) {
    thread.left = !subject_;
    return;
  }
  for (TargetThread *state : target_->states_of(thread.watch.tid())) {
    state->left = std::find(dead_states_.begin(), dead_states_.end(), state->entry.state) != dead_states_.end();
    state->entered = subject_ && state->entry.state == subject_->state;
    state->cpu_told_ns = thread.cpu_told_ns;
  }
}

/// What is read of one thread in one snapshot.
void ProcessSampler::look(TargetThread &thread, CountEvents count) {
  seen_generation_ = target_->interpreters().thread_generation();
  seen_threads_.reset();
  if (seen_generation_ != generation_) {
    seen_threads_ = target_->interpreters().threads([this](const ThreadEntry &entry) { return target_->knows(entry); });
  }
  if (turns_.apply()) {
    seen_holder_ = target_->interpreters().gil_holder(thread.entry.interpreter);
  }
  subject_ = choose_state(thread);
  if (!subject_) {
    return;
  }
  target_->read_name(thread);
  // All that is told of it goes through the sink, which asks confirm() first.
  target_->code_cache().begin(subject_->interpreter_id == 0 ? subject_->interpreter : 0, monotonic_ns());
  target_->stacks().read(subject_->state, stack_);
  target_->lineages().trace(subject_->state, stack_, options_.root_names, lineage_);
  coroutines_seen_ = coroutines_seen_ || (!target_->tasks().located_in(subject_->interpreter) &&
                                          std::any_of(stack_.frames.begin(), stack_.frames.end(),
                                                      [](const PythonFrame &frame) { return frame.of_generator; }));
  // In here, so that it is the count at the very moment of the stack; and the kernel need not ask another CPU for it, since
  // the thread is on none.
  seen_count_ = count == CountEvents::read ? thread.counter->read() : std::nullopt;
}

/// What the accepted look has counted.
void ProcessSampler::tell_events(TargetThread &thread, ThreadState state, const SchedStat &stat) {
  sample_.events = 0;
  if (!seen_count_) {
    return;
  }
  const EventCount since = seen_count_->since(thread.count_told);
  if (static_cast<std::int64_t>(since.counted) < 0) {
    return; // a clock that was read on two CPUs: what it is ahead is not told twice
  }
  sample_.events = since.scaled();
  thread.count_told = *seen_count_;
  thread.count_told_at = state == ThreadState::idle ? stat.times_run : 0;
}

ProcessSampler::Health ProcessSampler::sample(TargetThread &thread, ThreadState state, const SchedStat &stat,
                                              SampleSink &sink) {
  // A thread that waits and has not run since has counted nothing.
  const bool counts = thread.counter && (state == ThreadState::running || thread.count_told_at != stat.times_run);
  const CountEvents count = counts ? CountEvents::read : CountEvents::skip;
  const auto look_now = [&] { look(thread, count); };
  // By reference: a std::function would take memory for what this captures, at each sample.
  const Capture capture = engine_.capture(*target_, thread, stat, std::cref(look_now));
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
  steady_.saw(thread.watch.tid(), can_go_ahead(thread, state));
  totals_.read_ns += capture.read_ns;
  totals_.longest_read_ns = std::max(totals_.longest_read_ns, capture.read_ns);
  if (seen_threads_) {
    generation_ = seen_generation_;
    new_threads_.insert(new_threads_.end(), seen_threads_->begin(), seen_threads_->end());
  }
  settle_states(thread);
  if (!subject_) {
    last_periods_.ended(thread.watch.tid(), sink);
    return Health::running; // no Python thread any more; if it becomes one again, the list says so
  }
  if (stack_.frames.empty()) {
    return Health::running; // between threads' start and their first frame: nothing of Python's runs
  }
  tell(thread, state, stat, monotonic_ns(), sink);
  return Health::running;
}

/// What the accepted look has found of a thread, as of that moment.
void ProcessSampler::tell(TargetThread &thread, ThreadState state, const SchedStat &stat, std::int64_t time_ns,
                          SampleSink &sink) {
  sample_.time_ns = time_ns;
  sample_.process = target_->process().pid();
  sample_.tid = thread.watch.tid();
  sample_.state = state;
  stitch(lineage_, sample_.stack);
  sample_.task = lineage_.running_task;
  sample_.task_name = lineage_.root_name;
  // What was told of it by another clock (AheadTicks) may be ahead by what a virtual machine's host took.
  const std::uint64_t told_ns = thread.cpu_told_ns.value_or(stat.cpu_ns);
  sample_.cpu_ns = stat.cpu_ns > told_ns ? stat.cpu_ns - told_ns : 0;
  thread.cpu_told_ns = std::max(stat.cpu_ns, told_ns);
  tell_events(thread, state, stat);
  if (thread.shared) {
    settle_states(thread);
  }
  if (options_.all_tasks == AllTasks::watch && sample_.task != 0) {
    watcher_.charge(sample_.task, sample_.cpu_ns);
  }
  ++totals_.samples;
  if (!is_whole(sample_.stack)) {
    ++totals_.partial;
  }
  const TargetThread &root = target_->thread_of(lineage_.root_thread, thread);
  const std::string name = root.name.empty() ? std::to_string(root.watch.tid()) : root.name;
  sink.consume(sample_, name);
  last_periods_.sampled(sample_, name, stat.cpu_ns, thread.watch);
}

/// One of the threads whose turn it is.
ProcessSampler::Health ProcessSampler::visit(TargetThread &thread, SampleSink &sink) {
  const std::optional<SchedStat> stat = thread.stat;
  if (!stat) {
    last_periods_.ended(thread.watch.tid(), sink);
    thread.left = any_left_ = true;
    return Health::running;
  }
  if (!thread.cpu_told_ns) {
    begin_cpu(thread, *stat);
    if (events_ && !thread.counter) {
      events_->watch(thread);
    }
  }
  const bool still_blocked = stat->times_run == thread.blocked_at && stat->times_run != 0;
  const ThreadWatch::Run run = engine_.knows_runnable(thread) ? ThreadWatch::Run::runnable
                               : still_blocked                ? ThreadWatch::Run::blocked
                                                              : thread.watch.run();
  if (run == ThreadWatch::Run::blocked) {
    // Counted before the state was read: if it ran in between, the next tick sees another count and looks again.
    thread.blocked_at = stat->times_run;
  }
  thread.left = thread.left || run == ThreadWatch::Run::ended;
  any_left_ = any_left_ || thread.left;
  if (run != ThreadWatch::Run::runnable && (run != ThreadWatch::Run::blocked || options_.idle == IdleThreads::skip)) {
    return Health::running;
  }
  any_sampled_ = true;
  return sample(thread, run == ThreadWatch::Run::runnable ? ThreadState::running : ThreadState::idle, *stat, sink);
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
  if (taken_from == nullptr || !seen_holder_) {
    seen_holder_ = target_->interpreters().gil_holder_now(threads.front().entry.interpreter);
    holder_known_ = seen_holder_.has_value();
  }
  const Address state = seen_holder_.value_or(0);
  const auto found = std::find_if(threads.begin(), threads.end(), [&](const TargetThread &thread) {
    return state != 0 && thread.entry.state == state;
  });
  return found == threads.end() ? nullptr : &*found;
}

ProcessSampler::Health ProcessSampler::visit_all(SampleSink &sink, std::uint64_t weight) {
  std::vector<TargetThread> &threads = target_->threads();
  const bool one_interpreter = std::all_of(threads.begin(), threads.end(), [&](const TargetThread &thread) {
    return thread.entry.interpreter == threads.front().entry.interpreter;
  });
  const bool one_gil = one_interpreter && holder_known_ && !target_->runtime().layout.free_threaded;
  turns_.begin(threads, target_->process().pid(),
               one_gil && options_.idle == IdleThreads::skip && options_.rate_hz >= k_turns_from_hz);
  sample_.weight = weight;
  if (!turns_.apply()) {
    thread_stats_.refresh(threads);
    return visit_if(sink, [](std::size_t) { return true; });
  }
  seen_holder_.reset();
  // First, while what was copied of it holds.
  TargetThread *const taken = taken_from();
  if (taken != nullptr && ask_and_visit(*taken, sink) == Health::ended) {
    return Health::ended;
  }
  TargetThread *const holder = gil_holder(taken);
  if (holder != nullptr && holder != taken && ask_and_visit(*holder, sink) == Health::ended) {
    return Health::ended;
  }
  const auto is_done = [&](std::size_t i) { return &threads[i] == taken || &threads[i] == holder; };
  for (std::size_t i = 0; i < threads.size(); ++i) {
    if (!is_done(i) && !turns_.waits(i) && ask_and_visit(threads[i], sink) == Health::ended) {
      return Health::ended;
    }
  }
  if (!turns_.now()) {
    return Health::running;
  }
  engine_.step_aside(); // few of them run
  thread_stats_.refresh(threads);
  sample_.weight = weight * ThreadTurns::k_every;
  return visit_if(sink, [&](std::size_t i) { return !is_done(i) && turns_.waits(i); });
}

ProcessSampler::Health ProcessSampler::ask_and_visit(TargetThread &thread, SampleSink &sink) {
  thread.stat = thread.watch.schedstat();
  return visit(thread, sink);
}

ProcessSampler::Health ProcessSampler::visit_if(SampleSink &sink, const std::function<bool(std::size_t)> &wanted) {
  std::vector<TargetThread> &threads = target_->threads();
  for (std::size_t i = 0; i < threads.size(); ++i) {
    if (ThreadStats::leads(threads[i], threads) && wanted(i) && visit(threads[i], sink) == Health::ended) {
      return Health::ended;
    }
  }
  return Health::running;
}

ProcessSampler::Health ProcessSampler::tick(SampleSink &sink, std::uint64_t weight,
                                            std::optional<std::uint64_t> others_weight) {
  any_sampled_ = false;
  const auto visit_threads = [&] {
    return others_weight ? visit_apart(sink, weight, *others_weight) : visit_all(sink, weight);
  };
  if (!target_->threads().empty() && visit_threads() == Health::ended) {
    return Health::ended;
  }
  steady_.end_tick();
  if (any_left_ && (!turns_.apply() || turns_.now())) { // few wait for it: closing their files takes a while
    target_->drop_left_threads();
    any_left_ = false;
  }
  if (!new_threads_.empty()) {
    // Threads are found by their numbers. If the process still is there afterwards, these were its own: until it is reaped,
    // nobody else can have them.
    target_->add_threads(new_threads_);
    new_threads_.clear();
    if (!target_->process().alive()) {
      return Health::ended;
    }
  }
  if (options_.all_tasks == AllTasks::watch) {
    watcher_.look(sink);
  }
  first_tick_ = false;
  // A zombie keeps its /proc entries until its parent reaps it.
  return !any_sampled_ && !target_->process().alive() ? Health::ended : Health::running;
}

std::size_t ProcessSampler::drop_unconfirmed(SampleBatch &batch) {
  const std::vector<CodeId> replaced = target_->code_cache().confirm();
  if (replaced.empty()) {
    return 0;
  }
  watcher_.distrust();
  return batch.drop(target_->process().pid(), replaced);
}

ProcessSampler::Health ProcessSampler::take_over(const std::vector<ThreadEntry> &entries) {
  target_->set_threads(entries);
  return target_->process().alive() ? Health::running : Health::ended;
}

/// What a look may have missed: interpreters, threads whose list was changing while it was read, asyncio imported after the attach. Read while
/// the target runs on: what is found is checked whenever it is used.
ProcessSampler::Health ProcessSampler::housekeep(std::int64_t now) {
  // While all known threads wait, no look finds the threads born meanwhile, which may be what they wait for.
  if (now < next_housekeeping_ns_ && any_sampled_ && now >= unsettled_until_ns_) {
    return Health::running;
  }
  // Aside, then, if that is soon.
  if (turns_.apply() && !turns_.now() && any_sampled_ && now < next_housekeeping_ns_ + k_housekeeping_ns) {
    return Health::running;
  }
  next_housekeeping_ns_ = now + k_housekeeping_ns;
  // A child that was just forked has the thread states of its parent, until PyOS_AfterFork_Child() has put them right.
  const bool lost = target_->threads().empty();
  // Of what samples use, this needs next to nothing, unless it lists threads.
  target_->memory().begin(lost || now < unsettled_until_ns_ ? SnapshotMemory::Ahead::likely
                                                            : SnapshotMemory::Ahead::nothing);
  const std::vector<Address> interpreters = target_->interpreters().interpreters();
  const std::uint64_t generation = target_->interpreters().thread_generation();
  if (generation != checked_generation_) {
    checked_generation_ = generation;
    unsettled_until_ns_ = now + k_settling_ns;
  }
  if (lost) {
    target_->choose_native_ids();
  }
  Health health = Health::running;
  if (lost || now < unsettled_until_ns_) {
    health = take_over(target_->interpreters().threads());
  }
  const bool wants_all = options_.all_tasks == AllTasks::watch && !target_->tasks().located_in_each(interpreters);
  if (coroutines_seen_ || wants_all || target_->tasks().located_in_others(interpreters)) {
    target_->locate_tasks();
    coroutines_seen_ = false;
  }
  return health;
}

} // namespace awaitscope
