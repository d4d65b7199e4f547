#include "awaitscope/asyncio/label_reader.hpp"

namespace awaitscope {

void LabelReader::read(const PythonStack &stack, std::vector<FrameLabel> &labels) {
  labels.clear();
  for (std::size_t i = 0; i < stack.frames.size(); ++i) {
    const PythonFrame &frame = stack.frames[i];
    const FunctionRule *const rule = frame.address == 0 ? nullptr : roles_.rule(frame.frame);
    const bool executes = rule != nullptr && rule->role == FunctionRole::executes_sql;
    if (!executes && (rule == nullptr || rule->role != FunctionRole::renders_template)) {
      continue;
    }
    const Address object = roles_.held(*rule, frame.address, frame.frame.code);
    if (object != 0 && objects_.is_kind(objects_.type_of(object), "str")) {
      const FrameLabel::Kind kind = executes ? FrameLabel::Kind::statement : FrameLabel::Kind::templated;
      labels.push_back({kind, i, objects_.text(object).value_or("")});
    }
  }
}

} // namespace awaitscope
