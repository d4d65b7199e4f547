#include "awaitscope/sampler/task_watcher.hpp"

#include <algorithm>
#include <utility>

#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

constexpr std::int64_t k_search_period_ns = k_ns_per_second / 10;
constexpr std::int64_t k_recent_ns = k_ns_per_second;
constexpr std::int64_t k_parts = 4;      // of the time: all scans take one of them
constexpr std::size_t k_worth_apart = 2; // recent tasks are scanned apart if they are one in so many at most
constexpr std::int64_t k_averaged = 8;
// Read in half a millisecond: a thread that is held for much longer, or wakes up meanwhile, goes to another CPU.
constexpr std::size_t k_at_once = 64;
constexpr std::size_t k_settled_at_once = 512; // between which the time is checked
constexpr std::int64_t k_longest_settle_ns = k_ns_per_second / 2;
// Tasks whose own frames are what they were stand under others now: they are read as well, together with those.
constexpr int k_rounds = 2;

} // namespace

/// Which threads run loops. Read while they run on: each look checks what it uses.
void TaskWatcher::find_loops(std::int64_t now_ns) {
  target_.memory().begin();
  std::unordered_map<Address, Address> found;
  for (const TargetThread &thread : target_.threads()) {
    const Address loop = target_.tasks().running_loop(thread.entry);
    if (loop == 0) {
      continue;
    }
    found[thread.entry.state] = loop;
    const auto before = loop_of_thread_.find(thread.entry.state);
    if (before == loop_of_thread_.end() || before->second != loop) {
      loops_[loop] = {}; // whatever had this address before
      loops_[loop].unchanged_ns = searched_ns_;
    }
  }
  loop_of_thread_ = std::move(found);
  searched_ns_ = now_ns;
}

/// Which loops are run, and which of them by a thread that has run since their last scan. What the others' last scan found
/// is so until `now_ns`.
void TaskWatcher::wake_loops(std::int64_t now_ns) {
  run_.clear();
  awake_.clear();
  for (TargetThread &thread : target_.threads()) {
    const auto place = loop_of_thread_.find(thread.entry.state);
    if (place == loop_of_thread_.end()) {
      continue;
    }
    run_.insert(place->second);
    Loop &loop = loops_[place->second];
    const std::optional<SchedStat> stat = thread.watch.schedstat();
    if (stat && loop.was_blocked && stat->times_run == loop.times_run) {
      loop.unchanged_ns = now_ns;
    } else if (stat) {
      awake_.push_back({&thread, place->second, &loop, stat->times_run});
    }
  }
}

/// Before the scan: is each of their threads blocked? If one runs later on, what was counted of it before is over.
void TaskWatcher::begin_awake() {
  for (AwakeLoop &loop : awake_) {
    loop.is_blocked = loop.thread->watch.run() == ThreadWatch::Run::blocked;
  }
}

void TaskWatcher::look(SampleSink &sink) {
  const std::int64_t began = monotonic_ns();
  if (!target_.tasks().located()) {
    return;
  }
  if (began >= next_search_ns_) {
    next_search_ns_ = began + k_search_period_ns;
    find_loops(began);
  }
  wake_loops(began);
  if (awake_.empty()) {
    return; // all tasks are what they were
  }
  const std::vector<Address> recent = recent_tasks(began);
  const bool recent_apart = scans_ > 0 && recent.size() * k_worth_apart <= stacks_.tasks().size();
  parts_ = recent_apart ? 2 * k_parts : k_parts;
  if (recent_apart && began >= recent_.next_ns) { // first, since a scan of all takes longer
    if (!scan_recent(recent)) {
      return;
    }
    finish(began, sink);
  }
  if (began >= all_.next_ns) {
    const bool first = scans_ == 0;
    const std::int64_t all_began = monotonic_ns();
    if (!scan_all()) {
      totals_.tasks_left_out = scans_ == 1 ? all_.looks.entries().size() : totals_.tasks_left_out;
      return;
    }
    forget_orphans(sink);
    finish(first ? all_.ended_ns : all_began, sink); // the first one finds out where everything lies
    const std::int64_t took = monotonic_ns() - all_began;
    totals_.task_looks += first ? 0 : 1;
    totals_.task_look_ns += first ? 0 : took;
    totals_.longest_task_look_ns = std::max(totals_.longest_task_look_ns, first ? 0 : took);
  }
}

