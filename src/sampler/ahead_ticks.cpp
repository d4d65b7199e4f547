#include "awaitscope/sampler/ahead_ticks.hpp"

#include <algorithm>

namespace awaitscope {

bool AheadTicks::begin(Target &target, const TargetThread &thread, std::uint64_t generation,
                       std::span<const std::int64_t> due_ns) {
  count_ = done_ = 0;
  const std::optional<GuardedWord> threads = target.interpreters().generation_word(generation);
  if (switches_.last_taken_from() != thread.watch.tid() || !thread.stat || !threads || own_cpu() != pin_.cpu()) {
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
  switches_.know(codes_);
  tid_ = thread.watch.tid();
  cpu_ns_ = thread.stat->cpu_ns;
  ran_ns_ = switches_.ran_ns();
  count_ = std::min(due_ns.size(), k_most);
  switches_.go_ahead(due_ns, guards_);
  return true;
}

std::optional<SwitchCapture::Ahead> AheadTicks::next() {
  const std::optional<SwitchCapture::Ahead> tick = active() ? switches_.ahead(done_) : std::nullopt;
  done_ += tick ? 1U : 0U;
  return tick;
}

bool AheadTicks::look(Target &target, const SwitchCapture::Ahead &tick, const std::function<void()> &look) {
  target.memory().begin(tick.copies, SnapshotMemory::Beyond::refuse);
  look();
  return !target.memory().refused();
}

std::uint64_t AheadTicks::cpu_ns(const SwitchCapture::Ahead &tick) const { return cpu_ns_ + (tick.ran_ns - ran_ns_); }

std::size_t AheadTicks::end() {
  switches_.stay();
  const std::size_t missed = count_ - done_;
  count_ = done_ = 0;
  return missed;
}

} // namespace awaitscope
