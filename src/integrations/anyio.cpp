#include "awaitscope/integrations/rules.hpp"

namespace awaitscope {

/// anyio 3.0 to 4.16, on asyncio. from_thread.run() is asyncio's run_coroutine_threadsafe() and a Future.result().
std::span<const FunctionRule> anyio_functions() {
  static constexpr std::array k_rules{
      // WorkerThread.run(self): `context, func, args, future, … = item`, and the task that called to_thread.run_sync() awaits
      // that asyncio.Future.
      FunctionRule{"WorkerThread.run", "anyio/_backends/_asyncio.py", FunctionRole::work_item, local("future")},
      // from_thread.run_sync(): the loop runs wrapper(), which finishes the concurrent.futures.Future `f`. 4.x, 3.x.
      FunctionRule{"AsyncIOBackend.run_sync_from_thread.<locals>.wrapper", "anyio/_backends/_asyncio.py",
                   FunctionRole::work_item, cell("f")},
      FunctionRule{"run_sync_from_thread.<locals>.wrapper", "anyio/_backends/_asyncio.py", FunctionRole::work_item,
                   cell("f")},
      // The same before it waits for `f`.
      FunctionRule{"AsyncIOBackend.run_sync_from_thread", "anyio/_backends/_asyncio.py", FunctionRole::waits,
                   cell("f")},
      FunctionRule{"run_sync_from_thread", "anyio/_backends/_asyncio.py", FunctionRole::waits, cell("f")},
      FunctionRule{"AsyncIOBackend.run", "anyio/_backends/_asyncio.py", FunctionRole::starts_loop, {}},
      FunctionRule{"run", "anyio/_core/_eventloop.py", FunctionRole::starts_loop, {}},
      // from_thread.py: what BlockingPortal.call() and start_task_soon() run: _call_func(self, func, args, kwargs, future).
      FunctionRule{"BlockingPortal._call_func", "anyio/from_thread.py", FunctionRole::finishes, local("future")},
  };
  return k_rules;
}

std::span<const CallbackRule> anyio_callbacks() {
  static constexpr std::array k_rules{
      // TaskGroup._spawn() adds a closure over the group; CancelScope.__enter__() notes the task that enters it.
      CallbackRule{"TaskGroup._spawn.<locals>.task_done",
                   "anyio/_backends/_asyncio.py",
                   CallbackRule::Leads::group,
                   "self",
                   {},
                   {"cancel_scope", "_host_task"}},
  };
  return k_rules;
}

} // namespace awaitscope
