#include "awaitscope/integrations/rules.hpp"

namespace awaitscope {

/// gunicorn 19 to 23, gunicorn/workers.
std::span<const FunctionRule> gunicorn_functions() {
  static constexpr std::array k_rules{
      // sync.py, gthread.py: handle_request(): request_start = datetime.now(), before the application is called.
      FunctionRule{"SyncWorker.handle_request", "gunicorn/workers/sync.py", FunctionRole::times_request,
                   local("request_start")},
      FunctionRule{"ThreadWorker.handle_request", "gunicorn/workers/gthread.py", FunctionRole::times_request,
                   local("request_start")},
  };
  return k_rules;
}

} // namespace awaitscope
