#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "awaitscope/asyncio/task_looks.hpp"
#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/sampler/sample_sink.hpp"
#include "awaitscope/sampler/target.hpp"
#include "awaitscope/sampler/task_stacks.hpp"

namespace awaitscope {

/// Looks at all tasks of a process, and tells what became different. A loop's tasks are read while the thread that runs it stands
/// still, and not at all if that has not run since the last look: tasks that wait cost nothing. Looks take at most a tenth of
/// the time, whatever the sampling rate: with very many busy tasks they are further apart, and each change says between which
/// two looks it happened.
class TaskWatcher {
public:
  /// Counts its looks into `totals`.
  TaskWatcher(Target &target, Engine &engine, RootNames names, SamplingTotals &totals)
      : target_(target), engine_(engine), names_(names), totals_(totals),
        memory_(target.memory().remote(), SnapshotMemory::Changes::track), looks_(target.tasks(), target.memory()) {}

  /// To be called at each tick.
  void look(SampleSink &sink);

  /// CPU time that this task has used, as a sample says.
  void charge(Address task, std::uint64_t cpu_ns) { charged_[task] += cpu_ns; }

private:
  /// A thread that runs a loop.
  struct Loop {
    std::uint64_t times_run = 0; ///< schedstat's third field at the last look
    bool was_blocked = false;
    bool warm = false;    ///< where everything lies is known
    unsigned refused = 0; ///< looks, the last ones, that could not be accepted
    std::int64_t last_look_ns = 0;
  };
  /// Between which two looks something became different, and whose.
  struct Moment {
    Address loop = 0;
    std::int64_t now_ns = 0;
    std::int64_t before_ns = 0; ///< 0: there was none
  };
  /// A task that became different.
  struct Change {
    WatchedTask *task = nullptr;
    std::uint32_t new_from = 0;
  };

  std::int64_t look_at(TargetThread &thread, Address loop, Loop &known, SampleSink &sink);
  void read(const TargetThread &thread, Address loop);
  void read_running(Address thread_state, const TaskLook &task);
  void read_starter(const TaskLook &task);
  void compare(const TaskLooks::Entry &entry, const Moment &moment, std::vector<Change> &changes, SampleSink &sink);
  TaskBase base_of(const Lineage &lineage);
  void forget_gone(const Moment &moment, SampleSink &sink);
  void tell(const WatchedTask &task, TaskState state, std::uint32_t new_from, const Moment &moment, SampleSink &sink);
  void find_loops();

  Target &target_;
  Engine &engine_;
  RootNames names_;
  SamplingTotals &totals_;
  SnapshotMemory memory_; ///< what looks use, swapped in for each
  TaskLooks looks_;
  TaskStacks stacks_;
  // What the last look found besides; void until the engine has accepted it.
  std::unordered_map<Address, TaskLook> running_;
  std::unordered_map<Address, Lineage> starters_; ///< of root tasks that a thread waits for

  std::unordered_map<Address, std::uint64_t> charged_;
  std::unordered_map<Address, Loop> loops_;             ///< by loop
  std::unordered_map<Address, Address> loop_of_thread_; ///< by thread state
  std::int64_t next_look_ns_ = 0;
  std::int64_t next_search_ns_ = 0;
};

} // namespace awaitscope
