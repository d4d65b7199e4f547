#pragma once

#include <memory>
#include <string>
#include <vector>

#include "awaitscope/process/child.hpp"
#include "awaitscope/sampler/process_follower.hpp"
#include "awaitscope/sampler/target.hpp"
#include "commands.hpp"

namespace awaitscope::tools {

/// The Python that stands for a process.
struct Attached {
  std::unique_ptr<Target> target;
  std::string note; ///< if it is another process than the one that was named: which. Else empty
};

/// Attaches to a process, or to the only Python below it if it is none (find_pythons()). If there are several, any will do where
/// children are followed; else that is an error whose hint names them.
Result<Attached> attach_to(ThreadId pid, Children children, CodeTable &codes);

/// The same for a command that was just started: waits until it is, or starts, a Python, for as long as it runs. Of several,
/// the first.
Result<Attached> attach_to(Child &child, const std::string &command, Children children, Verbosity verbosity,
                           CodeTable &codes);

} // namespace awaitscope::tools
