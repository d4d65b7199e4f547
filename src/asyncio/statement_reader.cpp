#include "awaitscope/asyncio/statement_reader.hpp"

#include "awaitscope/integrations/sql_text.hpp"

namespace awaitscope {

namespace {

constexpr std::size_t k_most_known = 4096; // a program that makes up statements

} // namespace

ReadStatement StatementReader::read(const PythonStack &stack) {
  for (std::size_t i = stack.frames.size(); i-- > 0;) {
    const PythonFrame &frame = stack.frames[i];
    const FunctionRule *const rule = roles_.rule(frame.frame);
    if (rule == nullptr || rule->role != FunctionRole::executes_sql) {
      continue;
    }
    const Address text = frame.address == 0 ? 0 : roles_.held(*rule, frame.address, frame.frame.code);
    if (text == 0) {
      return {};
    }
    if (!objects_.is_kind(objects_.type_of(text), "str")) {
      return {"[no text]", std::nullopt}; // what a driver composes
    }
    return {objects_.text(text).value_or(""), i};
  }
  return {};
}

std::shared_ptr<const std::string> StatementReader::without_values(const std::string &text) {
  if (text.empty()) {
    return nullptr;
  }
  const std::string statement = normalised_sql(text);
  const auto known = known_.find(std::string_view(statement));
  if (known != known_.end()) {
    return *known;
  }
  if (known_.size() >= k_most_known) {
    known_.clear(); // those that are in use stay
  }
  return *known_.insert(std::make_shared<const std::string>(statement)).first;
}

} // namespace awaitscope
