#include "awaitscope/integrations/rules.hpp"

namespace awaitscope {

/// asgiref 3.0 to 3.9: sync_to_async and async_to_sync.
std::span<const FunctionRule> asgiref_functions() {
  static constexpr std::array k_rules{
      // current_thread_executor.py: _WorkItem.run(self), with self.future.
      FunctionRule{"_WorkItem.run", "asgiref/current_thread_executor.py", FunctionRole::work_item,
                   argument(0, "future")},
      // current_thread_executor.py: run_until_future(self, future).
      FunctionRule{"CurrentThreadExecutor.run_until_future", "asgiref/current_thread_executor.py", FunctionRole::waits,
                   argument(1)},
      // sync.py: the loop may run its task before this thread is back from asking it to, and waits.
      FunctionRule{"AsyncToSync.__call__", "asgiref/sync.py", FunctionRole::asks_loop, local("call_result")},
      // sync.py: main_wrap(self, …, call_result, …) runs in the caller's main loop.
      FunctionRule{"AsyncToSync.main_wrap", "asgiref/sync.py", FunctionRole::finishes, local("call_result")},
      // sync.py: without a main loop, __call__() has a thread of its own run new_loop_wrap() in a loop of its own.
      FunctionRule{"AsyncToSync.__call__.<locals>.new_loop_wrap", "asgiref/sync.py", FunctionRole::wraps_loop, {}},
  };
  return k_rules;
}

} // namespace awaitscope
