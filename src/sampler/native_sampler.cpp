#include "awaitscope/sampler/native_sampler.hpp"

#include "awaitscope/cpython/evaluations.hpp"

namespace awaitscope {
namespace {

/// Of a thread that has waited since before its process was followed only these are known. The others are 0: a rule that needs one of
/// them leads to no address of the stack.
std::optional<RegisterCapture::Registers> place_of(ThreadWatch &thread) {
  const std::optional<ThreadWatch::UserPlace> place = thread.blocked_at();
  if (!place) {
    return std::nullopt;
  }
  RegisterCapture::Registers registers{};
  registers[RegistersAndStack::k_stack_pointer] = place->stack_pointer;
  registers[RegistersAndStack::k_instruction] = place->instruction;
  return registers;
}

} // namespace

NativeSampler::NativeSampler(Target &target, const NativeFrames &how)
    : target_(target), how_(how), reader_(target.process(), target.code_cache().table()) {
  how_.registers->follow(target_.process().pid());
}

NativeSampler::~NativeSampler() { how_.registers->leave(target_.process().pid()); }

void NativeSampler::copy(TargetThread &thread, Address thread_state, NativeCopy &copy) {
  std::optional<RegisterCapture::Registers> registers = how_.registers->last_of(thread.watch.tid());
  if (!registers) {
    registers = place_of(thread.watch);
  }
  copy.known = registers.has_value();
  copy.evaluations = evaluations_of(target_.stacks(), target_.objects(), thread_state);
  if (registers) {
    copy.from.registers = *registers;
    reader_.copy_stack(copy.from);
  }
}

NativeLoss NativeSampler::add(const NativeCopy &copy, const PythonStack &stack, Lineage &lineage) {
  stack_.frames.clear();
  stack_.loss = NativeLoss::no_registers;
  if (copy.known) {
    reader_.read(copy.from, stack_);
  }
  const bool whole = stack.frames.empty() || stack.frames.front().frame.kind != FrameKind::unreadable;
  const NativeMerge merge = merge_native(stack.frames.size(), whole ? copy.evaluations : std::vector<Evaluation>{},
                                         stack_, how_.interpreter);
  add_native(merge, lineage);
  return merge.loss;
}

} // namespace awaitscope
