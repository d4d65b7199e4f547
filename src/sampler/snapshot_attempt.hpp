#pragma once

#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "awaitscope/integrations/idle_places.hpp"
#include "awaitscope/model/process_snapshot.hpp"
#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/sampler/target.hpp"
#include "awaitscope/stitch/native_merge.hpp"
#include "awaitscope/support/clock.hpp"

namespace awaitscope {

/// What stands between a frame of a stack, by its index, and the next one: the calls of greenlets that wait.
using Between = std::unordered_map<std::size_t, std::vector<Frame>>;
Between calls_between(Target &target, const PythonStack &stack);

/// The threads of a snapshot, and one attempt at a whole one. A thread that waits is read as it is, at this thread's usual priority:
/// nobody is held for it, and if it has not run since, what was read holds. One that can run is read by the engine.
class SnapshotAttempt {
public:
  struct Part {
    TargetThread *thread = nullptr;
    bool runnable = false;
    std::uint64_t times_run = 0;
    ThreadSnapshot result;
    PythonStack stack;
    std::vector<Evaluation> evaluations; ///< of the stack
    std::vector<Frame> lead;             ///< native frames below the first Python frame
    Between between;
    std::vector<Frame> switched;     ///< of its task, if that is on the stack of another greenlet
    std::vector<Address> work_items; ///< the futures of those that it is in
  };

  /// Of the target's threads as they are in its list: both must outlive this.
  SnapshotAttempt(Target &target, Engine &engine) : SnapshotAttempt(target, &engine) {}
  /// The same of a copy of the target's memory (SnapshotMemory::read_from()), for which no thread needs to stand still.
  explicit SnapshotAttempt(Target &target) : SnapshotAttempt(target, nullptr) {}

  /// For so long at most, in nanoseconds, a thread that waits is read. One that can run is bounded by the engine.
  void limit_waiting(std::int64_t longest_ns) { longest_waiting_ns_ = longest_ns; }

  /// Reads every thread, and all tasks together with the last one.
  CaptureStatus run(ProcessSnapshot &snapshot);
  /// Has no thread run since it was read?
  [[nodiscard]] bool undisturbed() const;
  /// Was there more to read, the last time, than there was time for? Then what was read is a part.
  [[nodiscard]] bool too_long() const { return too_long_; }

  /// Calls `read_once` until the thread has not run meanwhile, a few times at most.
  CaptureStatus read(TargetThread &thread, const std::function<void()> &read_once);
  CaptureStatus read(Part &part, ProcessSnapshot *tasks_into);
  /// What `read_once` in read() may call: reads the part's thread.
  void read_thread(Part &part);
  [[nodiscard]] ThreadState state_of_waiting(const Part &part);
  void find_worked_for();

  [[nodiscard]] std::vector<Part> &parts() { return parts_; }

  /// Adds these native frames to what was read of the part's thread, and of the task that it runs; then publish() them.
  static void add_native(Part &part, const NativeMerge &native);

  /// Into the snapshot, what was read last.
  void publish(ProcessSnapshot &snapshot) const;

private:
  SnapshotAttempt(Target &target, Engine *engine);
  void finish_tasks(ProcessSnapshot &snapshot) const;

  Target &target_;
  Engine *engine_; ///< null: of a copy
  IdlePlaces places_;
  std::vector<Part> parts_;
  std::int64_t longest_waiting_ns_ = 3600 * k_ns_per_second; // nobody is held for it
  bool too_long_ = false;
};

/// The calls that a thread is in from a task's coroutine on; down to the coroutine of the next task, which began inside them
/// (eagerly, 3.12+), if there is one. Empty if the coroutine is not there.
std::vector<Frame> frames_from(const PythonStack &stack, const Between &between, Address coroutine_frame,
                               const std::unordered_set<Address> &coroutine_frames);

} // namespace awaitscope
