#include "awaitscope/sampler/task_watcher.hpp"

#include <algorithm>
#include <utility>

#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

constexpr std::int64_t k_search_ns = k_ns_per_second / 10;
constexpr std::int64_t k_most_of_the_time = 10; // one part in so many

/// "Task-12": the name that asyncio gives where the program gives none (Lib/asyncio/tasks.py, _task_name_counter).
bool is_serial_name(std::string_view name) {
  constexpr std::string_view k_prefix = "Task-";
  return name.substr(0, k_prefix.size()) == k_prefix && name.size() > k_prefix.size() &&
         std::all_of(name.begin() + k_prefix.size(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The calls that a running task is in: on its thread's stack, from the task's coroutine down to the first frame that is of no
/// coroutine. Nothing if it is not there.
void read_running(Target &target, Address thread_state, TaskLook &look) {
  PythonStack stack;
  target.stacks().read(thread_state, stack);
  const Address coroutine = target.tasks().coroutine_frame(look.task);
  auto frame = std::find_if(stack.frames.begin(), stack.frames.end(), [&](const PythonFrame &candidate) {
    return coroutine != 0 && candidate.address == coroutine;
  });
  for (; frame != stack.frames.end() && frame->of_generator; ++frame) {
    const std::optional<RawFrame> raw = target.stacks().raw_frame(frame->address);
    if (!raw) {
      break;
    }
    const std::int32_t caller_line = look.frames.empty() ? 0 : look.frames.back().line;
    look.calls.push_back(target.tasks().call_number(*raw, caller_line));
    look.frames.push_back(frame->frame);
  }
}

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
  for (TargetThread &thread : target_.threads()) {
    const auto loop = loop_of_thread_.find(thread.entry.state);
    if (loop != loop_of_thread_.end()) {
      look_at(thread, loop->second, loops_[loop->second], sink);
    }
  }
  next_look_ns_ = began + (monotonic_ns() - began) * k_most_of_the_time;
}

void TaskWatcher::look_at(TargetThread &thread, Address loop, Loop &known, SampleSink &sink) {
  const std::optional<SchedStat> stat = thread.watch.schedstat();
  if (!stat || (known.was_blocked && stat->times_run == known.times_run)) {
    return; // it has not run since: its tasks are what they were
  }
  const bool blocked = thread.watch.run() == ThreadWatch::Run::blocked;
  std::vector<TaskLook> looks;
  if (!known.warm) {
    // Where everything lies takes a read each to find out, the first time. Not while the thread is held off its CPU: what was
    // used in two looks is fetched ahead, all at once, in the next.
    for (int pass = 0; pass < 2; ++pass) {
      target_.memory().begin();
      target_.tasks().look_at_all();
    }
  }
  const Capture capture = engine_.capture(target_, thread, stat, [&] {
    target_.code_cache().begin(thread.entry.interpreter_id == 0 ? thread.entry.interpreter : 0);
    looks = target_.tasks().look_at_all();
    for (TaskLook &look : looks) {
      if (look.state == TaskState::running && look.loop == loop) {
        read_running(target_, thread.entry.state, look);
      }
    }
  });
  known.warm = capture.status == CaptureStatus::captured;
  if (!known.warm) {
    return; // the next look sees what became different
  }
  const std::int64_t now = monotonic_ns();
  const std::int64_t before = std::exchange(known.last_look_ns, now);
  known.times_run = stat->times_run;
  known.was_blocked = blocked;
  ++looks_;
  for (TaskLook &look : looks) {
    if (look.loop == loop) {
      compare(std::move(look), now, before, sink);
    }
  }
  for (auto task = tasks_.begin(); task != tasks_.end();) {
    const bool gone = task->second.look.loop == loop && task->second.seen_at != looks_;
    if (gone) {
      tell(task->second, TaskState::done, TaskChange::k_no_new_call, now, before, sink);
    }
    task = gone ? tasks_.erase(task) : std::next(task);
  }
}

void TaskWatcher::compare(TaskLook &&look, std::int64_t now, std::int64_t before, SampleSink &sink) {
  const auto [entry, fresh] = tasks_.try_emplace(look.task);
  Known &known = entry->second;
  known.seen_at = looks_;
  const bool another = !fresh && (known.look.coroutine != look.coroutine || known.look.name != look.name);
  if (another) {
    tell(known, TaskState::done, TaskChange::k_no_new_call, now, before, sink);
  }
  if (look.state == TaskState::running && !fresh && !another &&
      (look.frames.empty() || look.calls == known.look.calls)) {
    look.frames = known.look.frames; // which lines it runs through, samples tell
    look.calls = known.look.calls;
  }
  const std::uint32_t new_from = fresh || another ? 0 : first_new_call(known.look, look);
  const bool same = !fresh && !another && known.look.state == look.state && known.look.frames == look.frames &&
                    new_from == TaskChange::k_no_new_call;
  known.look = std::move(look);
  if (same) {
    return;
  }
  if (fresh || another) {
    known.coroutine = target_.tasks().label(known.look.task);
  }
  tell(known, known.look.state, new_from, now, before, sink);
}

void TaskWatcher::tell(const Known &task, TaskState state, std::uint32_t new_from, std::int64_t now,
                       std::int64_t before, SampleSink &sink) {
  TaskChange change;
  change.process = target_.process().pid();
  change.task = task.look.task;
  change.coroutine = task.coroutine;
  change.name = is_serial_name(task.look.name) ? std::string() : task.look.name;
  change.state = state;
  change.at_ns = now;
  change.before_ns = before;
  if (const auto charged = charged_.find(task.look.task); charged != charged_.end()) {
    change.cpu_ns = charged->second;
    charged_.erase(charged);
  }
  if (state != TaskState::done) {
    change.frames = task.look.frames;
    change.new_from = new_from;
  }
  sink.consume(change);
}

} // namespace awaitscope
