#include "awaitscope/sampler/cpu_accounts.hpp"

#include <algorithm>

#include "awaitscope/process/thread_watch.hpp"

namespace awaitscope {

CpuAccounts::CpuAccounts(const Process &process, CountFrom from) : clock_(process.pid()) {
  if (from == CountFrom::birth) {
    used_ns_ = clock_.now();
    return;
  }
  // The process first: what its threads use meanwhile is then part of the process's time, as it is at the end.
  if (const std::optional<std::uint64_t> now_ns = clock_.now()) {
    before_ns_ = *now_ns;
    used_ns_ = 0;
  }
  for (const ThreadId tid : process.threads()) {
    if (const std::optional<SchedStat> stat = ThreadWatch(process.pid(), tid).schedstat()) {
      reported_.emplace(tid, stat->cpu_ns);
    }
  }
}

std::uint64_t CpuAccounts::since(ThreadId tid, std::uint64_t cpu_ns) const {
  const auto reported = reported_.find(tid);
  const std::uint64_t reported_ns = reported == reported_.end() ? 0 : reported->second;
  // What was reported by another clock (AheadTicks) may be ahead by what a virtual machine's host took.
  return cpu_ns > reported_ns ? cpu_ns - reported_ns : 0;
}

std::uint64_t CpuAccounts::take(ThreadId tid, std::uint64_t cpu_ns) {
  const std::uint64_t since_ns = since(tid, cpu_ns);
  reported_[tid] += since_ns;
  return since_ns;
}

std::optional<std::uint64_t> CpuAccounts::process_ns() {
  const std::optional<std::uint64_t> now_ns = clock_.now();
  if (used_ns_ && now_ns && *now_ns >= before_ns_) {
    used_ns_ = *now_ns - before_ns_;
  }
  return used_ns_;
}

} // namespace awaitscope
