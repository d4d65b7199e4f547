#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace awaitscope {

/// The thread that ptrace(2) is called in. What a thread traces belongs to it alone, and PTRACE_DETACH is refused for a tracee that
/// has not stopped: then only the tracer's end releases it (kernel/ptrace.c, ptrace_check_attach(), exit_ptrace()). So tracing has a
/// thread of its own, which can be ended at any time. Where a tracee sleeps uninterruptibly, that is the only way.
///
/// If this process is killed, the kernel does the same: no tracee stays stopped.
class Tracer {
public:
  Tracer() = default;
  /// As abandon().
  ~Tracer() { abandon(); }
  Tracer(const Tracer &) = delete;
  Tracer &operator=(const Tracer &) = delete;

  /// Has the thread do this and waits for it; the thread is started if there is none. False if there is no room for another thread, or
  /// it is not done in that time: the thread is abandoned then. So `work` owns what it uses.
  bool run(std::function<void()> work, std::chrono::milliseconds longest = k_longest);

  /// Unless run() is called again within that time from now on, has the thread do this. If that returns false the thread ends. It keeps a
  /// bound when the caller cannot: a read of the target may never return.
  void unless_soon(std::function<bool()> overdue, std::chrono::nanoseconds within);

  /// Ends the thread after what it is doing; nobody waits for that. The kernel releases what it traced.
  void abandon();

  /// System calls that take microseconds; but ptrace(2) waits for a target that is in execve(2) (cred_guard_mutex).
  static constexpr std::chrono::milliseconds k_longest{1000};

private:
  struct Shared;
  bool start();

  std::shared_ptr<Shared> shared_; ///< with the thread; null: there is none
};

} // namespace awaitscope
