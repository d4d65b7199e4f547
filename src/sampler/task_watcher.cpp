#include "awaitscope/sampler/task_watcher.hpp"

#include <algorithm>
#include <utility>

#include "awaitscope/stitch/stitch.hpp"
#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

constexpr std::int64_t k_search_ns = k_ns_per_second / 10;
constexpr std::int64_t k_most_of_the_time = 10; // one part in so many
constexpr unsigned k_cold_after = 2;            // looks in a row that were not accepted

/// The first frame that is another call than before; k_no_new_call if all that are left are the same.
std::uint32_t first_new_call(const TaskLook &before, const TaskLook &now) {
  const std::size_t common = std::min(before.calls.size(), now.calls.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (before.calls[i] != now.calls[i]) {
      return static_cast<std::uint32_t>(i);
    }
  }
  return TaskChange::k_no_new_call;
}

} // namespace

/// Which threads run loops. Read while they run on: each look checks what it uses.
void TaskWatcher::find_loops() {
  target_.memory().begin();
  loop_of_thread_.clear();
  for (const TargetThread &thread : target_.threads()) {
    if (const Address loop = target_.tasks().running_loop(thread.entry); loop != 0) {
      loop_of_thread_[thread.entry.state] = loop;
    }
  }
}

void TaskWatcher::look(SampleSink &sink) {
  const std::int64_t began = monotonic_ns();
  if (!target_.tasks().located() || began < next_look_ns_) {
    return;
  }
  if (began >= next_search_ns_) {
    next_search_ns_ = began + k_search_ns;
    find_loops();
  }
  std::int64_t took_ns = 0;
  for (TargetThread &thread : target_.threads()) {
    const auto loop = loop_of_thread_.find(thread.entry.state);
    if (loop != loop_of_thread_.end()) {
      took_ns += look_at(thread, loop->second, loops_[loop->second], sink);
    }
  }
  next_look_ns_ = monotonic_ns() + took_ns * (k_most_of_the_time - 1);
}

/// The calls that a running task is in: on its thread's stack, from the task's coroutine down to the first frame that is of no
/// coroutine. Nothing if it is not there.
void TaskWatcher::read_running(Address thread_state, const TaskLook &task) {
  TaskLook &look = running_[task.task];
  look = task;
  look.frames.clear();
  look.calls.clear();
  PythonStack stack;
  target_.stacks().read(thread_state, stack);
  const Address coroutine = target_.tasks().coroutine_frame(look.task);
  auto frame = std::find_if(stack.frames.begin(), stack.frames.end(), [&](const PythonFrame &candidate) {
    return coroutine != 0 && candidate.address == coroutine;
  });
  for (; frame != stack.frames.end() && frame->of_generator; ++frame) {
    const std::optional<RawFrame> raw = target_.stacks().raw_frame(frame->address);
    if (!raw) {
      break;
    }
    const std::int32_t caller_line = look.frames.empty() ? 0 : look.frames.back().line;
    look.calls.push_back(target_.tasks().call_number(*raw, caller_line));
    look.frames.push_back(frame->frame);
  }
}

void TaskWatcher::read_starter(const TaskLook &task) {
  Lineage lineage;
  target_.lineages().trace_suspended(task.task, names_, lineage);
  if (lineage.segments.size() > 1) {
    lineage.segments.erase(lineage.segments.begin()); // its own
    starters_[task.task] = std::move(lineage);
  }
}

/// What is read of all tasks in one snapshot.
void TaskWatcher::read(const TargetThread &thread, Address loop) {
  target_.code_cache().begin(0); // each code object is looked at: what it is read from is noted
  looks_.refresh();
  running_.clear();
  starters_.clear();
  for (const TaskLooks::Entry &entry : looks_.entries()) {
    if (!entry.is_task || entry.look.done || entry.look.loop != loop) {
      continue;
    }
    if (entry.look.state == TaskState::running) {
      read_running(thread.entry.state, entry.look);
    }
    if (entry.look.may_have_starter) {
      read_starter(entry.look);
    }
  }
}

