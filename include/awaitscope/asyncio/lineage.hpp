#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "awaitscope/asyncio/steps.hpp"
#include "awaitscope/asyncio/task_reader.hpp"

namespace awaitscope {

/// Whether the name that the program gave a root task is read along.
enum class RootNames : std::uint8_t { skip, read };

/// Finds what a thread's stack stands under. Going from the leaf to the root:
///
/// - a task stands under the task that awaits it; of several, the one whose callback was added first;
/// - a task of a group (asyncio's TaskGroup, anyio's) stands under the call that has entered the group, wherever its owner is;
/// - a work item that a worker thread runs (concurrent.futures, asyncio.to_thread, run_in_executor, asgiref's sync_to_async,
///   anyio's to_thread) stands under the task that awaits its future, else under the thread that waits for it, or is just submitting it;
/// - a task that began in the call that made it (eager tasks), and one for whose sake a loop was run inside another task
///   (nest_asyncio), stand under that call;
/// - what a thread does in a greenlet while its task is on another one's stack stands under the call that switched; where that is
///   not known, under a mark;
/// - a root task that computes something for a thread that waits (asgiref's async_to_sync, run_coroutine_threadsafe) stands
///   under what that thread is in; under async_to_sync also before it waits.
///
/// Each task and each place in a thread is visited once: a circle ends where it closes. What stands deeper than k_max_segments
/// is missing, and marked so.
class LineageReader {
public:
  LineageReader(ObjectReader &objects, CodeCache &codes, StackReader &stacks, InterpreterReader &interpreters,
                TaskReader &tasks)
      : codes_(codes), stacks_(stacks), interpreters_(interpreters), tasks_(tasks), roles_(tasks.roles()),
        steps_(objects, tasks) {}

  /// Of the stack of this thread, as it was just read.
  void trace(Address thread_state, const PythonStack &stack, RootNames names, Lineage &lineage);

  /// Of a suspended task.
  void trace_suspended(Address task, RootNames names, Lineage &lineage);

  /// The futures of the work items that this stack is in, outermost first.
  std::vector<Address> work_items(const PythonStack &stack);

  /// The loop that runs in this thread, by its stack if the thread does not name it (Lib/asyncio/events.py keeps it in a
  /// threading.local where there is no _asyncio); 0: none.
  Address running_loop(const ThreadEntry &thread, const PythonStack &stack);

  static constexpr std::size_t k_max_segments = 256;

private:
  /// The part of a thread's stack that is not yet accounted for: its frames from the root up to `end`.
  struct Place {
    Address thread_state = 0;
    const PythonStack *stack = nullptr;
    std::size_t end = 0;
    bool below_task = false; ///< what is above is a task that the thread is in: these frames are its callers
  };
  struct Mark {
    enum class Kind : std::uint8_t { none, task, work_item } kind = Kind::none;
    std::size_t index = 0;
    Address object = 0;    ///< the task, or the work item's future
    Address coroutine = 0; ///< the task's, where nobody knows the task
  };
  void begin(Address thread_state, const PythonStack *stack, Lineage &lineage);
  void finish(std::optional<Place> place, RootNames names, Lineage &lineage);
  void choose_request(Lineage &lineage);
  void append(const Place &place, std::size_t from, std::size_t to, FrameKind kind, StackSegment &segment) const;
  Mark innermost_mark(const Place &place);
  Mark mark_of_callers(const Place &place);
  std::optional<Place> climb_tasks(Address task, Lineage &lineage);
  std::optional<Place> climb_from(const Place &place, Lineage &lineage);
  Address switched_task(const Place &place);
  std::optional<Place> climb_from_switched(const Place &place, Address task, Lineage &lineage);
  std::optional<Place> climb_from_task(const Place &place, const Mark &mark, Lineage &lineage);
  std::optional<Place> climb_from_work_item(Address future, Lineage &lineage);
  std::optional<Place> waiting_thread(Address future);
  std::optional<Place> waits_in(Address thread_state, Address future);
  Address awaited_result(Address task);
  Address finished_by(Address task);
  Address work_item_future(const PythonFrame &frame);
  std::optional<Place> starter_of_loop(const PythonStack &stack, std::size_t end, Lineage &lineage);
  std::optional<Place> starter_of_suspended(Address task, Lineage &lineage);
  const PythonStack &stack_of(Address thread_state);

  CodeCache &codes_;
  StackReader &stacks_;
  InterpreterReader &interpreters_;
  TaskReader &tasks_;
  FunctionRoles &roles_;
  StepReader steps_;

  // Of one trace.
  std::unordered_map<Address, PythonStack> other_stacks_; ///< by thread state
  std::unordered_set<Address> seen_;                      ///< tasks and futures
  Address root_task_ = 0;
  Address own_thread_ = 0;
  const PythonStack *own_stack_ = nullptr;

  std::unordered_map<Address, Address> waiters_; ///< future: the thread state that waited for it; checked at each use
};

} // namespace awaitscope
