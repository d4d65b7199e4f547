#include "awaitscope/sampler/process_sampler.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "awaitscope/stitch/stitch.hpp"
#include "awaitscope/support/clock.hpp"
#include "frame_labels.hpp"

namespace awaitscope {
namespace {

constexpr std::int64_t k_housekeeping_ns = k_ns_per_second / 4;
constexpr std::int64_t k_natives_ns = k_ns_per_second;
constexpr std::size_t k_few_threads = 64;
// A thread state is counted when it is made and usable only once its thread has started (Modules/_threadmodule.c,
// thread_run binds it): until then it is left out of lists, which must be read again.
constexpr std::int64_t k_settling_ns = 20'000'000;

bool is_whole(const LogicalStack &stack) {
  return std::none_of(stack.frames.begin(), stack.frames.end(),
                      [](const Frame &frame) { return frame.kind == FrameKind::unreadable; });
}

} // namespace

ProcessSampler::ProcessSampler(std::unique_ptr<Target> target, Engine &engine, SamplerOptions options, CountFrom from,
                               SamplingTotals &totals)
    : target_(std::move(target)), engine_(engine), options_(std::move(options)), totals_(totals),
      accounts_(target_->process(), from), natives_(target_->process(), accounts_, 1e9 / options_.rate_hz),
      watcher_(*target_, engine, options_.root_names, totals), reader_(*target_, options_.root_names),
      waits_(*target_, reader_, options_.idle == IdleThreads::sample), list_memory_(target_->memory().remote()) {
  watcher_.end_when(options_.over);
  target_->tasks().requests().want(options_.request_details);
  if (options_.arguments) {
    target_->arguments().choose(*options_.arguments);
  }
  if (options_.event) {
    events_.emplace(*target_, *options_.event);
  }
  if (options_.native) {
    native_.emplace(*target_, *options_.native);
  }
}

ThreadReader::Wanted ProcessSampler::wanted_of(const TargetThread &thread) {
  // A thread that waits and has not run since has counted nothing.
  return {thread.counter && (thread.is_runnable() || thread.count_told_at != thread.stat->times_run),
          turns_.apply(),
          options_.plain_calls == PlainCalls::follow,
          options_.arguments.has_value(),
          options_.labels == LabelFrames::read,
          native_ ? &*native_ : nullptr};
}

/// Reads the thread while it cannot run.
Capture ProcessSampler::capture(TargetThread &thread) {
  const ThreadReader::Wanted wanted = wanted_of(thread);
  const auto read = [&] { reader_.read(thread, wanted, generation_, reading_); };
  // By reference: a std::function would take memory for what this captures, at each sample.
  const Capture capture = engine_.capture(*target_, thread, thread.stat, std::cref(read));
  totals_.retries += capture.retries;
  switch (capture.status) {
  case CaptureStatus::failed:
    break;
  case CaptureStatus::ended:
    lose(Loss::ended);
    break;
  case CaptureStatus::moved:
    lose(Loss::moved);
    break;
  case CaptureStatus::no_cpu:
    lose(Loss::no_cpu);
    break;
  case CaptureStatus::unstopped:
    lose(Loss::unstopped);
    break;
  case CaptureStatus::unreadable:
    lose(Loss::unreadable);
    break;
  case CaptureStatus::captured:
    totals_.read_ns += capture.read_ns;
    totals_.longest_read_ns = std::max(totals_.longest_read_ns, capture.read_ns);
    break;
  }
  return capture;
}

/// Takes over what was read. False if the thread is in no Python code.
bool ProcessSampler::accept(TargetThread &thread) {
  any_read_ = any_read_ || reading_.generation;
  if (reading_.new_threads) {
    generation_ = *reading_.generation;
    new_threads_.insert(new_threads_.end(), reading_.new_threads->begin(), reading_.new_threads->end());
    unsettled_until_ns_ = monotonic_ns() + k_settling_ns;
  }
  asyncio_unknown_ = asyncio_unknown_ || reading_.asyncio_unknown;
  reader_.settle(thread, reading_);
  any_left_ = any_left_ || thread.left;
  return reading_.subject && !reading_.stack.frames.empty();
}

ProcessSampler::Health ProcessSampler::sample_runnable(TargetThread &thread, SampleSink &sink) {
  if (has_not_run(thread)) {
    steady_.saw(thread.watch.tid(), false);
    emit_again(thread, ThreadState::runnable, sink);
    return Health::running;
  }
  const Capture captured = capture(thread);
  if (captured.status != CaptureStatus::captured) {
    return captured.status == CaptureStatus::failed ? Health::ended : Health::running;
  }
  const ThreadState state = thread.on_cpu.value_or(false) ? ThreadState::running : ThreadState::runnable;
  steady_.saw(thread.watch.tid(), can_arm(thread, state));
  const bool in_python = accept(thread);
  thread.frameless = !in_python && reading_.subject;
  thread.wait.reset();
  if (!in_python) {
    thread.calls.leave({}, monotonic_ns());
  }
  if (in_python) {
    emit(thread, state, *thread.stat, monotonic_ns(), sink);
  }
  if (in_python && captured.retries == 0) { // it was off the CPU, and is counted when it comes to run again
    thread.wait = {thread.stat->times_run, state, sample_, reading_.lineage.root_thread, 0, {}};
  }
  return Health::running;
}

/// Was it read since it ran last? Its stack is what it was, then.
bool ProcessSampler::has_not_run(const TargetThread &thread) {
  return thread.wait && thread.wait->sample && thread.wait->times_run == thread.stat->times_run;
}

/// What the accepted reading has found of a thread, as of that time.
void ProcessSampler::emit(TargetThread &thread, ThreadState state, const SchedStat &stat, std::int64_t time_ns,
                          SampleSink &sink) {
  sample_.time_ns = time_ns;
  sample_.process = target_->process().pid();
  sample_.tid = thread.watch.tid();
  sample_.state = state;
  sample_.task = reading_.lineage.running_task;
  sample_.task_name = reading_.lineage.root_name;
  sample_.gil_holder = state == ThreadState::gil ? holder_beside(thread) : GilHolder{};
  sample_.cpu_ns = accounts_.take(sample_.tid, stat.cpu_ns);
  take_events(thread, state, stat);
  take_calls(thread, time_ns);
  take_request();
  sample_.statement = target_->tasks().statements().without_values(reading_.statement.text);
  take_arguments(sink);
  insert_others();
  stitch(reading_.lineage, sample_.stack);
  if (options_.all_tasks == AllTasks::watch && sample_.task != 0) {
    watcher_.charge(sample_.task, sample_.cpu_ns);
  }
  ++totals_.samples;
  if (!is_whole(sample_.stack)) {
    ++totals_.partial;
  }
  thread.sampled = true;
  sink.consume(sample_, target_->name_of(target_->thread_of(reading_.lineage.root_thread, thread)));
}

/// What is wanted beside the interpreter's frames.
void ProcessSampler::insert_others() {
  const bool executes =
      options_.labels == LabelFrames::read && reading_.statement.frame && sample_.statement != nullptr;
  if (!native_ && !executes && reading_.templates.empty()) {
    return;
  }
  FramesBetween between;
  if (native_) {
    NativeMerge merge = native_->merge(reading_.native, reading_.stack);
    totals_.native.add(merge.loss);
    between = std::move(merge.before);
  }
  between.resize(reading_.stack.frames.size() + 1);
  CodeTable &codes = target_->code_cache().table();
  if (executes) {
    add_label("SQL", *sample_.statement, *reading_.statement.frame, codes, between);
  }
  for (const NamedTemplate &rendered : reading_.templates) {
    add_label("template", rendered.name, rendered.frame, codes, between);
  }
  insert_frames(between, reading_.lineage);
}

/// The thread is where it was when it was read.
void ProcessSampler::emit_again(TargetThread &thread, ThreadState state, SampleSink &sink) {
  Sample &sample = *thread.wait->sample;
  sample.state = state;
  sample.time_ns = monotonic_ns();
  sample.cpu_ns = accounts_.take(sample.tid, thread.stat->cpu_ns);
  sample.events = 0;
  sample.weight = sample_.weight;
  sample.gil_holder = state == ThreadState::gil ? holder_beside(thread) : GilHolder{};
  sample.calls.same = sample.calls.outer + sample.calls.count;
  sample.calls.alike = 0;
  sample.calls.other_context = false;
  sample.arguments.clear();
  thread.calls.stay(sample.time_ns);
  ++totals_.samples;
  if (!is_whole(sample.stack)) {
    ++totals_.partial;
  }
  sink.consume(sample, target_->name_of(target_->thread_of(thread.wait->root_thread, thread)));
}

/// Nothing once the recording is over: thousands of threads take longer than it may.
ProcessSampler::Health ProcessSampler::visit(TargetThread &thread, SampleSink &sink) {
  engine_.rest_if_long();
  if (options_.over()) {
    lose(Loss::late);
    return Health::running;
  }
  if (thread.run == ThreadWatch::Run::runnable) {
    return sample_runnable(thread, sink);
  }
  if (thread.run == ThreadWatch::Run::blocked) {
    return sample_waiting(thread, sink);
  }
  if (thread.run == ThreadWatch::Run::ended) {
    accounts_.forget(thread.watch.tid());
    thread.left = any_left_ = true;
  }
  return Health::running;
}

/// The thread that holds the GIL at this moment, while this one waits for it.
GilHolder ProcessSampler::holder_beside(TargetThread &waiter) {
  const Address state = target_->interpreters().gil_holder_now(waiter.entry.interpreter).value_or(0);
  TargetThread &holder = target_->thread_of(state, waiter);
  return &holder == &waiter ? GilHolder{} : GilHolder{holder.watch.tid(), target_->name_of(holder)};
}

/// Reads the list of threads, up to the newest one that is known, unless a reading of this tick has said that it is the one that is
/// known. While it is read the target runs on: what is found is checked whenever it is used.
void ProcessSampler::list_born() {
  const std::int64_t now = monotonic_ns();
  if (any_read_ && now >= unsettled_until_ns_) {
    return;
  }
  SwappedMemory lists(target_->memory(), list_memory_);
  target_->memory().begin();
  const std::uint64_t generation = target_->interpreters().thread_generation();
  if (generation != generation_) {
    generation_ = generation;
    unsettled_until_ns_ = now + k_settling_ns;
  } else if (now >= unsettled_until_ns_) {
    return;
  }
  const auto is_known = [this](const ThreadEntry &entry) { return target_->knows(entry); };
  const std::vector<ThreadEntry> found = target_->interpreters().threads(is_known);
  new_threads_.insert(new_threads_.end(), found.begin(), found.end());
}

void ProcessSampler::forget_born() {
  for (TargetThread &thread : target_->threads()) {
    thread.born = false;
  }
}

ProcessSampler::Health ProcessSampler::add_born() {
  list_born();
  if (new_threads_.empty()) {
    return Health::running;
  }
  const bool added = target_->add_threads(new_threads_);
  new_threads_.clear();
  if (!added) {
    return Health::running;
  }
  // Threads are found by their numbers. If the process still is there afterwards, these were its own: until it is reaped,
  // nobody else can have them.
  if (!target_->process().alive()) {
    return Health::ended;
  }
  for (TargetThread &thread : target_->threads()) {
    if (!thread.run && target_->leads(thread)) {
      ask(thread);
      if (last_tick_ns_ != 0) {
        thread.calls.begin(last_tick_ns_);
      }
      thread.born = true;
    }
  }
  return Health::running;
}

/// Those that were found only by what was read in this tick.
ProcessSampler::Health ProcessSampler::visit_born(const Tick &tick, SampleSink &sink) {
  forget_born();
  if (add_born() == Health::ended) {
    return Health::ended;
  }
  sample_.weight = tick.weight;
  const auto wanted = [](const TargetThread &thread) { return thread.born; };
  return visit_runnable(sink, wanted) == Health::ended ? Health::ended : visit_waiting(sink, wanted);
}

ProcessSampler::Health ProcessSampler::sample_running(const Tick &tick, SampleSink &sink) {
  any_read_ = false;
  if (target_->threads().empty()) {
    return Health::running;
  }
  return tick.others_weight ? run_apart(tick, sink) : run_all(tick, sink);
}

ProcessSampler::Health ProcessSampler::sample_rest(const Tick &tick, SampleSink &sink) {
  const bool apart = tick.others_weight.has_value(); // run_apart() has sampled these, too
  if ((!apart && wait_all(tick, sink) == Health::ended) || visit_born(tick, sink) == Health::ended) {
    return Health::ended;
  }
  steady_.end_tick();
  last_tick_ns_ = tick.now_ns;
  if (any_left_ && (!turns_.apply() || turns_.now())) { // few wait for it: closing their files takes a while
    engine_.rest();
    target_->drop_left_threads();
    any_left_ = false;
  }
  if (options_.all_tasks == AllTasks::watch) {
    engine_.rest();
    watcher_.look(sink);
  }
  if (target_->threads().size() <= k_few_threads) {
    accounts_.process_ns(); // once its parent has reaped it, nobody says it
  }
  // A zombie keeps its /proc entries until its parent reaps it.
  return !any_read_ && !target_->process().alive() ? Health::ended : Health::running;
}

std::size_t ProcessSampler::drop_unconfirmed(SampleBatch &batch) {
  const std::vector<CodeId> replaced = target_->code_cache().confirm();
  if (replaced.empty()) {
    return 0;
  }
  watcher_.distrust();
  for (TargetThread &thread : target_->threads()) {
    thread.wait.reset();
  }
  return batch.drop(target_->process().pid(), replaced);
}

/// Interpreters, threads that ticks have missed in the list while it was changing, asyncio imported after the attach. Read while the
/// target runs on: what is found is checked whenever it is used.
void ProcessSampler::search(bool lost) {
  SwappedMemory lists(target_->memory(), list_memory_);
  target_->memory().begin();
  const std::vector<Address> interpreters = target_->interpreters().interpreters();
  if (lost) {
    target_->choose_native_ids();
  }
  if (lost || searched_generation_ != generation_) {
    searched_generation_ = generation_;
    target_->set_threads(target_->interpreters().threads());
  }
  const bool wants_all = options_.all_tasks == AllTasks::watch && !target_->tasks().located_in_each(interpreters);
  if (asyncio_unknown_ || wants_all || target_->tasks().located_in_others(interpreters)) {
    engine_.rest();
    target_->locate_tasks();
    asyncio_unknown_ = false;
  }
}

/// What samples may have missed: also the threads of a process that was just forked, and those that run no Python.
ProcessSampler::Health ProcessSampler::housekeep(std::int64_t now, SampleSink &sink) {
  // A child that was just forked has the thread states of its parent, until PyOS_AfterFork_Child() has put them right.
  const bool lost = target_->threads().empty();
  const bool due = now >= next_housekeeping_ns_;
  // On another CPU, if the sampler is there soon.
  const bool later = turns_.apply() && !turns_.now() && now < next_housekeeping_ns_ + k_housekeeping_ns;
  if (!lost && (!due || later)) {
    return Health::running;
  }
  next_housekeeping_ns_ = now + k_housekeeping_ns;
  if (lost || target_->threads().size() > k_few_threads) {
    engine_.rest();
  }
  search(lost);
  if (now >= next_natives_ns_) {
    next_natives_ns_ = now + k_natives_ns;
    const auto is_python = [this, pythons = target_->in_python()](ThreadId tid) {
      engine_.rest_if_long();
      return pythons.contains(tid);
    };
    natives_.account(is_python, sink);
  }
  // Threads are found by their numbers: if the process still is there, these were its own. A thread that waits is hardly ever
  // read: only this shows that it may not be any more.
  return check_readable() ? Health::running : Health::ended;
}

void ProcessSampler::finish(SampleSink &sink) {
  Sample account;
  account.process = target_->process().pid();
  account.weight = 0;
  for (TargetThread &thread : target_->threads()) {
    const std::optional<SchedStat> stat =
        thread.sampled && target_->leads(thread) ? thread.watch.schedstat() : std::nullopt;
    if (stat) {
      account.time_ns = monotonic_ns();
      account.tid = thread.watch.tid();
      account.cpu_ns = accounts_.take(account.tid, stat->cpu_ns);
      sink.consume(account, target_->name_of(thread));
    }
  }
  natives_.finish(sink);
}

} // namespace awaitscope