/// How long the look took, in nanoseconds, without what comes but once: finding out where everything lies.
std::int64_t TaskWatcher::look_at(TargetThread &thread, Address loop, Loop &known, SampleSink &sink) {
  const std::optional<SchedStat> stat = thread.watch.schedstat();
  if (!stat || (known.was_blocked && stat->times_run == known.times_run)) {
    return 0; // it has not run since: its tasks are what they were
  }
  const bool blocked = thread.watch.run() == ThreadWatch::Run::blocked;
  target_.memory().swap(memory_);
  const bool cold = !known.warm;
  if (cold) {
    // Where everything lies takes a read each to find out, the first time. Not while the thread is held off its CPU: what was
    // used in two looks is fetched ahead, all at once, in the next.
    for (int pass = 0; pass < 2; ++pass) {
      target_.memory().begin();
      read(thread, loop);
    }
    known.refused = 0;
  }
  const std::int64_t began = monotonic_ns();
  const Capture capture = engine_.capture(target_, thread, cold ? std::nullopt : stat, [&] { read(thread, loop); });
  known.refused = capture.status == CaptureStatus::captured ? 0 : known.refused + 1;
  known.warm = known.refused < k_cold_after;
  if (known.refused == 0) {
    ++totals_.task_looks;
    totals_.task_look_ns += capture.read_ns;
    totals_.longest_task_look_ns = std::max(totals_.longest_task_look_ns, capture.read_ns);
    const std::int64_t now = monotonic_ns();
    const Moment moment{loop, now, std::exchange(known.last_look_ns, now)};
    known.times_run = stat->times_run;
    known.was_blocked = blocked;
    stacks_.begin();
    std::vector<Change> changes;
    for (const TaskLooks::Entry &entry : looks_.entries()) {
      if (entry.is_task && !entry.look.done && entry.look.loop == loop) {
        compare(entry, moment, changes, sink);
      }
    }
    forget_gone(moment, sink);
    // What one stands under is known once all have been taken over.
    for (const Change &change : changes) {
      stacks_.has_moved(*change.task);
      tell(*change.task, change.task->look.state, change.new_from, moment, sink);
    }
    for (auto &[address, task] : stacks_.tasks()) {
      if (stacks_.has_moved(task)) {
        tell(task, task.look.state, TaskChange::k_no_new_call, moment, sink);
      }
    }
  } // else the next look sees what became different
  target_.memory().swap(memory_);
  return monotonic_ns() - began;
}

void TaskWatcher::forget_gone(const Moment &moment, SampleSink &sink) {
  for (auto task = stacks_.tasks().begin(); task != stacks_.tasks().end();) {
    const bool gone = task->second.look.loop == moment.loop && task->second.seen_at != stacks_.look();
    if (gone) {
      tell(task->second, TaskState::done, TaskChange::k_no_new_call, moment, sink);
    }
    task = gone ? stacks_.tasks().erase(task) : std::next(task);
  }
}

void TaskWatcher::compare(const TaskLooks::Entry &entry, const Moment &moment, std::vector<Change> &changes,
                          SampleSink &sink) {
  const auto [place, fresh] = stacks_.tasks().try_emplace(entry.place);
  WatchedTask &known = place->second;
  known.seen_at = stacks_.look();
  if (const auto starter = starters_.find(entry.place); starter != starters_.end()) {
    known.base = base_of(starter->second);
  } else if (!known.base.frames.empty()) {
    known.base = {};
  }
  const auto running = running_.find(entry.place);
  if (!fresh && running == running_.end() && known.serial == entry.serial && known.look.state == entry.look.state) {
    return;
  }
  TaskLook look = running == running_.end() ? entry.look : running->second;
  known.serial = entry.serial;
  const bool another = !fresh && (known.look.coroutine != look.coroutine || known.look.name != look.name);
  if (another) {
    tell(known, TaskState::done, TaskChange::k_no_new_call, moment, sink);
  }
  if (look.state == TaskState::running && !fresh && !another &&
      (look.frames.empty() || look.calls == known.look.calls)) {
    look.frames = known.look.frames; // which lines it runs through, samples tell
    look.calls = known.look.calls;
  }
  const std::uint32_t new_from = fresh || another ? 0 : first_new_call(known.look, look);
  const bool same_frames = !fresh && !another && known.look.frames == look.frames;
  const bool same = same_frames && known.look.state == look.state && new_from == TaskChange::k_no_new_call;
  known.own += same_frames ? 0 : 1;
  known.look = std::move(look);
  if (!same) {
    changes.push_back({&known, new_from});
  }
}

TaskBase TaskWatcher::base_of(const Lineage &lineage) {
  TaskBase base;
  LogicalStack stack;
  stitch(lineage, stack);
  base.frames = std::move(stack.frames);
  if (lineage.root_thread != 0) {
    for (const TargetThread &thread : target_.threads()) {
      if (thread.entry.state == lineage.root_thread) {
        base.root.tid = thread.watch.tid();
        base.root.thread_name = thread.name.empty() ? std::to_string(thread.watch.tid()) : thread.name;
      }
    }
  } else if (lineage.root_task != 0) {
    base.root.task = lineage.root_task;
    base.root.coroutine = target_.tasks().label(lineage.root_task);
    base.root.name = lineage.root_name;
  }
  return base;
}

void TaskWatcher::tell(const WatchedTask &task, TaskState state, std::uint32_t new_from, const Moment &moment,
                       SampleSink &sink) {
  TaskChange change;
  change.process = target_.process().pid();
  change.task = task.look.task;
  change.coroutine = task.look.label;
  change.name = given_name(task.look.name);
  change.state = state;
  change.at_ns = moment.now_ns;
  change.before_ns = moment.before_ns;
  if (const auto charged = charged_.find(task.look.task); charged != charged_.end()) {
    change.cpu_ns = charged->second;
    charged_.erase(charged);
  }
  if (state != TaskState::done) {
    stacks_.write(task, change);
    change.new_from = new_from;
  }
  sink.consume(change);
}

} // namespace awaitscope
