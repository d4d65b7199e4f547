#include "awaitscope/sampler/snapshot_taker.hpp"

#include <algorithm>
#include <unordered_set>

#include <unistd.h>

#include <fmt/format.h>

#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

constexpr std::int64_t k_patience_ns = k_ns_per_second;
constexpr unsigned k_let_go_on_us = 200;

/// One try at a whole snapshot.
class Attempt {
public:
  Attempt(Target &target, Engine &engine) : target_(target), engine_(engine) {}

  CaptureStatus run(ProcessSnapshot &snapshot);
  [[nodiscard]] bool undisturbed() const;

private:
  struct Part {
    TargetThread *thread = nullptr;
    bool runnable = false;
    std::uint64_t times_run = 0;
    ThreadSnapshot result;
    PythonStack stack;
    std::vector<Frame> switched;     ///< of its task, if that is on the stack of another greenlet
    std::vector<Address> work_items; ///< the futures of those that it is in
  };
  void order();
  void read_thread(Part &part);
  CaptureStatus capture(Part &part, ProcessSnapshot *tasks_into);
  void find_worked_for();
  void finish_tasks(ProcessSnapshot &snapshot) const;

  Target &target_;
  Engine &engine_;
  std::vector<Part> parts_;
};

/// The blocked threads first: what runs is read last, and only it can disturb the others.
void Attempt::order() {
  for (TargetThread &thread : target_.threads()) {
    Part part;
    part.thread = &thread;
    part.runnable = thread.watch.run() == ThreadWatch::Run::runnable;
    parts_.push_back(std::move(part));
  }
  std::stable_partition(parts_.begin(), parts_.end(), [](const Part &part) { return !part.runnable; });
}

void Attempt::read_thread(Part &part) {
  const ThreadEntry &entry = part.thread->entry;
  target_.read_name(*part.thread);
  ThreadSnapshot &result = part.result;
  result = ThreadSnapshot{};
  target_.code_cache().begin(0);
  target_.stacks().read(entry.state, part.stack);
  Lineage lineage;
  target_.lineages().trace(entry.state, part.stack, RootNames::skip, lineage);
  result.running_task = lineage.running_task;
  part.switched.clear();
  if (lineage.running_task != 0 && !lineage.segments.front().begins_task && lineage.segments.size() > 1) {
    part.switched = lineage.segments[1].frames;
    part.switched.insert(part.switched.end(), lineage.segments[0].frames.begin(), lineage.segments[0].frames.end());
  }
  part.work_items = target_.lineages().work_items(part.stack);
  result.loop = target_.lineages().running_loop(entry, part.stack);
  result.holds_gil = target_.interpreters().gil_holder(entry.interpreter) == entry.state;
}

CaptureStatus Attempt::capture(Part &part, ProcessSnapshot *tasks_into) {
  const std::optional<SchedStat> stat = part.thread->watch.schedstat();
  const Capture capture = engine_.capture(target_, *part.thread, std::nullopt, [&] {
    read_thread(part);
    if (tasks_into != nullptr) {
      tasks_into->tasks = target_.tasks().all_tasks();
      find_worked_for();
    }
  });
  if (capture.status != CaptureStatus::captured) {
    return stat ? capture.status : CaptureStatus::ended;
  }
  part.times_run = part.thread->watch.schedstat().value_or(SchedStat{}).times_run;
  ThreadSnapshot &result = part.result;
  result.tid = part.thread->watch.tid();
  result.name = target_.name_of(*part.thread);
  result.main = result.tid == target_.process().pid();
  result.interpreter = part.thread->entry.interpreter_id;
  result.state = part.runnable ? ThreadState::running : ThreadState::idle;
  for (const PythonFrame &frame : part.stack.frames) {
    result.frames.push_back(frame.frame);
  }
  return CaptureStatus::captured;
}

/// The other way round than asking each task what it waits for: that may be behind a shield, a time limit or a gather.
void Attempt::find_worked_for() {
  for (Part &part : parts_) {
    part.result.works_for.clear();
    for (const Address future : part.work_items) {
      if (target_.tasks().located()) {
        target_.tasks().waiters().find_concurrent(future, part.result.works_for);
      }
    }
  }
}

/// The calls that a thread is in from a task's coroutine on; down to the coroutine of the next task, which began inside them
/// (eagerly, 3.12+), if there is one. Empty if the coroutine is not there.
std::vector<Frame> frames_from(const PythonStack &stack, Address coroutine_frame,
                               const std::unordered_set<Address> &coroutine_frames) {
  std::vector<Frame> frames;
  for (const PythonFrame &frame : stack.frames) {
    const bool of_task = frame.of_generator && coroutine_frames.contains(frame.address);
    if (of_task && frame.address != coroutine_frame && !frames.empty()) {
      break;
    }
    if (!frames.empty() || (of_task && frame.address == coroutine_frame)) {
      frames.push_back(frame.frame);
    }
  }
  return frames;
}

