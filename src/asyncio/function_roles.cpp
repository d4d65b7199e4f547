#include "awaitscope/asyncio/function_roles.hpp"

namespace awaitscope {

const FunctionRule *FunctionRoles::rule(const Frame &frame) {
  if (frame.kind == FrameKind::unreadable || frame.kind == FrameKind::task_border) {
    return nullptr;
  }
  const Names names = objects_.layout().has_qualname ? Names::qualified : Names::last_part;
  while (rules_.size() < codes_.table().size()) { // all at once: most are ordinary
    const CodeInfo &code = codes_.info(static_cast<CodeId>(rules_.size()));
    rules_.push_back(function_rule(code.function, code.file, names));
  }
  return rules_[frame.code];
}

FunctionRole FunctionRoles::role(const Frame &frame) {
  const FunctionRule *known = rule(frame);
  return known == nullptr ? FunctionRole::ordinary : known->role;
}

FunctionRole FunctionRoles::role_of_label(CodeId label) {
  if (objects_.layout().has_qualname) {
    return role({label, 0, FrameKind::python});
  }
  const CodeInfo &code = codes_.info(label);
  const FunctionRule *known = function_rule(code.function, code.file, Names::qualified);
  return known == nullptr ? FunctionRole::ordinary : known->role;
}

Address FunctionRoles::held(const FunctionRule &rule, Address frame, CodeId code) {
  const Holder &holder = rule.holder;
  Address object = 0;
  if (holder.kind == Holder::Kind::argument) {
    object = stacks_.local(frame, holder.index);
  } else if (holder.kind != Holder::Kind::nothing) {
    const std::optional<RawFrame> raw = stacks_.raw_frame(frame);
    if (raw && holder.kind == Holder::Kind::cell) {
      object = stacks_.free_variable(*raw, code, holder.name);
    } else if (raw) {
      const std::optional<std::size_t> slot = stacks_.local_slot(raw->code, code, holder.name);
      object = slot ? stacks_.local(frame, *slot) : 0;
    }
  }
  return object == 0 || holder.attribute.empty() ? object : objects_.attribute_or_slot(object, holder.attribute);
}

} // namespace awaitscope
