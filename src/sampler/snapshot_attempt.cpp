#include "snapshot_attempt.hpp"

#include <algorithm>
#include <iterator>

#include "awaitscope/cpython/evaluations.hpp"
#include "awaitscope/process/system_calls.hpp"
#include "awaitscope/sampler/wait_reader.hpp"
#include "awaitscope/support/clock.hpp"
#include "bounded_reads.hpp"

namespace awaitscope {

SnapshotAttempt::SnapshotAttempt(Target &target, Engine *engine)
    : target_(target), engine_(engine), places_(target.codes()) {
  for (TargetThread &thread : target_.threads()) {
    Part part;
    part.thread = &thread;
    part.runnable = thread.watch.run() == ThreadWatch::Run::runnable;
    parts_.push_back(std::move(part));
  }
  // What runs is read last, and only it can disturb the others.
  std::stable_partition(parts_.begin(), parts_.end(), [](const Part &part) { return !part.runnable; });
}

void SnapshotAttempt::read_thread(Part &part) {
  const ThreadEntry &entry = part.thread->entry;
  target_.read_name(*part.thread);
  ThreadSnapshot &result = part.result;
  result = ThreadSnapshot{};
  target_.code_cache().begin(0);
  target_.stacks().read(entry.state, part.stack);
  part.evaluations = evaluations_of(target_.stacks(), target_.objects(), entry.state);
  part.lead.clear();
  Lineage lineage;
  target_.lineages().trace(entry.state, part.stack, RootNames::skip, lineage);
  result.running_task = lineage.running_task;
  part.switched.clear();
  if (lineage.running_task != 0 && !lineage.segments.front().begins_task && lineage.segments.size() > 1) {
    part.switched = lineage.segments[1].frames;
    part.switched.insert(part.switched.end(), lineage.segments[0].frames.begin(), lineage.segments[0].frames.end());
  }
  part.between = lineage.running_task == 0 ? Between{} : calls_between(target_, part.stack);
  part.work_items = target_.lineages().work_items(part.stack);
  result.loop = target_.lineages().running_loop(entry, part.stack);
  result.holds_gil = target_.interpreters().gil_holder(entry.interpreter) == entry.state;
}

CaptureStatus SnapshotAttempt::read(TargetThread &thread, const std::function<void()> &read_once) {
  constexpr int k_attempts = 3;
  too_long_ = false;
  if (engine_ == nullptr) {
    const ReadStatus began = target_.memory().begin();
    read_once();
    return began == ReadStatus::ok ? CaptureStatus::captured : CaptureStatus::failed;
  }
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    const std::optional<SchedStat> before = thread.watch.schedstat(); // if it waits, this count is that of its wait
    const ThreadWatch::Run run = thread.watch.run();
    if (!before || run == ThreadWatch::Run::ended) {
      return CaptureStatus::ended;
    }
    if (run == ThreadWatch::Run::runnable) {
      const CaptureStatus status = engine_->capture(target_, thread, std::nullopt, read_once).status;
      too_long_ = target_.memory().ended();
      return status;
    }
    BoundedReads reads(target_.memory());
    reads.begin(longest_waiting_ns_);
    const ReadStatus began = target_.memory().begin();
    if (began == ReadStatus::gone || began == ReadStatus::denied) {
      return CaptureStatus::failed;
    }
    read_once();
    too_long_ = target_.memory().ended();
    const std::optional<SchedStat> after = thread.watch.schedstat();
    if (after && after->times_run == before->times_run) {
      return CaptureStatus::captured;
    }
  }
  return CaptureStatus::moved;
}

CaptureStatus SnapshotAttempt::read(Part &part, ProcessSnapshot *tasks_into) {
  const CaptureStatus status = read(*part.thread, [&] {
    part.times_run =
        part.thread->watch.schedstat().value_or(SchedStat{}).times_run; // in here: afterwards it may run on
    read_thread(part);
    if (tasks_into != nullptr) {
      tasks_into->tasks = target_.tasks().all_tasks();
      find_worked_for();
    }
  });
  ThreadSnapshot &result = part.result;
  result.tid = part.thread->watch.tid();
  result.name = target_.name_of(*part.thread);
  result.main = result.tid == target_.process().pid();
  result.interpreter = part.thread->entry.interpreter_id;
  result.state = part.runnable ? ThreadState::running : ThreadState::idle;
  result.frames.clear();
  if (status != CaptureStatus::captured) {
    return status;
  }
  for (const PythonFrame &frame : part.stack.frames) {
    result.frames.push_back(frame.frame);
  }
  result.state = part.runnable ? ThreadState::running : state_of_waiting(part);
  const std::optional<int> call = part.runnable ? std::nullopt : part.thread->watch.system_call();
  result.system_call = call ? system_call_name(*call) : "";
  return CaptureStatus::captured;
}

