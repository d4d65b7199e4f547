#include "awaitscope/asyncio/template_reader.hpp"

namespace awaitscope {

void TemplateReader::read(const PythonStack &stack, std::vector<NamedTemplate> &templates) {
  templates.clear();
  for (std::size_t i = 0; i < stack.frames.size(); ++i) {
    const PythonFrame &frame = stack.frames[i];
    const FunctionRule *const rule = frame.address == 0 ? nullptr : roles_.rule(frame.frame);
    if (rule == nullptr || rule->role != FunctionRole::renders_template) {
      continue;
    }
    const Address name = roles_.held(*rule, frame.address, frame.frame.code);
    if (name != 0 && objects_.is_kind(objects_.type_of(name), "str")) {
      templates.push_back({i, objects_.text(name).value_or("")});
    }
  }
}

} // namespace awaitscope
