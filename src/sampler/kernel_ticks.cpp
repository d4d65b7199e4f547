#include "awaitscope/sampler/kernel_ticks.hpp"

#include <algorithm>

namespace awaitscope {

bool KernelTicks::begin(Target &target, const TargetThread &thread, std::uint64_t generation,
                        std::span<const std::int64_t> due_ns) {
  count_ = done_ = 0;
  const std::optional<GuardedWord> threads = target.interpreters().generation_word(generation);
  if (switches_.last_replaced() != thread.watch.tid() || !thread.stat || !threads || own_cpu() != pin_.cpu()) {
    return false;
  }
  guards_ = {*threads};
  if (const auto made = target.code_cache().count_word(thread.entry.interpreter)) {
    guards_.push_back(*made);
  }
  if (!switches_.count(thread.counter ? &*thread.counter : nullptr)) {
    return false;
  }
  codes_.clear();
  target.stacks().add_codes(codes_);
  switches_.add_keys(codes_);
  tid_ = thread.watch.tid();
  cpu_ns_ = thread.stat->cpu_ns;
  ran_ns_ = switches_.ran_ns();
  count_ = std::min(due_ns.size(), k_most);
  switches_.arm(due_ns, guards_);
  return true;
}

std::optional<SwitchCapture::Tick> KernelTicks::next() {
  const std::optional<SwitchCapture::Tick> tick = active() ? switches_.tick(done_) : std::nullopt;
  done_ += tick ? 1U : 0U;
  return tick;
}

bool KernelTicks::read(Target &target, const SwitchCapture::Tick &tick, const std::function<void()> &read) {
  target.memory().begin(tick.copies, SnapshotMemory::Beyond::refuse);
  read();
  return !target.memory().refused();
}

std::uint64_t KernelTicks::cpu_ns(const SwitchCapture::Tick &tick) const { return cpu_ns_ + (tick.ran_ns - ran_ns_); }

std::size_t KernelTicks::end() {
  switches_.disarm();
  const std::size_t missed = count_ - done_;
  count_ = done_ = 0;
  return missed;
}

} // namespace awaitscope
