#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include <sys/user.h>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/process/tracer.hpp"
#include "awaitscope/support/error.hpp"

namespace awaitscope {

/// Why a thread could not be stopped.
struct StopFailure {
  enum class Reason : std::uint8_t {
    ended,
    late,   ///< it sleeps where nothing interrupts it (vfork(2), a disk), or gets no CPU
    traced, ///< by somebody else
    denied,
    no_tracer, ///< there is no room for the tracer's thread, or the kernel keeps it
  };
  Reason reason = Reason::ended;
  ThreadId tid = 0;    ///< of the thread
  ThreadId tracer = 0; ///< if it is traced
};

/// The error for a process that had to be stopped.
Error cannot_stop(ThreadId pid, const StopFailure &failure);

/// What a stop may take. It ends after `held` by itself, whatever its owner does.
struct StopLimits {
  std::chrono::nanoseconds until_stopped{};
  std::chrono::nanoseconds held{};
};

/// A thread that is stopped, by PTRACE_SEIZE and PTRACE_INTERRUPT, until this is destroyed. It then goes on as if it had not been: a
/// signal that came meanwhile is delivered, a thread that job control had stopped stays stopped, and a system call that it was in is
/// restarted by the kernel. Those that signal(7) lists under "Interruption of system calls and library functions by stop signals"
/// are not: epoll_wait(2), sigtimedwait(2) and a few more return EINTR, as after SIGSTOP and SIGCONT, or any debugger's attach.
///
/// A thread stops where it leaves the kernel, so where it makes system calls they are seen too often.
class ThreadStop {
public:
  static tl::expected<ThreadStop, StopFailure> stop(Tracer &tracer, ThreadId pid, ThreadId tid,
                                                    const StopLimits &limits);
  ThreadStop(ThreadStop &&other) noexcept;
  ThreadStop &operator=(ThreadStop &&other) noexcept;
  ThreadStop(const ThreadStop &) = delete;
  ThreadStop &operator=(const ThreadStop &) = delete;
  ~ThreadStop();

  /// Lets the thread go on. For how long it was stopped; nothing if it did not stay so until now. Not to be called again.
  std::optional<std::chrono::nanoseconds> release();

  /// As it will go on with them; none if it was killed meanwhile. In a system call that is to be restarted, `rax` is the kernel's own
  /// error (-ERESTARTSYS, …) and `rip` is behind the instruction.
  [[nodiscard]] const std::optional<user_regs_struct> &registers() const;

private:
  struct Attempt;
  ThreadStop(Tracer &tracer, std::shared_ptr<Attempt> attempt);

  Tracer *tracer_;
  std::shared_ptr<Attempt> attempt_; ///< null: moved from
  bool released_ = false;
};

/// All threads of a process, stopped in the same way until this is destroyed. Threads that are born meanwhile are stopped as well: the
/// list is read until there is no new one. A thread that sleeps uninterruptibly counts as stopped: it stops before it executes
/// anything in user mode.
class ProcessStop {
public:
  /// Fails with what the first thread fails with, but for those that have ended. None is stopped then.
  static tl::expected<ProcessStop, StopFailure> stop(Tracer &tracer, ThreadId pid, const StopLimits &limits);
  ProcessStop(ProcessStop &&other) noexcept;
  ProcessStop &operator=(ProcessStop &&other) noexcept;
  ProcessStop(const ProcessStop &) = delete;
  ProcessStop &operator=(const ProcessStop &) = delete;
  ~ProcessStop();

  /// Lets all of them go on. From when the first was interrupted to when the last went on; nothing if they did not stay stopped until
  /// now. Not to be called again.
  std::optional<std::chrono::nanoseconds> release();

  [[nodiscard]] std::size_t threads() const;

  /// As ThreadStop::registers(), of one of the threads.
  [[nodiscard]] std::optional<user_regs_struct> registers(ThreadId tid) const;

private:
  class Group;
  ProcessStop(Tracer &tracer, std::shared_ptr<Group> group);

  Tracer *tracer_;
  std::shared_ptr<Group> group_; ///< null: moved from
  bool released_ = false;
};

} // namespace awaitscope
