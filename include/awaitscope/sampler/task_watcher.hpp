#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/sampler/sample_sink.hpp"
#include "awaitscope/sampler/target.hpp"

namespace awaitscope {

/// Looks at all tasks of a process, and tells what became different. A loop's tasks are read while the thread that runs it stands
/// still, and not at all if that has not run since the last look: tasks that wait cost nothing. Looks take at most a tenth of
/// the time, whatever the sampling rate: with very many busy tasks they are further apart, and each change says between which
/// two looks it happened.
class TaskWatcher {
public:
  TaskWatcher(Target &target, Engine &engine) : target_(target), engine_(engine) {}

  /// To be called at each tick.
  void look(SampleSink &sink);

  /// CPU time that this task has used, as a sample says.
  void charge(Address task, std::uint64_t cpu_ns) { charged_[task] += cpu_ns; }

private:
  /// A task as it was told last.
  struct Known {
    TaskLook look;
    CodeId coroutine = 0;
    std::uint64_t seen_at = 0; ///< number of the look
  };
  /// A thread that runs a loop.
  struct Loop {
    std::uint64_t times_run = 0; ///< schedstat's third field at the last look
    bool was_blocked = false;
    bool warm = false; ///< the last look could be accepted
    std::int64_t last_look_ns = 0;
  };

  void look_at(TargetThread &thread, Address loop, Loop &known, SampleSink &sink);
  void compare(TaskLook &&look, std::int64_t now, std::int64_t before, SampleSink &sink);
  void tell(const Known &task, TaskState state, std::uint32_t new_from, std::int64_t now, std::int64_t before,
            SampleSink &sink);
  void find_loops();

  Target &target_;
  Engine &engine_;
  std::unordered_map<Address, Known> tasks_;
  std::unordered_map<Address, std::uint64_t> charged_;
  std::unordered_map<Address, Loop> loops_;             ///< by loop
  std::unordered_map<Address, Address> loop_of_thread_; ///< by thread state
  std::uint64_t looks_ = 0;
  std::int64_t next_look_ns_ = 0;
  std::int64_t next_search_ns_ = 0;
};

} // namespace awaitscope
