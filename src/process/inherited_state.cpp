#include "awaitscope/process/inherited_state.hpp"

#include <sys/prctl.h>

namespace awaitscope {
namespace {

/// What the kernel derives by itself (the slice of SCHED_OTHER) is left out.
bool equal(const SchedulingAttributes &a, const SchedulingAttributes &b) {
  return a.policy == b.policy && a.flags == b.flags && a.nice == b.nice && a.priority == b.priority;
}

} // namespace

InheritedState::InheritedState() : scheduling_(own_scheduling()) {
  sigemptyset(&ignored_);
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) {
      sigaddset(&ignored_, signal);
    }
  }
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    ::getrlimit(static_cast<__rlimit_resource_t>(i), &limits_[i]);
  }
  timer_slack_ns_ = static_cast<unsigned long>(::prctl(PR_GET_TIMERSLACK, 0UL, 0UL, 0UL, 0UL));
}

void InheritedState::restore() const {
  if (!equal(own_scheduling(), scheduling_)) {
    set_own_scheduling(scheduling_);
  }
  ::prctl(PR_SET_TIMERSLACK, timer_slack_ns_, 0UL, 0UL, 0UL);
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    ::setrlimit(static_cast<__rlimit_resource_t>(i), &limits_[i]);
  }
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    action.sa_handler = ignores(signal) ? SIG_IGN : SIG_DFL;
    ::sigaction(signal, &action, nullptr); // refused for SIGKILL, SIGSTOP and those of the C library
  }
}

} // namespace awaitscope
