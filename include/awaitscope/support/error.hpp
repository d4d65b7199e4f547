#pragma once

#include <string>

#include <tl/expected.hpp>

namespace awaitscope {

/// Exit statuses of the executable.
enum class ExitStatus : int {
  ok = 0,
  failed = 1,
  usage = 2,
  denied = 3,
  no_target = 4,
  cannot_execute = 126,   ///< of a command, as the shell has it (POSIX.1-2017, XCU 2.8.2)
  command_not_found = 127 ///< the same
};

/// What ends a command: one line of cause, one of remedy. What is ordinary while sampling (a torn read, a thread
/// that ended) is a value of its own and never becomes an Error.
struct Error {
  ExitStatus status = ExitStatus::failed;
  std::string what;
  std::string hint;
};

template <typename T> using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ExitStatus status, std::string what, std::string hint) {
  return tl::unexpected<Error>(Error{status, std::move(what), std::move(hint)});
}

} // namespace awaitscope
