#include "awaitscope/integrations/rules.hpp"

namespace awaitscope {
namespace {

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

} // namespace

const FunctionRule *function_rule(std::string_view name, std::string_view file, Names names) {
  for (const std::span<const FunctionRule> library :
       {asyncio_functions(), concurrent_futures_functions(), asgiref_functions(), anyio_functions(),
        greenlet_functions(), django_functions(), starlette_functions(), gunicorn_functions()}) {
    for (const FunctionRule &rule : library) {
      const std::string_view known =
          names == Names::qualified ? rule.function : rule.function.substr(rule.function.rfind('.') + 1);
      if (name == known && ends_with(file, rule.file)) {
        return &rule;
      }
    }
  }
  return nullptr;
}

const CallbackRule *callback_rule(std::string_view qualname, std::string_view file) {
  for (const std::span<const CallbackRule> library : {asyncio_callbacks(), anyio_callbacks()}) {
    for (const CallbackRule &rule : library) {
      if (qualname == rule.function && ends_with(file, rule.file)) {
        return &rule;
      }
    }
  }
  return nullptr;
}

} // namespace awaitscope
