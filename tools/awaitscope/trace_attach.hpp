#pragma once

#include <string>

#include "awaitscope/support/error.hpp"
#include "commands.hpp"
#include "trace_folder.hpp"

namespace awaitscope::tools {

/// What an agent is to do: the arguments of run() in session.py.
struct AgentOrder {
  std::vector<std::string> functions; ///< MODULE:FUNCTION
  std::int64_t duration_ns = 0;       ///< 0: until it is stopped
  bool subprocesses = false;
};

/// The agent, with its order behind it, for a process that it gets into by attach.
std::string attached_agent(const TraceFolder &folder, const AgentOrder &order);

/// The same as a sitecustomize, which loads the program's own one behind it.
std::string launched_agent(const TraceFolder &folder, const AgentOrder &order);

/// A process that is to be traced.
struct TraceTarget {
  ThreadId pid = 0;
  std::string python;
  std::vector<std::string> import_paths;
  std::string note; ///< if it is another process than the one that was named
};

/// Puts the agent into a running process: makes the folder, and asks the process's threads in turn to run the agent until one has
/// begun. Waits for a process that runs no Python, until the user asks to stop. Errors: those of attaching and of RemoteScript.
Result<TraceTarget> attach_agent(ThreadId pid, const AgentOrder &order, Verbosity verbosity,
                                 std::optional<TraceFolder> &folder);

} // namespace awaitscope::tools
