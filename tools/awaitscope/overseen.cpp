#include "overseen.hpp"

#include <chrono>
#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "awaitscope/process/overseen_thread.hpp"
#include "awaitscope/support/clock.hpp"
#include "messages.hpp"
#include "stop_signals.hpp"

namespace awaitscope::tools {

void run_overseen(ThreadId pid, const std::function<void()> &read, const std::function<void(const Error &)> &leave) {
  constexpr std::chrono::milliseconds k_poll{50};
  constexpr std::int64_t k_patience_ns = 3 * k_ns_per_second;
  constexpr std::int64_t k_little_patience_ns = 300'000'000;
  OverseenThread thread(read);
  while (!thread.done(k_poll)) {
    if (thread.stuck_ns() >= (StopSignals::requested().load() ? k_little_patience_ns : k_patience_ns)) {
      leave({ExitStatus::failed, fmt::format("memory of process {} could not be read: a page of it does not come", pid),
             "pages of it are to come by userfaultfd, or from a file system in user space that does not answer"});
    }
  }
}

void run_overseen(ThreadId pid, Output &output, const std::function<void()> &read) {
  run_overseen(pid, read, [&](const Error &error) {
    { const Output unwritten = std::move(output); } // removes a file that was not there before
    leave_with(error);
  });
}

void leave_with(const Error &error) {
  say_error(error);
  std::fflush(nullptr);
  ::_exit(static_cast<int>(error.status));
}

} // namespace awaitscope::tools
