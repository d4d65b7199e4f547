#pragma once

#include <string>

#include "awaitscope/cpython/runtime.hpp"
#include "awaitscope/process/process.hpp"

namespace awaitscope {

/// Lets a Python process run a script, as sys.remote_exec() does: PEP 768; CPython 3.14, Python/remote_debugging.c and
/// Python/ceval_gil.c, _PyRunRemoteDebugger(). A thread runs it the next time that it checks its eval breaker: soon if it runs
/// Python, and otherwise when it does again.
class RemoteScript {
public:
  /// `interpreter`: the main one. Errors: a Python before 3.14 (no_target); a process that forbids it (failed).
  static Result<RemoteScript> prepare(const Process &process, const PythonRuntime &runtime, Address interpreter);

  /// Asks a thread state to run the script at `path`, as the process sees it. Errors: the path is too long, the thread or the process
  /// is gone.
  Result<void> request(Address thread_state, const std::string &path) const;

  /// Takes a request back that was not followed. The thread may have begun to follow it.
  void withdraw(Address thread_state) const;

private:
  RemoteScript(ThreadId pid, const Layout &layout) : pid_(pid), layout_(layout) {}

  ThreadId pid_;
  const Layout &layout_; ///< of the runtime, which outlives this
};

} // namespace awaitscope
