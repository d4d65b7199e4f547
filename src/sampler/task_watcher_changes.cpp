// TaskWatcher's second part: what readings have found changed, and what is emitted of it.

#include <algorithm>
#include <utility>

#include "awaitscope/sampler/task_watcher.hpp"
#include "awaitscope/stitch/stitch.hpp"
#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

/// The first frame that is another call than before; k_no_new_call if all that are left are the same.
std::uint32_t new_from(const TaskLook &before, const TaskLook &now) {
  const bool same = before.awaits == now.awaits || before.awaits == 0 || now.awaits == 0;
  const std::size_t first = first_new_call(before.calls, now.calls, same);
  return first < std::min(before.calls.size(), now.calls.size()) ? static_cast<std::uint32_t>(first)
                                                                 : TaskChange::k_no_new_call;
}

/// Is a running task in the calls in which it was suspended? When its step begins or ends, the outer ones alone are on the stack,
/// the last of them in its await: at one of the instructions around the YIELD_VALUE at which it was (add_yield_from() in
/// Python/compile.c, from 3.14 on in Python/codegen.c; a single YIELD_FROM before 3.11).
bool same_calls(const std::vector<CallSight> &now, const std::vector<CallSight> &before) {
  constexpr std::int64_t k_send = 6;   // bytes in front of where a suspended one goes on
  constexpr std::int64_t k_resume = 4; // and from there on
  const auto same_number = [](const CallSight &one, const CallSight &other) { return one.number == other.number; };
  if (now.empty() || now.size() > before.size() || !std::equal(now.begin(), now.end(), before.begin(), same_number)) {
    return now.empty() && before.empty();
  }
  const std::int64_t moved = now.back().instruction - before[now.size() - 1].instruction;
  return now.size() == before.size() || (moved >= -k_send && moved <= k_resume);
}

} // namespace

/// Emits what the accepted reading has found changed.
void TaskWatcher::take_over(const AwakeLoop &loop, SampleSink &sink) {
  const When when{monotonic_ns(), loop.known->unchanged_ns};
  std::vector<Change> changes;
  std::vector<Address> gone;
  for (const auto &[place, sight] : sights_) {
    suspects_.erase(place);
    WatchedTask *known = stacks_.find(place);
    if (!sight.there || (known != nullptr && known->missed >= WatchedTask::k_gone_after)) {
      gone.push_back(place);
    } else {
      compare(place, sight, when, changes, sink);
    }
  }
  // What one stands under is known once all have been taken over.
  stacks_.begin();
  for (const Change &change : changes) {
    emit(*change.task, change.task->look.state, change.new_from, change.when, sink);
  }
  for (const auto &[place, sight] : sights_) {
    WatchedTask *known = stacks_.find(place);
    if (known != nullptr && sight.there && stacks_.has_moved(*known)) {
      emit(*known, known->look.state, TaskChange::k_no_new_call, since(*known, when), sink);
    }
  }
  for (const Address place : gone) {
    if (WatchedTask *known = stacks_.find(place)) {
      emit(*known, TaskState::done, TaskChange::k_no_new_call, since(*known, when), sink);
      stacks_.tasks().erase(place);
    }
  }
}

/// What a scan of the recent ones says may be later.
TaskWatcher::When TaskWatcher::since(const WatchedTask &task, const When &when) {
  return {when.now_ns, std::max(when.before_ns, std::min(task.unchanged_ns, when.now_ns))};
}

void TaskWatcher::compare(Address place, const Sight &sight, const When &when, std::vector<Change> &changes,
                          SampleSink &sink) {
  const auto [entry, fresh] = stacks_.tasks().try_emplace(place);
  WatchedTask &known = entry->second;
  if (fresh) {
    known.seen_at = scans_;
  }
  // If it has moved on since the scan, it may be back there at the next.
  const TaskLooks::Entry *scanned = scan_->looks.find(place);
  const bool as_scanned = scanned != nullptr && scanned->look.state == sight.look.state &&
                          scanned->look.waits_for == sight.look.waits_for && scanned->look.frames == sight.look.frames;
  known.serials[scan_->number] = as_scanned ? scanned->serial : 0;
  When changed = since(known, {as_scanned ? scan_->ended_ns : when.now_ns, when.before_ns});
  if (sight.starter.segments.size() > 1) {
    Lineage above = sight.starter;
    above.segments.erase(above.segments.begin()); // its own
    known.base = base_of(above);
  } else if (!known.base.frames.empty()) {
    known.base = {};
  }
  // It was there before the recording, and its calls were not to be read until now: they may have been there as well.
  changed.before_ns = !fresh && known.since_ever && known.look.calls.empty() ? 0 : changed.before_ns;
  known.since_ever = changed.before_ns == 0;
  TaskLook look = sight.look;
  const bool another = !fresh && (known.look.coroutine != look.coroutine || known.look.name != look.name);
  if (another) {
    emit(known, TaskState::done, TaskChange::k_no_new_call, changed, sink);
  }
  if (look.state == TaskState::running && !fresh && !another &&
      (look.frames.empty() || same_calls(look.calls, known.look.calls))) {
    look.frames = known.look.frames; // which lines it runs through, samples show
    look.calls = known.look.calls;
    look.request = look.request.object == 0 ? known.look.request : look.request;
  }
  const std::uint32_t new_calls = fresh || another ? 0 : new_from(known.look, look);
  const bool same_frames = !fresh && !another && known.look.frames == look.frames;
  const bool same = same_frames && known.look.state == look.state && new_calls == TaskChange::k_no_new_call &&
                    known.look.request.route == look.request.route;
  known.own += same_frames ? 0 : 1;
  known.look = std::move(look);
  if (!same) {
    changes.push_back({&known, new_calls, changed});
  }
}

TaskBase TaskWatcher::base_of(const Lineage &lineage) {
  TaskBase base;
  LogicalStack stack;
  stitch(lineage, stack);
  base.frames = std::move(stack.frames);
  const auto handler = std::find_if(lineage.segments.rbegin(), lineage.segments.rend(),
                                    [](const StackSegment &segment) { return segment.request.route != nullptr; });
  if (handler != lineage.segments.rend()) {
    base.request = handler->request;
  }
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

void TaskWatcher::emit(WatchedTask &task, TaskState state, std::uint32_t new_from, const When &when, SampleSink &sink) {
  task.changed_ns = when.now_ns;
  TaskChange change;
  change.process = target_.process().pid();
  change.task = task.look.task;
  change.coroutine = task.look.label;
  change.name = given_name(task.look.name);
  change.state = state;
  change.at_ns = when.now_ns;
  change.before_ns = when.before_ns;
  if (const auto charged = charged_.find(task.look.task); charged != charged_.end()) {
    change.cpu_ns = charged->second;
    charged_.erase(charged);
  }
  if (state != TaskState::done) {
    stacks_.write(task, change);
    change.request = target_.request_ids().of(stacks_.request_of(task));
    change.new_from = new_from;
  }
  sink.consume(change);
}

} // namespace awaitscope
