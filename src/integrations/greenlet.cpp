#include "awaitscope/integrations/rules.hpp"

namespace awaitscope {

/// Libraries that run sync code in a greenlet below a task. Whenever it wants something awaited, the code switches to its
/// parent, the coroutine here, which awaits that and switches back with the result.
std::span<const FunctionRule> greenlet_functions() {
  static constexpr std::array k_rules{
      // SQLAlchemy 2.1, util/concurrency.py: greenlet_spawn(fn, …): context = _AsyncIoGreenlet(fn, getcurrent()). The same
      // in 1.4 and 2.0.
      FunctionRule{"greenlet_spawn", "sqlalchemy/util/concurrency.py", FunctionRole::drives_greenlet, local("context")},
      FunctionRule{"greenlet_spawn", "sqlalchemy/util/_concurrency_py3k.py", FunctionRole::drives_greenlet,
                   local("context")},
      // awaitlet 0.0.1, which is SQLAlchemy's by itself.
      FunctionRule{"async_def", "awaitlet/base.py", FunctionRole::drives_greenlet, local("context")},
      // greenletio 0.11: run() in async_() has gl = greenlet(fn) of the function around it.
      FunctionRule{"async_.<locals>.decorator.<locals>.run", "greenletio/core.py", FunctionRole::drives_greenlet,
                   cell("gl")},
  };
  return k_rules;
}

} // namespace awaitscope
