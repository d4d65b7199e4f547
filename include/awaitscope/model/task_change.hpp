#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/model/request.hpp"
#include "awaitscope/model/stack.hpp"
#include "awaitscope/model/task.hpp"

namespace awaitscope {

/// A look at all tasks found this one otherwise than the look before. So it is until its next change, or until the recording
/// ends: tasks that wait cost nothing, however many they are. The changes of a task are told in the order of time.
struct TaskChange {
  ThreadId process = 0; ///< PID of the host
  static constexpr std::uint32_t k_no_new_call = std::numeric_limits<std::uint32_t>::max();

  Address task = 0;
  CodeId coroutine = 0; ///< with the address, tells tasks apart
  std::string name;     ///< given by the program; empty if none
  /// `done` also if the task is not there any more: its address may be another task's from then on.
  TaskState state = TaskState::waiting;
  std::int64_t at_ns = 0; ///< CLOCK_MONOTONIC: the look that found it so
  std::int64_t before_ns =
      0;                    ///< the look before, which did not; 0: there was none, so since when it is so is not known
  std::uint64_t cpu_ns = 0; ///< used by the task since its change before
  /// Its logical stack, root first, with a task_border where each task begins: those that await it, then its own frames, the
  /// coroutine that it was made from first, to the innermost awaitable.
  std::vector<Frame> frames;
  /// Of its own frames, those from this index on are calls that it was not in at its change before, although they may look
  /// the same (a coroutine that was called again meanwhile).
  std::uint32_t new_from = k_no_new_call;

  /// Where the logical stack begins: with a task, or with a thread that waits for one.
  struct Root {
    Address task = 0; ///< 0: this task itself
    CodeId coroutine = 0;
    std::string name;        ///< given by the program; empty if none
    ThreadId tid = 0;        ///< 0: no thread
    std::string thread_name; ///< as of a sample
  };
  Root root;
  SampledRequest request; ///< that the stack works for; none of a task that is done
};

} // namespace awaitscope
