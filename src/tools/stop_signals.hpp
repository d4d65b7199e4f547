#pragma once

#include <atomic>

namespace awaitscope::tools {

/// The first SIGINT, SIGTERM or SIGHUP asks to stop, the second ends the process at once. SIGPIPE is ignored: a write then
/// says EPIPE.
class StopSignals {
public:
  static void install();
  static const std::atomic<bool> &requested();

  /// The signal to pass on to a child: 0 if none came, or if the terminal sent it to the child as well.
  static int to_forward();
};

} // namespace awaitscope::tools
