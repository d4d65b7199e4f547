#include "stop_signals.hpp"

#include <csignal>

#include <unistd.h>

namespace awaitscope::tools {
namespace {

// A signal handler has nowhere else to write to.
std::atomic<bool> stop_requested{false}; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
std::atomic<int> signal_to_forward{0};   // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

void handle(int signal, siginfo_t *info, void * /*context*/) {
  if (stop_requested.exchange(true)) {
    ::_exit(128 + signal);
  }
  const bool from_terminal = info != nullptr && info->si_code == SI_KERNEL;
  signal_to_forward.store(from_terminal ? 0 : signal);
}

} // namespace

void StopSignals::install() {
  struct sigaction action {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) {
      ::sigaction(signal, &action, nullptr);
    }
  }
  ignore_broken_writes();
}

void StopSignals::ignore_broken_writes() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void StopSignals::request() { stop_requested.store(true); }

const std::atomic<bool> &StopSignals::requested() { return stop_requested; }

int StopSignals::wait_for(Child &command) {
  if (const int signal = signal_to_forward.load(); signal != 0 && !command.poll()) {
    ::kill(command.pid(), signal);
  }
  return command.wait();
}

} // namespace awaitscope::tools
