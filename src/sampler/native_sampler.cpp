#include "awaitscope/sampler/native_sampler.hpp"

#include "awaitscope/cpython/evaluations.hpp"
#include "awaitscope/process/kernel_stack.hpp"

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
  if (how_.registers != nullptr) {
    how_.registers->follow(target_.process().pid());
  }
}

NativeSampler::~NativeSampler() {
  if (how_.registers != nullptr) {
    how_.registers->leave(target_.process().pid());
  }
}

void NativeSampler::copy(TargetThread &thread, Address thread_state, NativeCopy &copy) {
  if (how_.registers != nullptr) {
    copy_user(thread, thread_state, copy);
  }
  if (how_.kernel) {
    copy.kernel = kernel_functions(thread.watch.pid(), thread.watch.tid());
  }
}

void NativeSampler::copy_user(TargetThread &thread, Address thread_state, NativeCopy &copy) {
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

NativeMerge NativeSampler::merge(const NativeCopy &copy, const PythonStack &stack) {
  NativeMerge merge;
  if (how_.registers != nullptr) {
    merge = reader_.merge(copy.known ? &copy.from : nullptr, NativeLoss::no_registers, stack, copy.evaluations,
                          how_.interpreter);
  }
  merge.before.resize(stack.frames.size() + 1);
  for (const std::string &function : copy.kernel) {
    const CodeId code = target_.code_cache().table().add_name(function, "[kernel]");
    merge.before.back().push_back({code, 0, FrameKind::native});
  }
  return merge;
}

} // namespace awaitscope
