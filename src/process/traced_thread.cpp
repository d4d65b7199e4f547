#include "traced_thread.hpp"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <string>
#include <string_view>

#include <elf.h>
#include <fmt/format.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "awaitscope/process/proc_fs.hpp"

namespace awaitscope {
namespace {

/// The thread that traces this one; 0: none, or one that is not seen from here.
ThreadId tracer_of(ThreadId tid) {
  constexpr std::string_view k_field = "\nTracerPid:\t";
  const std::string status = read_file(fmt::format("/proc/{}/status", tid)).value_or("");
  const std::size_t at = status.find(k_field);
  ThreadId tracer = 0;
  if (at != std::string::npos) {
    std::from_chars(status.data() + at + k_field.size(), status.data() + status.size(), tracer);
  }
  return tracer;
}

char state_of(ThreadId pid, ThreadId tid) {
  const std::optional<std::string> text = read_file(fmt::format("/proc/{}/task/{}/stat", pid, tid));
  const std::optional<TaskStat> stat = text ? parse_task_stat(*text) : std::nullopt;
  return stat ? stat->state : 'X';
}

/// Does the process have this thread? Once that is traced, its number cannot become another one's.
bool belongs(ThreadId pid, ThreadId tid) {
  return ::syscall(SYS_tgkill, pid, tid, 0) == 0 || errno != ESRCH; // EPERM: it has
}

} // namespace

StopFailure TracedThread::refused(int error) const {
  if (error == ESRCH) {
    return failure(StopFailure::Reason::ended);
  }
  const ThreadId tracer = tracer_of(tid_);
  if (tracer != 0) { // one of ours has been abandoned and is about to end
    const bool own = ::access(fmt::format("/proc/self/task/{}", tracer).c_str(), F_OK) == 0;
    return {own ? StopFailure::Reason::late : StopFailure::Reason::traced, tid_, tracer};
  }
  // One that has ended is refused in the same way (kernel/ptrace.c, ptrace_attach(): exit_state).
  const char state = state_of(pid_, tid_);
  return failure(state == 'Z' || state == 'X' ? StopFailure::Reason::ended : StopFailure::Reason::denied);
}

std::optional<StopFailure> TracedThread::interrupt() {
  if (::ptrace(PTRACE_SEIZE, tid_, nullptr, nullptr) != 0) {
    return refused(errno);
  }
  seized_ = true;
  if (!belongs(pid_, tid_) || ::ptrace(PTRACE_INTERRUPT, tid_, nullptr, nullptr) != 0) {
    return failure(StopFailure::Reason::ended);
  }
  return std::nullopt;
}

/// Nothing is taken away from who waits for a child: WNOWAIT. Only what this thread traces: __WNOTHREAD.
TracedThread::State TracedThread::poll() {
  if (stopped_) {
    return State::stopped;
  }
  siginfo_t info{};
  const int options = WSTOPPED | WEXITED | WNOHANG | WNOWAIT | __WALL | __WNOTHREAD;
  if (::waitid(P_PID, static_cast<id_t>(tid_), &info, options) != 0) {
    return State::ended; // ECHILD: another thread's execve(2) has ended it
  }
  if (info.si_pid == 0) {
    return State::running;
  }
  if (info.si_code != CLD_TRAPPED) {
    return State::ended;
  }
  // A stop that PTRACE_INTERRUPT or job control brought about is PTRACE_EVENT_STOP above the signal's byte; without an event it is one
  // in which the thread is to be given the signal (ptrace(2), "Signal-delivery-stop").
  constexpr int k_signal_bits = 8;
  signal_ = info.si_status >> k_signal_bits == 0 ? info.si_status : 0;
  stopped_ = true;
  read_registers();
  return State::stopped;
}

void TracedThread::read_registers() {
  user_regs_struct registers{};
  iovec place{&registers, sizeof registers};
  const long read = ::ptrace(PTRACE_GETREGSET, tid_, std::uintptr_t{NT_PRSTATUS}, &place);
  registers_ = read == 0 && place.iov_len == sizeof registers ? std::optional(registers) : std::nullopt;
}

/// A thread of which job control wants that it stays stopped does (kernel/ptrace.c, __ptrace_unlink(): JOBCTL_STOP_PENDING).
bool TracedThread::release() {
  if (seized_ && (stopped_ || poll() == State::stopped)) {
    seized_ = ::ptrace(PTRACE_DETACH, tid_, nullptr, static_cast<std::uintptr_t>(signal_)) != 0;
    stopped_ = false;
  }
  return !seized_;
}

bool TracedThread::uninterruptible() const { return state_of(pid_, tid_) == 'D'; }

} // namespace awaitscope