/// Is it time to leave the rest of the suspects for the next scan?
bool TaskWatcher::late() {
  left_some_ = left_some_ || monotonic_ns() > settle_until_ns_ || (over_ && over_());
  return left_some_;
}

/// Of the last scan, which cost what has passed since then: emits what changed, and says when the next one may be.
void TaskWatcher::finish(std::int64_t since_ns, SampleSink &sink) {
  left_some_ = false;
  settle_until_ns_ = monotonic_ns() + k_longest_settle_ns;
  settle_all(sink);
  totals_.tasks_left_out = left_some_ ? suspects_.size() : 0;
  const std::int64_t ended = monotonic_ns();
  // One that took long, since somebody else had the CPU, does not make the next one late: the pauses are as long in all.
  scan_->cost_ns += (ended - since_ns - scan_->cost_ns) / k_averaged;
  scan_->next_ns = ended + scan_->cost_ns * (parts_ - 1);
}

void TaskWatcher::settle_all(SampleSink &sink) {
  for (const AwakeLoop &loop : awake_) {
    const bool settled = settle(loop, sink);
    if (scan_ == &recent_) {
      if (settled) {
        scanned_recent(loop);
      }
      continue;
    }
    loop.known->times_run = loop.times_run;
    loop.known->was_blocked = settled && loop.is_blocked; // else it is scanned again
    if (settled) {
      loop.known->unchanged_ns = all_.began_ns; // what was no suspect may have changed since
    }
  }
}

/// What a scan of the recent ones, and what followed, did not find changed was so when it began.
void TaskWatcher::scanned_recent(const AwakeLoop &loop) {
  for (const TaskLooks::Entry &entry : recent_.looks.entries()) {
    WatchedTask *known = stacks_.find(entry.place);
    if (known != nullptr && known->look.loop == loop.address) {
      known->unchanged_ns = recent_.began_ns;
    }
  }
}

/// Those that changed a short time ago, in the order of their addresses. What the first scan of all finds has not.
std::vector<Address> TaskWatcher::recent_tasks(std::int64_t now_ns) {
  std::vector<Address> recent;
  for (const auto &[place, task] : stacks_.tasks()) {
    if (now_ns - task.changed_ns < k_recent_ns && task.missed == 0 && !task.since_ever) {
      recent.push_back(place);
    }
  }
  std::sort(recent.begin(), recent.end());
  return recent;
}

bool TaskWatcher::is_suspect(const TaskLooks::Entry &entry, const WatchedTask *known) const {
  if (!entry.is_task || entry.look.done) {
    return known != nullptr;
  }
  return known == nullptr || entry.look.state == TaskState::running || entry.look.may_have_starter ||
         entry.look.state != known->look.state || entry.serial != known->serials[scan_->number];
}

/// What is told goes through the sink, which asks CodeCache::confirm() first.
void TaskWatcher::begin_codes() {
  Address interpreter = 0;
  for (const TargetThread &thread : target_.threads()) {
    if (thread.entry.interpreter_id != 0) {
      interpreter = 0; // there are several, each with a count of its own
      break;
    }
    interpreter = thread.entry.interpreter;
  }
  target_.code_cache().begin(interpreter, monotonic_ns());
}

void TaskWatcher::begin_scan(Scan &scan) {
  begin_awake();
  scan_ = &scan;
  scan.began_ns = monotonic_ns();
  target_.memory().swap(scan.memory);
  target_.memory().begin();
  begin_codes();
}

void TaskWatcher::end_scan(bool whole) {
  scan_->ended_ns = monotonic_ns();
  target_.memory().swap(scan_->memory);
  if (!whole) {
    return;
  }
  for (const TaskLooks::Entry &entry : scan_->looks.entries()) {
    if (is_suspect(entry, stacks_.find(entry.place))) {
      suspects_.insert(entry.place);
    }
  }
}

