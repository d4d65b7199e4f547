#include "awaitscope/process/child.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "awaitscope/support/unique_fd.hpp"

namespace awaitscope {
namespace {

int shell_status(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

/// In the child: only async-signal-safe calls.
[[noreturn]] void execute(char *const *arguments, char *const *environment, const InheritedState &inherited,
                          int report) {
  inherited.restore();
  ::execvpe(arguments[0], arguments, environment);
  const int error = errno;
  const ssize_t written = ::write(report, &error, sizeof error);
  ::_exit(written == sizeof error ? 127 : 126);
}

/// As execve(2) takes it. The words outlive it.
std::vector<char *> pointers_to(const std::vector<std::string> &words) {
  std::vector<char *> pointers;
  for (const std::string &word : words) {
    pointers.push_back(const_cast<char *>(word.c_str())); // NOLINT: execvpe does not write to them
  }
  pointers.push_back(nullptr);
  return pointers;
}

} // namespace

Result<Child> Child::launch(const std::vector<std::string> &command, const InheritedState &inherited) {
  std::vector<std::string> environment;
  for (char **variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) { // NOLINT: C's own list
    environment.emplace_back(*variable);
  }
  return launch(command, inherited, environment);
}

Result<Child> Child::launch(const std::vector<std::string> &command, const InheritedState &inherited,
                            const std::vector<std::string> &environment) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(ExitStatus::failed, fmt::format("cannot make a pipe: {}", std::strerror(errno)),
                "close some files, or raise ulimit -n");
  }
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const std::vector<char *> arguments = pointers_to(command);
  const std::vector<char *> variables = pointers_to(environment);
  // Where it is ignored, the kernel keeps no status of children (wait(2)).
  std::signal(SIGCHLD, SIG_DFL);
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail(ExitStatus::failed, fmt::format("cannot start a process: {}", std::strerror(errno)),
                "free memory or processes (ulimit -u)");
  }
  if (pid == 0) {
    execute(arguments.data(), variables.data(), inherited, write_end.get());
  }
  write_end = UniqueFd();
  int error = 0;
  // The pipe closes at a successful exec; else the error comes through it.
  if (::read(read_end.get(), &error, sizeof error) == sizeof error) {
    ::waitpid(pid, nullptr, 0);
    return fail(error == ENOENT ? ExitStatus::command_not_found : ExitStatus::cannot_execute,
                fmt::format("cannot execute '{}': {}", command.front(), std::strerror(error)),
                "give a command that is on PATH, or a path to one");
  }
  return Child(pid);
}

/// While a thread of this process traces the child, wait(2) reports its stops too, whatever the options (kernel/exit.c,
/// wait_task_stopped(): "Traditionally we see ptrace'd stopped tasks regardless of options"). They are the tracer's: looked at first,
/// and left there.
std::optional<int> Child::poll() {
  siginfo_t info{};
  if (status_ || ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid == 0 || info.si_code == CLD_TRAPPED) {
    return status_;
  }
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) {
    status_ = shell_status(status);
  }
  return status_;
}

int Child::wait() {
  constexpr useconds_t k_pause_us = 1000;
  while (!poll()) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 && errno != EINTR) {
      status_ = static_cast<int>(ExitStatus::failed);
    } else if (info.si_code == CLD_TRAPPED) {
      ::usleep(k_pause_us);
    }
  }
  return *status_;
}

} // namespace awaitscope
