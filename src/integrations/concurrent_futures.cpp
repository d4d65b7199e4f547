#include "awaitscope/integrations/rules.hpp"

namespace awaitscope {

/// Lib/concurrent/futures of CPython 3.8 to 3.15.
std::span<const FunctionRule> concurrent_futures_functions() {
  static constexpr std::array k_rules{
      // thread.py: _WorkItem.run(self), with self.future.
      FunctionRule{"_WorkItem.run", "concurrent/futures/thread.py", FunctionRole::work_item, argument(0, "future")},
      // thread.py: submit(self, fn, …) makes `f`; a new worker may run it before submit() returns.
      FunctionRule{"ThreadPoolExecutor.submit", "concurrent/futures/thread.py", FunctionRole::waits, local("f")},
      // _base.py: result(self, timeout), exception(self, timeout).
      FunctionRule{"Future.result", "concurrent/futures/_base.py", FunctionRole::waits, argument(0)},
      FunctionRule{"Future.exception", "concurrent/futures/_base.py", FunctionRole::waits, argument(0)},
  };
  return k_rules;
}

} // namespace awaitscope