/// Finds out, while the target runs on, which tasks may have become different.
bool TaskWatcher::scan_all() {
  begin_scan(all_);
  ++scans_;
  const bool whole = all_.looks.refresh();
  end_scan(whole);
  if (!whole) {
    return false;
  }
  for (const TaskLooks::Entry &entry : all_.looks.entries()) {
    if (WatchedTask *known = stacks_.find(entry.place)) {
      known->seen_at = scans_;
      known->missed = 0;
    }
  }
  for (auto &[address, task] : stacks_.tasks()) {
    if (task.seen_at != scans_ && all_.looks.lists_all()) {
      ++task.missed;
      suspects_.insert(address);
    }
  }
  return true;
}

/// The same of those tasks only that have changed of late.
bool TaskWatcher::scan_recent(const std::vector<Address> &places) {
  begin_scan(recent_);
  const bool whole = recent_.looks.refresh(places);
  end_scan(whole);
  return whole;
}

/// Tasks that are in no list any more, of a loop that no thread runs any more: no thread has to stand still for them.
void TaskWatcher::forget_orphans(SampleSink &sink) {
  for (auto entry = stacks_.tasks().begin(); entry != stacks_.tasks().end();) {
    WatchedTask &task = entry->second;
    const Address loop = task.look.loop;
    const bool orphan = task.missed >= WatchedTask::k_gone_after && !run_.contains(loop);
    if (orphan) {
      emit(task, TaskState::done, TaskChange::k_no_new_call, {monotonic_ns(), loops_[loop].unchanged_ns}, sink);
      suspects_.erase(entry->first);
    }
    entry = orphan ? stacks_.tasks().erase(entry) : std::next(entry);
  }
}

