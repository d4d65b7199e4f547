#include "awaitscope/integrations/rules.hpp"

namespace awaitscope {

/// Lib/asyncio of CPython 3.8 to 3.15, and nest_asyncio 1.6, which patches it.
std::span<const FunctionRule> asyncio_functions() {
  static constexpr std::array k_rules{
      // futures.py: of wrap_future(future) nobody can await the result yet.
      FunctionRule{"wrap_future", "asyncio/futures.py", FunctionRole::waits, argument(0)},
      // tasks.py: the loop may begin the task before the thread waits for `future`, which the closure `callback` has, too.
      FunctionRule{"run_coroutine_threadsafe", "asyncio/tasks.py", FunctionRole::waits, cell("future")},
      FunctionRule{"BaseEventLoop.run_forever", "asyncio/base_events.py", FunctionRole::runs_loop, argument(0)},
      // base_events.py: run_until_complete(self, future) puts the task in place of the coroutine.
      FunctionRule{"BaseEventLoop.run_until_complete", "asyncio/base_events.py", FunctionRole::runs_until, argument(1)},
      // nest_asyncio.py: run_until_complete(self, future): f = asyncio.ensure_future(future, loop=self).
      FunctionRule{"_patch_loop.<locals>.run_until_complete", "nest_asyncio.py", FunctionRole::runs_until, local("f")},
      // runners.py: what shows of a loop without frames of its own (uvloop): run(self, coro, …) makes `task`; before 3.11
      // run(main, …).
      FunctionRule{"run", "asyncio/runners.py", FunctionRole::runs_until, argument(0)},
      FunctionRule{"Runner.run", "asyncio/runners.py", FunctionRole::runs_until, local("task")},
      FunctionRule{"_patch_asyncio.<locals>.run", "nest_asyncio.py", FunctionRole::starts_loop, {}},
      FunctionRule{"run", "uvloop/__init__.py", FunctionRole::starts_loop, {}},
      // events.py: _run(self) calls self._callback.
      FunctionRule{"Handle._run", "asyncio/events.py", FunctionRole::runs_handle, argument(0, "_callback")},
      // tasks.py: the task of pure Python.
      FunctionRule{"Task.__step", "asyncio/tasks.py", FunctionRole::runs_task_step, argument(0)},
      FunctionRule{"Task.__step_run_and_handle_result", "asyncio/tasks.py", FunctionRole::runs_task_step, argument(0)},
      FunctionRule{"Task.__wakeup", "asyncio/tasks.py", FunctionRole::runs_task_step, argument(0)},
      // What runs a task's first step itself (3.12+): tasks.py, base_events.py and, of pure Python, Task.__eager_start().
      FunctionRule{"Task.__eager_start", "asyncio/tasks.py", FunctionRole::makes_eager_task, argument(0)},
      FunctionRule{
          "create_eager_task_factory.<locals>.factory", "asyncio/tasks.py", FunctionRole::makes_eager_task, {}},
      FunctionRule{"BaseEventLoop.create_task", "asyncio/base_events.py", FunctionRole::makes_eager_task, {}},
      FunctionRule{"TaskGroup.create_task", "asyncio/taskgroups.py", FunctionRole::makes_eager_task, {}},
      FunctionRule{"create_task", "asyncio/tasks.py", FunctionRole::makes_eager_task, {}},
      FunctionRule{"ensure_future", "asyncio/tasks.py", FunctionRole::makes_eager_task, {}},
      FunctionRule{"_ensure_future", "asyncio/tasks.py", FunctionRole::makes_eager_task, {}},
  };
  return k_rules;
}

std::span<const CallbackRule> asyncio_callbacks() {
  using Leads = CallbackRule::Leads;
  static constexpr std::array k_rules{
      // futures.py: finishes the other one, which may be one of another loop or of concurrent.futures.
      CallbackRule{
          "_chain_future.<locals>._call_set_state", "asyncio/futures.py", Leads::future, "destination", {}, {}},
      // tasks.py: each closure finishes the future in this cell. `_gather` is of 3.9.
      CallbackRule{"gather.<locals>._done_callback", "asyncio/tasks.py", Leads::future, "outer", {}, {}},
      CallbackRule{"_gather.<locals>._done_callback", "asyncio/tasks.py", Leads::future, "outer", {}, {}},
      CallbackRule{"_wait.<locals>._on_completion", "asyncio/tasks.py", Leads::future, "waiter", {}, {}},
      CallbackRule{"shield.<locals>._inner_done_callback", "asyncio/tasks.py", Leads::future, "outer", {}, {}},
      CallbackRule{
          "staggered_race.<locals>.task_done", "asyncio/staggered.py", Leads::future, "on_completed_fut", {}, {}},
      // tasks.py, as_completed: what is done goes into a Queue. A closure's cell before 3.13, an attribute since.
      CallbackRule{"as_completed.<locals>._on_completion", "asyncio/tasks.py", Leads::queue, "done", {}, {}},
      CallbackRule{"_AsCompletedIterator._handle_completion", "asyncio/tasks.py", Leads::queue, {}, "_done", {}},
      // taskgroups.py: a method of the group, which notes the task that enters it.
      CallbackRule{"TaskGroup._on_task_done", "asyncio/taskgroups.py", Leads::group, {}, {}, {"_parent_task", {}}},
  };
  return k_rules;
}

} // namespace awaitscope
