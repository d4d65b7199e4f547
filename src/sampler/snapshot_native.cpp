#include "snapshot_native.hpp"

#include "awaitscope/process/registers.hpp"

namespace awaitscope {

void SnapshotNative::copy(SnapshotAttempt &attempt, const ProcessStop &stop) {
  constexpr std::size_t k_most = std::size_t{256} << 20U; // bytes of all stacks
  copies_.clear();
  std::size_t bytes = 0;
  for (const SnapshotAttempt::Part &part : attempt.parts()) {
    std::optional<RegistersAndStack> &copy = copies_.emplace_back();
    const std::optional<user_regs_struct> registers =
        bytes < k_most ? stop.registers(part.thread->watch.tid()) : std::nullopt;
    if (registers) {
      copy.emplace();
      copy->registers = registers_of(*registers);
      reader_.copy_stack(*copy);
      bytes += copy->stack.size();
    }
  }
}

NativeMerge SnapshotNative::merge_part(const SnapshotAttempt::Part &part,
                                       const std::optional<RegistersAndStack> &copy) {
  NativeStack stack;
  stack.loss = NativeLoss::not_stopped;
  if (copy) {
    reader_.read(*copy, stack);
  }
  const auto &frames = part.stack.frames;
  const bool whole = frames.empty() || frames.front().frame.kind != FrameKind::unreadable;
  return merge_native(frames.size(), whole ? part.evaluations : std::vector<Evaluation>{}, stack, interpreter_);
}

void SnapshotNative::merge(SnapshotAttempt &attempt, ProcessSnapshot &snapshot) {
  snapshot.native.emplace();
  std::vector<SnapshotAttempt::Part> &parts = attempt.parts();
  for (std::size_t i = 0; i < parts.size() && i < copies_.size(); ++i) {
    const NativeMerge merge = merge_part(parts[i], copies_[i]);
    snapshot.native->add(merge.loss);
    SnapshotAttempt::add_native(parts[i], merge);
  }
  attempt.publish(snapshot);
}

} // namespace awaitscope