/// Those that a loop runs, as the scan or the last look at them says.
std::vector<Address> TaskWatcher::suspects_of(Address loop) const {
  std::vector<Address> found;
  for (const Address place : suspects_) {
    const TaskLooks::Entry *entry = scan_->looks.find(place);
    const WatchedTask *known = stacks_.find(place);
    if ((entry != nullptr && entry->is_task && entry->look.loop == loop) ||
        (known != nullptr && known->look.loop == loop)) {
      found.push_back(place);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// Emits what became different of a loop's tasks. False if some of it is not known yet.
bool TaskWatcher::settle(const AwakeLoop &loop, SampleSink &sink) {
  for (int round = 0; round < k_rounds; ++round) {
    const std::vector<Address> suspects = suspects_of(loop.address);
    if (suspects.empty()) {
      break;
    }
    for (std::span<const Address> rest = suspects; !rest.empty();) {
      const std::span<const Address> some = rest.first(std::min(k_settled_at_once, rest.size()));
      if (late() || (!accept(loop, some, sink) && !confirm(loop, some, sink))) {
        return false;
      }
      rest = rest.subspan(some.size());
    }
    stacks_.begin();
    for (auto &[address, task] : stacks_.tasks()) {
      if (task.look.loop == loop.address && stacks_.has_moved(task)) {
        suspects_.insert(address);
      }
    }
  }
  return true;
}

/// If the thread was blocked before the scan and has not run since, the scan holds. False if it may not.
bool TaskWatcher::accept(const AwakeLoop &loop, std::span<const Address> suspects, SampleSink &sink) {
  const std::optional<SchedStat> before = loop.is_blocked ? loop.thread->watch.schedstat() : std::nullopt;
  if (!before || before->times_run != loop.times_run) {
    return false;
  }
  target_.memory().swap(scan_->memory);
  read(loop, suspects);
  target_.memory().swap(scan_->memory);
  const std::optional<SchedStat> stat = loop.thread->watch.schedstat();
  const bool holds = stat && stat->times_run == loop.times_run;
  if (holds) {
    take_over(loop, sink);
  }
  return holds;
}

/// Reads them while the thread stands still. False if some could not be read: they stay suspects.
bool TaskWatcher::confirm(const AwakeLoop &loop, std::span<const Address> suspects, SampleSink &sink) {
  bool whole = true;
  target_.memory().swap(held_memory_);
  while (!suspects.empty()) {
    if (late()) {
      whole = false;
      break;
    }
    const auto some = suspects.first(std::min(k_at_once, suspects.size()));
    const CaptureStatus status = confirm_some(loop, some, sink);
    whole = whole && status == CaptureStatus::captured;
    // A thread that only ran on may stand still for the next ones; one that is gone, or out of reach, will not.
    const bool go_on = status == CaptureStatus::captured || status == CaptureStatus::moved;
    suspects = suspects.subspan(go_on ? some.size() : suspects.size());
  }
  target_.memory().swap(held_memory_);
  return whole;
}

CaptureStatus TaskWatcher::confirm_some(const AwakeLoop &loop, std::span<const Address> suspects, SampleSink &sink) {
  ranges_.clear();
  for (const Address place : suspects) {
    const Scan &scan = scan_->looks.find(place) != nullptr ? *scan_ : all_;
    if (const TaskLooks::Entry *entry = scan.looks.find(place)) {
      scan.memory.add_ranges(entry->uses, ranges_);
    }
  }
  const Capture capture = engine_.capture(target_, *loop.thread, std::nullopt, [&] {
    target_.memory().prefetch(ranges_);
    read(loop, suspects);
  });
  if (capture.status == CaptureStatus::captured) {
    take_over(loop, sink);
  }
  return capture.status;
}

/// Reads these tasks, and those that they stand under, in one snapshot.
void TaskWatcher::read(const AwakeLoop &loop, std::span<const Address> suspects) {
  begin_codes();
  sights_.clear();
  const std::vector<Address> running = target_.tasks().current_tasks({loop.thread->entry.state});
  for (const Address place : suspects) {
    read_task(loop, place, running);
  }
}

void TaskWatcher::read_task(const AwakeLoop &loop, Address place, const std::vector<Address> &running) {
  for (std::size_t depth = 0; place != 0 && depth < LineageReader::k_max_segments && !sights_.contains(place);
       ++depth) {
    Sight sight;
    sight.there = target_.tasks().look_at(place, sight.look) && !sight.look.done;
    if (sight.there && sight.look.loop != loop.address) {
      return; // its thread does not stand still
    }
    if (sight.there && std::find(running.begin(), running.end(), place) != running.end()) {
      sight.look.state = TaskState::running;
      read_running(loop.thread->entry.state, sight.look);
    }
    if (sight.there && sight.look.may_have_starter) {
      target_.lineages().trace_suspended(place, names_, sight.starter);
    }
    const Address above = sight.there ? sight.look.awaited_by : 0;
    sights_.emplace(place, std::move(sight));
    place = above;
  }
}

/// The calls that a running task is in: on its thread's stack, from the task's coroutine down to the first frame that is of no
/// coroutine. Nothing if it is not there.
void TaskWatcher::read_running(Address thread_state, TaskLook &look) {
  look.frames.clear();
  look.calls.clear();
  look.request = {};
  PythonStack stack;
  target_.stacks().read(thread_state, stack);
  const Address coroutine = target_.tasks().coroutine_frame(look.task);
  auto frame = std::find_if(stack.frames.begin(), stack.frames.end(), [&](const PythonFrame &candidate) {
    return coroutine != 0 && candidate.address == coroutine;
  });
  const auto first = static_cast<std::size_t>(frame - stack.frames.begin());
  for (; frame != stack.frames.end() && frame->of_generator; ++frame) {
    const std::optional<RawFrame> raw = target_.stacks().raw_frame(frame->address);
    if (!raw) {
      break;
    }
    const std::int32_t caller_line = look.frames.empty() ? 0 : look.frames.back().line;
    look.calls.push_back(target_.tasks().call_sight(*raw, caller_line));
    look.frames.push_back(frame->frame);
    target_.tasks().coroutines().add_greenlet(stack, static_cast<std::size_t>(frame - stack.frames.begin()),
                                              look.frames, &look.calls);
  }
  const auto end = static_cast<std::size_t>(frame - stack.frames.begin());
  look.request = target_.tasks().requests().find(stack, first, end, look.task, thread_state);
  look.request.depth -= std::min(look.request.depth, first);
  target_.tasks().requests().complete(look.request);
}

} // namespace awaitscope
