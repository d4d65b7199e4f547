#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include "awaitscope/process/process.hpp"
#include "awaitscope/process/thread_watch.hpp"
#include "awaitscope/sampler/cpu_accounts.hpp"
#include "awaitscope/sampler/sample_sink.hpp"

namespace awaitscope {

/// The threads of a process in which no Python runs: there is no stack to read, but the kernel says what they use. Now and then
/// each that used the CPU gets a sample without frames, which counts for the ticks that would have found it on a CPU.
class NativeThreads {
public:
  /// `period_ns`: of the rate that was asked for.
  NativeThreads(const Process &process, CpuAccounts &accounts, double period_ns)
      : process_(process), accounts_(accounts), period_ns_(period_ns) {}

  /// To be called about once a second. `is_python`: whether a thread is known to run Python.
  void account(const std::function<bool(ThreadId)> &is_python, SampleSink &sink);

  /// The rest, at the end of the recording.
  void finish(SampleSink &sink);

private:
  struct Thread {
    ThreadWatch watch;
    std::string name; ///< the kernel's; empty until it was met a second time: one that starts may become Python's
    bool sampled = false;
  };
  static constexpr std::size_t k_most = 4096; ///< threads that are watched

  void consume(ThreadId tid, const Thread &thread, std::uint64_t cpu_ns, std::uint64_t weight, SampleSink &sink);

  const Process &process_;
  CpuAccounts &accounts_;
  double period_ns_;
  std::unordered_map<ThreadId, Thread> threads_;
};

} // namespace awaitscope
