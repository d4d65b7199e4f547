#include "awaitscope/integrations/rules.hpp"

namespace awaitscope {

/// Starlette 0.20 to 1.x, and FastAPI, whose application is one of Starlette's.
std::span<const FunctionRule> starlette_functions() {
  static constexpr std::array k_rules{
      // applications.py: __call__(self, scope, receive, send). The routers write into this scope what answers it.
      FunctionRule{"Starlette.__call__", "starlette/applications.py", FunctionRole::handles_request, argument(1)},
  };
  return k_rules;
}

} // namespace awaitscope
