#pragma once

#include <atomic>

#include "awaitscope/process/child.hpp"

namespace awaitscope::tools {

/// The first SIGINT, SIGTERM or SIGHUP asks to stop, the second ends the process at once. One that was ignored from the start
/// stays so: nohup ignores SIGHUP, and a shell SIGINT in jobs in the background (POSIX.1-2017, XCU 2.11). SIGPIPE and SIGXFSZ are
/// ignored: a write then says EPIPE, or EFBIG.
class StopSignals {
public:
  static void install();

  /// The part of install() that a command needs which may simply be ended.
  static void ignore_broken_writes();

  static const std::atomic<bool> &requested();

  /// Asks to stop, as a signal would.
  static void request();

  /// The status of a command, once it has ended. The signal that came is passed on to it, unless the terminal has sent it to both.
  static int wait_for(Child &command);
};

} // namespace awaitscope::tools
