#pragma once

#include <optional>
#include <string>
#include <vector>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/process/inherited_state.hpp"
#include "awaitscope/support/error.hpp"

namespace awaitscope {

/// A command started by awaitscope, with its own standard streams. It is never killed by the destructor: a profiler that
/// ends leaves what it watched running.
class Child {
public:
  /// The command begins in the state that this process inherited. Fails if it cannot be executed, with the shell's status for
  /// that.
  static Result<Child> launch(const std::vector<std::string> &command, const InheritedState &inherited);

  /// The same with another environment: NAME=VALUE each.
  static Result<Child> launch(const std::vector<std::string> &command, const InheritedState &inherited,
                              const std::vector<std::string> &environment);

  [[nodiscard]] ThreadId pid() const { return pid_; }

  /// The shell's status (128 + signal) once it has ended.
  std::optional<int> poll();
  int wait();

private:
  explicit Child(ThreadId pid) : pid_(pid) {}

  ThreadId pid_;
  std::optional<int> status_;
};

} // namespace awaitscope