ThreadState SnapshotAttempt::state_of_waiting(const Part &part) {
  return waits_for_gil(target_, *part.thread) ? ThreadState::gil : waiting_state(places_, part.stack);
}

/// The other way round than asking each task what it waits for: that may be behind a shield, a time limit or a gather.
void SnapshotAttempt::find_worked_for() {
  for (Part &part : parts_) {
    part.result.works_for.clear();
    for (const Address future : part.work_items) {
      if (target_.tasks().located()) {
        target_.tasks().waiters().find_concurrent(future, part.result.works_for);
      }
    }
  }
}

Between calls_between(Target &target, const PythonStack &stack) {
  Between between;
  for (std::size_t i = 0; i < stack.frames.size(); ++i) {
    std::vector<Frame> frames;
    target.tasks().coroutines().add_greenlet(stack, i, frames);
    if (!frames.empty()) {
      between.emplace(i, std::move(frames));
    }
  }
  return between;
}

std::vector<Frame> frames_from(const PythonStack &stack, const Between &between, Address coroutine_frame,
                               const std::unordered_set<Address> &coroutine_frames) {
  std::vector<Frame> frames;
  for (std::size_t i = 0; i < stack.frames.size(); ++i) {
    const PythonFrame &frame = stack.frames[i];
    const bool of_task = frame.of_generator && coroutine_frames.contains(frame.address);
    if (of_task && frame.address != coroutine_frame && !frames.empty()) {
      break;
    }
    if (!frames.empty() || (of_task && frame.address == coroutine_frame)) {
      frames.push_back(frame.frame);
      if (const auto greenlet = between.find(i); greenlet != between.end()) {
        frames.insert(frames.end(), greenlet->second.begin(), greenlet->second.end());
      }
    }
  }
  return frames;
}

/// A running task goes on through what its thread is in.
void SnapshotAttempt::finish_tasks(ProcessSnapshot &snapshot) const {
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
        frames = frames_from(part.stack, part.between, task.coroutine_frame, coroutine_frames);
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

void SnapshotAttempt::add_native(Part &part, const NativeMerge &native) {
  const auto append = [](std::vector<Frame> &to, const std::vector<Frame> &from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  part.lead = native.before.front();
  part.result.frames = part.lead;
  for (std::size_t i = 0; i < part.stack.frames.size(); ++i) {
    const std::vector<Frame> &behind = native.before[i + 1];
    part.result.frames.push_back(part.stack.frames[i].frame);
    append(part.result.frames, behind);
    if (!behind.empty()) {
      append(part.between[i], behind);
    }
  }
}

void SnapshotAttempt::publish(ProcessSnapshot &snapshot) const {
  snapshot.threads.clear();
  std::transform(parts_.begin(), parts_.end(), std::back_inserter(snapshot.threads),
                 [](const Part &part) { return part.result; });
  finish_tasks(snapshot);
  std::sort(snapshot.threads.begin(), snapshot.threads.end(),
            [](const ThreadSnapshot &a, const ThreadSnapshot &b) { return a.tid < b.tid; });
}

CaptureStatus SnapshotAttempt::run(ProcessSnapshot &snapshot) {
  snapshot.threads.clear();
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const bool last = i + 1 == parts_.size();
    const CaptureStatus status = read(parts_[i], last ? &snapshot : nullptr);
    snapshot.taken_ns = monotonic_ns();
    if (status != CaptureStatus::captured || too_long_) {
      return status;
    }
  }
  publish(snapshot);
  return CaptureStatus::captured;
}

bool SnapshotAttempt::undisturbed() const {
  return std::all_of(parts_.begin(), parts_.end(), [](const Part &part) {
    const std::optional<SchedStat> now = part.thread->watch.schedstat();
    return now && now->times_run == part.times_run;
  });
}

} // namespace awaitscope
