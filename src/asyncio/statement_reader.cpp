#include "awaitscope/asyncio/statement_reader.hpp"

#include "awaitscope/integrations/sql_text.hpp"

namespace awaitscope {

namespace {

constexpr std::size_t k_most_known = 4096; // a program that makes up statements

} // namespace

std::string StatementReader::read(const PythonStack &stack) {
  for (auto frame = stack.frames.rbegin(); frame != stack.frames.rend(); ++frame) {
    const FunctionRule *const rule = roles_.rule(frame->frame);
    if (rule != nullptr && rule->role == FunctionRole::executes_sql) {
      const Address text = frame->address == 0 ? 0 : roles_.held(*rule, frame->address, frame->frame.code);
      const bool is_text = text != 0 && objects_.is_kind(objects_.type_of(text), "str");
      return text == 0 ? std::string()
             : is_text ? objects_.text(text).value_or("")
                       : "[no text]"; // what a driver composes
    }
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
