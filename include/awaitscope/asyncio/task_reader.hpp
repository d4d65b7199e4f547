#pragma once

#include <optional>
#include <string>
#include <vector>

#include "awaitscope/asyncio/coroutines.hpp"
#include "awaitscope/asyncio/waiters.hpp"
#include "awaitscope/cpython/interpreter.hpp"
#include "awaitscope/model/task.hpp"

namespace awaitscope {

/// A task as one look saw it, with what tells it and its calls from others at the same addresses.
struct TaskLook {
  Address task = 0;
  Address loop = 0;
  Address coroutine = 0;
  Address waits_for = 0;
  std::string name; ///< its serial one, if the program gave none: no other task of the process has that
  TaskState state = TaskState::waiting;
  std::vector<Frame> frames;        ///< outermost first, to the innermost awaitable; of a running task none
  std::vector<std::uint64_t> calls; ///< a number for the call of each frame
};

/// Finds and reads asyncio's tasks, of every loop (asyncio's, uvloop's) and of both implementations.
class TaskReader {
public:
  TaskReader(ObjectReader &objects, CodeCache &codes, StackReader &stacks, InterpreterReader &interpreters)
      : objects_(objects), codes_(codes), interpreters_(interpreters), futures_(objects),
        coroutines_(objects, codes, stacks), waiters_(objects, codes, stacks, futures_, coroutines_) {}

  /// Finds asyncio's classes and dicts in the target. False while the target has not imported asyncio. A cold search reads
  /// hundreds of strings: not for a moment in which a thread is held off its CPU.
  bool locate();
  [[nodiscard]] bool located() const { return current_tasks_ != 0; }

  /// Every task of every loop, in no particular order.
  std::vector<TaskSnapshot> all_tasks();

  /// False if all_tasks() came while the target was changing the list of its tasks, or one of them: a part is missing.
  [[nodiscard]] bool saw_all() const { return saw_all_; }

  /// As all_tasks(), but without those that are done, and without who awaits whom.
  std::vector<TaskLook> look_at_all();

  /// The tasks that run in these threads; those of the other implementations whatever their thread.
  std::vector<Address> current_tasks(const std::vector<Address> &thread_states);

  /// Appends the frames of a suspended task.
  void suspended_segment(Address task, StackSegment &segment);

  /// Where the frame of a task's coroutine is; 0 if it has none.
  Address coroutine_frame(Address task) { return coroutines_.frame_of(futures_.coroutine(task)); }

  /// Names the task's coroutine.
  CodeId label(Address task) { return coroutines_.label(futures_.coroutine(task)); }

  /// The name that the program gave the task; empty if it gave none.
  std::string given_name(Address task);

  /// The loop that runs in this thread, or 0.
  Address running_loop(const ThreadEntry &thread);

  FutureReader &futures() { return futures_; }
  WaiterReader &waiters() { return waiters_; }

  static constexpr std::size_t k_max_tasks = std::size_t{1} << 22U;

private:
  std::vector<Address> addresses(std::vector<Address> &running);
  TaskState state_of(Address task, Address awaited, const std::vector<Address> &running);
  TaskSnapshot snapshot_of(Address task, const std::vector<Address> &running);
  void add_from_weak_set(Address set, std::vector<Address> &tasks);
  void add_from_list(Address head, std::vector<Address> &tasks);

  ObjectReader &objects_;
  CodeCache &codes_;
  InterpreterReader &interpreters_;
  FutureReader futures_;
  CoroutineReader coroutines_;
  WaiterReader waiters_;
  bool saw_all_ = true;
  Address current_tasks_ = 0;      ///< dict {loop: task}
  std::vector<Address> task_sets_; ///< WeakSets and sets
};

} // namespace awaitscope
