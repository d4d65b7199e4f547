#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "awaitscope/process/process.hpp"
#include "awaitscope/process/process_clock.hpp"

namespace awaitscope {

/// From when on the CPU time of a process counts.
enum class CountFrom : std::uint8_t {
  now,   ///< it is older than the recording
  birth, ///< it was born since
};

/// What the kernel counts that a process and each of its threads use of the CPU, less what was reported before.
class CpuAccounts {
public:
  CpuAccounts(const Process &process, CountFrom from);

  /// What the thread has used since the last take(), or since the beginning, in nanoseconds. `cpu_ns`: its schedstat's.
  [[nodiscard]] std::uint64_t since(ThreadId tid, std::uint64_t cpu_ns) const;
  std::uint64_t take(ThreadId tid, std::uint64_t cpu_ns);

  /// The thread has ended: its TID may be another's from now on.
  void forget(ThreadId tid) { reported_.erase(tid); }

  /// Of all threads, those that ended included; what it last was once the process is gone, nothing if it never could be read.
  /// The kernel adds up the times of all threads: of a process with hundreds of them it is not for every tick.
  std::optional<std::uint64_t> process_ns();

private:
  ProcessClock clock_;
  std::uint64_t before_ns_ = 0; ///< of the process, when this was made
  std::optional<std::uint64_t> used_ns_;
  std::unordered_map<ThreadId, std::uint64_t> reported_; ///< of schedstat's first field
};

} // namespace awaitscope