/// A running task goes on through what its thread is in.
void Attempt::finish_tasks(ProcessSnapshot &snapshot) const {
  std::unordered_set<Address> coroutine_frames;
  for (const TaskSnapshot &task : snapshot.tasks) {
    if (task.coroutine_frame != 0 && task.state != TaskState::done) {
      coroutine_frames.insert(task.coroutine_frame);
    }
  }
  for (TaskSnapshot &task : snapshot.tasks) {
    if (task.state != TaskState::running && task.state != TaskState::ready) {
      continue;
    }
    std::vector<Frame> frames;
    for (const Part &part : parts_) {
      if (frames.empty() && task.coroutine_frame != 0) {
        frames = frames_from(part.stack, task.coroutine_frame, coroutine_frames);
      }
    }
    for (const Part &part : parts_) {
      if (frames.empty() && !part.switched.empty() && part.result.running_task == task.id) {
        frames = part.switched;
      }
    }
    // One that is in the step of another task, which it began, goes on when that step ends. One that executes and is on no
    // stack has just been entered or left.
    if (!frames.empty()) {
      task.state = TaskState::running;
      task.frames = std::move(frames);
    }
  }
}

CaptureStatus Attempt::run(ProcessSnapshot &snapshot) {
  order();
  snapshot.threads.clear();
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const bool last = i + 1 == parts_.size();
    const CaptureStatus status = capture(parts_[i], last ? &snapshot : nullptr);
    snapshot.taken_ns = monotonic_ns();
    if (status != CaptureStatus::captured) {
      return status;
    }
  }
  std::transform(parts_.begin(), parts_.end(), std::back_inserter(snapshot.threads),
                 [](const Part &part) { return part.result; });
  finish_tasks(snapshot);
  std::sort(snapshot.threads.begin(), snapshot.threads.end(),
            [](const ThreadSnapshot &a, const ThreadSnapshot &b) { return a.tid < b.tid; });
  return CaptureStatus::captured;
}

bool Attempt::undisturbed() const {
  return std::all_of(parts_.begin(), parts_.end(), [](const Part &part) {
    const std::optional<SchedStat> now = part.thread->watch.schedstat();
    return now && now->times_run == part.times_run;
  });
}

} // namespace

Result<ProcessSnapshot> take_snapshot(Target &target, Engine &engine) {
  ProcessSnapshot snapshot;
  snapshot.pid = target.process().pid();
  snapshot.python = target.runtime().layout.version.text();
  snapshot.warning = presumed_warning(target.runtime().layout);
  snapshot.free_threaded = target.runtime().layout.free_threaded;
  snapshot.executable = target.process().executable();
  snapshot.command = target.process().command_line();
  const std::int64_t deadline = monotonic_ns() + k_patience_ns;
  CaptureStatus status = CaptureStatus::moved;
  while (true) {
    target.memory().begin();
    target.set_threads(target.interpreters().threads());
    Attempt attempt(target, engine);
    status = attempt.run(snapshot);
    const bool late = monotonic_ns() > deadline;
    const bool whole = attempt.undisturbed() && target.tasks().saw_all();
    const bool any = !snapshot.threads.empty(); // else it is ending, or has no Python thread just now
    if (status == CaptureStatus::captured && ((whole && any) || (late && target.process().alive()))) {
      snapshot.consistent = whole;
      return snapshot;
    }
    if (!target.tasks().saw_all()) {
      ::usleep(k_let_go_on_us); // it is in the middle of something, and may have no CPU while this thread has it
    }
    const Result<void> readable = target.process().check_readable();
    if (!readable && readable.error().status != ExitStatus::no_target) {
      return tl::unexpected(readable.error());
    }
    if (!readable) {
      return fail(ExitStatus::no_target, fmt::format("process {} ended while it was read", snapshot.pid),
                  "start it again and give its new PID");
    }
    if (late) {
      return fail(ExitStatus::failed,
                  fmt::format("process {} could not be read while it stood still ({})", snapshot.pid,
                              status == CaptureStatus::no_cpu ? "its CPU is not allowed for this process"
                                                              : "it ran on each time"),
                  "run awaitscope in the same cpuset as the process, or try again");
    }
  }
}

} // namespace awaitscope
