#include "snapshot_native.hpp"

#include <optional>

#include "awaitscope/process/registers.hpp"

namespace awaitscope {

void SnapshotNative::copy(const ProcessStop &stop) {
  constexpr std::size_t k_most = std::size_t{256} << 20U; // bytes of all stacks
  copies_.clear();
  reader_.refresh(); // it may have loaded a library since, and be in that
  std::size_t bytes = 0;
  for (const ThreadId tid : process_.threads()) {
    const std::optional<user_regs_struct> registers = bytes < k_most ? stop.registers(tid) : std::nullopt;
    if (registers) {
      RegistersAndStack &copy = copies_[tid];
      copy.registers = registers_of(*registers);
      reader_.copy_stack(copy);
      bytes += copy.stack.size();
    }
  }
}

/// `copy` is null if there is none.
NativeMerge SnapshotNative::merge_part(const SnapshotAttempt::Part &part, const RegistersAndStack *copy) {
  NativeStack stack;
  stack.loss = NativeLoss::not_stopped;
  if (copy != nullptr) {
    reader_.read(*copy, stack);
  }
  const auto &frames = part.stack.frames;
  const bool whole = frames.empty() || frames.front().frame.kind != FrameKind::unreadable;
  return merge_native(frames.size(), whole ? part.evaluations : std::vector<Evaluation>{}, stack, interpreter_);
}

void SnapshotNative::merge(SnapshotAttempt &attempt, ProcessSnapshot &snapshot) {
  snapshot.native.emplace();
  for (SnapshotAttempt::Part &part : attempt.parts()) {
    const auto copy = copies_.find(part.thread->watch.tid());
    const NativeMerge merge = merge_part(part, copy == copies_.end() ? nullptr : &copy->second);
    snapshot.native->add(merge.loss);
    SnapshotAttempt::add_native(part, merge);
  }
  attempt.publish(snapshot);
}

} // namespace awaitscope
