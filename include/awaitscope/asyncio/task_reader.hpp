#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "awaitscope/asyncio/coroutines.hpp"
#include "awaitscope/asyncio/function_roles.hpp"
#include "awaitscope/asyncio/greenlets.hpp"
#include "awaitscope/asyncio/groups.hpp"
#include "awaitscope/asyncio/request_reader.hpp"
#include "awaitscope/asyncio/statement_reader.hpp"
#include "awaitscope/asyncio/template_reader.hpp"
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
  CodeId label = 0; ///< names its coroutine
  bool done = false;
  TaskState state = TaskState::waiting;
  std::vector<Frame> frames;    ///< outermost first, to the innermost awaitable; of a running task, up to what it calls
  std::vector<CallSight> calls; ///< of each frame
  std::uint64_t awaits = 0;     ///< a number for what the innermost one awaits; 0 if that is nothing, or is not known
  Address awaited_by = 0;       ///< the task that it stands under: as LineageReader says. 0: none
  /// Of a task of a group: the part of that task's frames that it stands under.
  std::optional<GroupReader::Entered> entered;
  bool missing_above = false;    ///< who awaits it could not be read
  bool may_have_starter = false; ///< no task awaits it, and a thread may
  RequestSight request;          ///< that its own frames work for
};

/// Finds and reads asyncio's tasks, of every loop (asyncio's, uvloop's) and of both implementations.
class TaskReader {
public:
  TaskReader(ObjectReader &objects, CodeCache &codes, StackReader &stacks, InterpreterReader &interpreters)
      : objects_(objects), codes_(codes), stacks_(stacks), interpreters_(interpreters), roles_(objects, codes, stacks),
        futures_(objects), coroutines_(objects, codes, stacks, roles_), greenlets_(objects, codes, stacks, coroutines_),
        groups_(objects, codes, stacks, coroutines_), waiters_(objects, codes, stacks, futures_, coroutines_),
        requests_(objects, roles_, futures_), statements_(objects, roles_), templates_(objects, roles_) {}

  /// Finds asyncio's classes and dicts in each interpreter that has imported it. False while none has. A cold search reads
  /// hundreds of strings: not for a moment in which a thread is held off its CPU.
  bool locate();
  [[nodiscard]] bool located() const { return !modules_.empty(); }

  [[nodiscard]] bool located_in(Address interpreter) const;
  [[nodiscard]] bool located_in_each(const std::vector<Address> &interpreters) const;
  [[nodiscard]] bool located_in_others(const std::vector<Address> &interpreters) const; ///< some is gone

  /// Every task of every loop, in no particular order.
  std::vector<TaskSnapshot> all_tasks();

  /// Those of these places that are tasks.
  std::vector<TaskSnapshot> tasks_at(std::span<const Address> places, const std::vector<Address> &running);

  /// From now on saw_all() speaks of what comes.
  void expect_all() { saw_all_ = true; }

  /// False if all_tasks() came while the target was changing the list of its tasks, or one of them: a part is missing.
  [[nodiscard]] bool saw_all() const { return saw_all_; }

  /// Where every task may be, each place once and in order, and those that run. What is there may be no task (any more).
  struct Places {
    std::vector<Address> tasks;
    std::vector<Address> running;
  };
  Places places();

  /// Those that run.
  std::vector<Address> running() { return current_tasks(thread_states()); }

  /// Has these places in the snapshot, in one call.
  void prefetch_heads(std::span<const Address> tasks);

  /// Has these tasks, their coroutines and what they wait for in the snapshot, in two calls.
  void prefetch(const std::vector<Address> &tasks);

  /// Reads a task; false if there is none. Its state says whether it waits or is ready, running tasks aside.
  bool look_at(Address task, TaskLook &look);

  /// The tasks that run in these threads; those of the other implementations whatever their thread.
  std::vector<Address> current_tasks(const std::vector<Address> &thread_states);

  /// Appends the frames of a suspended task; with a group, those that the group's tasks stand under. Where the call that has
  /// entered the group is not known, this is the outermost one, which every call of the task stands under, and a mark.
  void suspended_segment(Address task, StackSegment &segment, Address group = 0);

  /// The task that this thread runs and that is in its coroutine, if that is not among these frames: it has switched to another
  /// greenlet. 0: there is none.
  Address switched_task(Address thread_state, const PythonStack &stack);

  /// Appends the frames of such a task, down to the call that switched.
  void switched_segment(Address task, StackSegment &segment);

  /// Where the frame of a task's coroutine is; 0 if it has none.
  Address coroutine_frame(Address task) { return coroutines_.frame_of(futures_.coroutine(task)); }

  /// Names the task's coroutine.
  CodeId label(Address task) { return coroutines_.label(futures_.coroutine(task)); }

  CodeId label_of_coroutine(Address coroutine) { return coroutines_.label(coroutine); }

  /// The name that the program gave the task; empty if it gave none.
  std::string given_name(Address task);

  /// The loop that runs in this thread, or 0.
  Address running_loop(const ThreadEntry &thread) { return running_loop_of(thread.state); }
  Address running_loop_of(Address thread_state);

  /// As CoroutineReader has it.
  CallSight call_sight(const RawFrame &raw, std::int32_t caller_line) {
    return coroutines_.call_sight(raw, caller_line);
  }

  FutureReader &futures() { return futures_; }
  CoroutineReader &coroutines() { return coroutines_; }
  WaiterReader &waiters() { return waiters_; }
  FunctionRoles &roles() { return roles_; }
  RequestReader &requests() { return requests_; }
  StatementReader &statements() { return statements_; }
  TemplateReader &templates() { return templates_; }

  static constexpr std::size_t k_max_tasks = std::size_t{1} << 22U;
  static constexpr std::size_t k_max_frames = std::size_t{1} << 24U; ///< of all tasks of a snapshot

private:
  std::vector<Address> thread_states();
  std::optional<std::int64_t> suspended_since(Address frame);
  bool may_have_starter(Address task, CodeId label);
  GroupReader::Entered entered(Address task, Address group, std::vector<Frame> &frames, std::vector<Address> &places);
  TaskState state_of(Address task, Address awaited, const std::vector<Address> &running);
  bool waits_for_group(Address owner, Address group);
  TaskSnapshot snapshot_of(Address task, const std::vector<Address> &running);
  void add_from_weak_set(Address set, std::vector<Address> &tasks);
  void add_from_list(Address head, std::vector<Address> &tasks);

  ObjectReader &objects_;
  CodeCache &codes_;
  StackReader &stacks_;
  InterpreterReader &interpreters_;
  FunctionRoles roles_;
  FutureReader futures_;
  CoroutineReader coroutines_;
  GreenletReader greenlets_;
  GroupReader groups_;
  WaiterReader waiters_;
  RequestReader requests_;
  StatementReader statements_;
  TemplateReader templates_;
  bool saw_all_ = true;
  struct {
    Address owner = 0;
    Address group = 0;
    bool leaving = false;
  } last_group_; ///< that waits_for_group() was asked for
  /// asyncio as one interpreter has imported it.
  struct Module {
    Address interpreter = 0;
    Address current_tasks = 0;      ///< dict {loop: task}
    std::vector<Address> task_sets; ///< WeakSets and sets
  };
  std::vector<Module> modules_;
};

} // namespace awaitscope
