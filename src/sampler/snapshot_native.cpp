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

void SnapshotNative::merge(SnapshotAttempt &attempt, ProcessSnapshot &snapshot) {
  snapshot.native.emplace();
  for (SnapshotAttempt::Part &part : attempt.parts()) {
    const auto copy = copies_.find(part.thread->watch.tid());
    const NativeMerge merge = reader_.merge(copy == copies_.end() ? nullptr : &copy->second, NativeLoss::not_stopped,
                                            part.stack, part.evaluations, interpreter_);
    snapshot.native->add(merge.loss);
    SnapshotAttempt::add_native(part, merge);
  }
  attempt.publish(snapshot);
}

} // namespace awaitscope
