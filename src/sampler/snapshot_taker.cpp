#include "awaitscope/sampler/snapshot_taker.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

constexpr std::int64_t k_patience_ns = k_ns_per_second;

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
  };
  void order();
  void read_thread(Part &part);
  CaptureStatus capture(Part &part, ProcessSnapshot *tasks_into);
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
  result.worker_futures = target_.lineages().work_items(part.stack);
  result.loop = target_.tasks().running_loop(entry);
  result.holds_gil = target_.interpreters().gil_holder(entry.interpreter) == entry.state;
}

CaptureStatus Attempt::capture(Part &part, ProcessSnapshot *tasks_into) {
  const std::optional<SchedStat> stat = part.thread->watch.schedstat();
  const Capture capture = engine_.capture(target_, *part.thread, std::nullopt, [&] {
    read_thread(part);
    if (tasks_into != nullptr) {
      tasks_into->tasks = target_.tasks().all_tasks();
    }
  });
  if (capture.status != CaptureStatus::captured) {
    return stat ? capture.status : CaptureStatus::ended;
  }
  part.times_run = part.thread->watch.schedstat().value_or(SchedStat{}).times_run;
  ThreadSnapshot &result = part.result;
  result.tid = part.thread->watch.tid();
  result.name = part.thread->name;
  result.main = result.tid == target_.process().pid();
  result.interpreter = part.thread->entry.interpreter_id;
  result.state = part.runnable ? ThreadState::running : ThreadState::idle;
  for (const PythonFrame &frame : part.stack.frames) {
    result.frames.push_back(frame.frame);
  }
  return CaptureStatus::captured;
}

/// A running task goes on through what its thread is in.
void Attempt::finish_tasks(ProcessSnapshot &snapshot) const {
  for (TaskSnapshot &task : snapshot.tasks) {
    const bool runs = std::any_of(parts_.begin(), parts_.end(),
                                  [&](const Part &part) { return part.result.running_task == task.id; });
    if (task.state == TaskState::running && !runs) {
      task.state = TaskState::ready; // its loop has chosen it, and is not in its coroutine yet, or any more
    }
    for (const Part &part : parts_) {
      if (part.result.running_task != task.id) {
        continue;
      }
      const auto &frames = part.stack.frames;
      const auto start = std::find_if(frames.begin(), frames.end(),
                                      [&](const PythonFrame &frame) { return frame.address == task.coroutine_frame; });
      if (start != frames.end()) {
        task.frames.clear();
        std::transform(start, frames.end(), std::back_inserter(task.frames),
                       [](const PythonFrame &frame) { return frame.frame; });
      }
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
    snapshot.threads.push_back(parts_[i].result);
  }
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
    if (status == CaptureStatus::captured && (attempt.undisturbed() || late)) {
      snapshot.consistent = attempt.undisturbed();
      return snapshot;
    }
    if (status == CaptureStatus::failed || !target.process().alive()) {
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
