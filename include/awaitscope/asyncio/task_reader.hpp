#pragma once

#include <optional>
#include <string>
#include <vector>

#include "awaitscope/asyncio/coroutines.hpp"
#include "awaitscope/asyncio/waiters.hpp"
#include "awaitscope/cpython/interpreter.hpp"
#include "awaitscope/model/task.hpp"

namespace awaitscope {

/// Whether the name that the program gave a root task is read along.
enum class RootNames : std::uint8_t { skip, read };

/// Reads the tasks of the C implementation of asyncio (_asyncio), which every loop (asyncio's, uvloop's) uses.
class TaskReader {
public:
  TaskReader(ObjectReader &objects, CodeCache &codes, StackReader &stacks, InterpreterReader &interpreters)
      : objects_(objects), codes_(codes), stacks_(stacks), interpreters_(interpreters),
        coroutines_(objects, codes, stacks), waiters_(objects, codes) {}

  /// Finds asyncio's types and dicts in the target. False while the target has not imported asyncio. A cold search reads
  /// hundreds of strings: not for a moment in which a thread is held off its CPU.
  bool locate();
  [[nodiscard]] bool located() const { return current_tasks_ != 0; }

  /// The task whose coroutine runs on this thread's stack, and the tasks that await it, up to the root. Nothing if the
  /// thread runs no task. Where several tasks await one, the one that came first is followed, cycles are cut.
  std::optional<TaskChain> running_chain(Address thread_state, const PythonStack &stack, RootNames names);

  /// Every task of every loop, in no particular order.
  std::vector<TaskSnapshot> all_tasks();

  /// The futures of the work items that this stack is in (concurrent.futures.thread, asgiref), outermost first.
  std::vector<Address> worker_futures(const PythonStack &stack);

  /// The loop that runs in this thread, or 0.
  Address running_loop(const ThreadEntry &thread);

  static constexpr std::size_t k_max_links = 1024;
  static constexpr std::size_t k_max_tasks = std::size_t{1} << 22U;

private:
  Address coroutine_of(Address task) { return objects_.memory().pointer(task + future_.coroutine); }
  std::vector<Address> current_tasks(const std::vector<Address> &thread_states);
  TaskLink link_of(Address task);
  std::string given_name(Address task);
  std::string any_name(Address task);
  TaskSnapshot snapshot_of(Address task, const std::vector<Address> &running);
  void add_from_weak_set(Address set, std::vector<Address> &tasks);
  void add_from_list(Address head, std::vector<Address> &tasks);

  ObjectReader &objects_;
  CodeCache &codes_;
  StackReader &stacks_;
  InterpreterReader &interpreters_;
  CoroutineReader coroutines_;
  WaiterReader waiters_;
  FutureLayout future_;
  Offset node_ = k_absent;         ///< of a task's place in its thread's list
  Address current_tasks_ = 0;      ///< dict {loop: task}
  std::vector<Address> task_sets_; ///< WeakSets and sets
};

} // namespace awaitscope
