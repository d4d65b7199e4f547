#include "awaitscope/process/own_thread.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <ctime>
#include <utility>

#include <sys/prctl.h>
#include <unistd.h>

#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

constexpr std::uint64_t k_usual_slice_ns = 100'000;
constexpr std::uint64_t k_reset_on_fork = 1; // SCHED_FLAG_RESET_ON_FORK
constexpr rlim_t k_longest_run_us = 500'000;
constexpr std::int64_t k_spent_ns = 50'000'000; // raised in all, until the thread sleeps

constexpr SchedulingAttributes k_fifo{48, SCHED_FIFO, k_reset_on_fork, 0, 1, 0, 0, 0};

/// Of the thread that has had the CPU for too long: the kernel sends it the signal (kernel/time/posix-cpu-timers.c).
void lower_interrupted(int /*signal*/) {
  const int error = errno;
  SchedulingAttributes attributes;
  attributes.nice = ::getpriority(PRIO_PROCESS, 0);
  attributes.flags = k_reset_on_fork; // to take it back needs a capability
  set_own_scheduling(attributes);
  errno = error;
}

} // namespace

int own_cpu() { return ::sched_getcpu(); }

CpuPin::CpuPin() { ::sched_getaffinity(0, sizeof original_, &original_); }

CpuPin::~CpuPin() {
  if (cpu_ >= 0 || left_ >= 0) {
    ::sched_setaffinity(0, sizeof original_, &original_);
  }
}

bool CpuPin::move_to(int cpu) {
  if (cpu == cpu_ && cpu == own_cpu()) { // a cpuset, or taskset, may have moved this thread since
    return true;
  }
  if (cpu < 0 || cpu >= CPU_SETSIZE) {
    return false;
  }
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(cpu), &one);
  if (::sched_setaffinity(0, sizeof one, &one) != 0) {
    return false;
  }
  cpu_ = cpu;
  return true;
}

void CpuPin::step_aside() {
  if (cpu_ < 0 || left_ >= 0) {
    return;
  }
  cpu_set_t others = original_;
  CPU_CLR(static_cast<std::size_t>(cpu_), &others);
  if (CPU_COUNT(&others) > 0 && ::sched_setaffinity(0, sizeof others, &others) == 0) {
    left_ = std::exchange(cpu_, -1);
  }
}

void CpuPin::come_back() {
  if (left_ >= 0) {
    move_to(std::exchange(left_, -1));
  }
}

void allow_many_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

bool leaves_descriptors(int descriptor, KeptFor use) {
  constexpr rlim_t k_spare = 64;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return true;
  }
  const rlim_t most = use == KeptFor::account ? limit.rlim_cur / 2 : limit.rlim_cur;
  return static_cast<rlim_t>(descriptor) < std::min(most, limit.rlim_cur - std::min(k_spare, limit.rlim_cur / 4));
}

PromptScheduling::PromptScheduling() {
  usual_ = before_ = own_scheduling();
  before_.runtime_ns =
      before_.policy == SCHED_OTHER ? 0 : before_.runtime_ns; // what it was by default is not to be fixed
  usual_.runtime_ns = usual_.policy == SCHED_OTHER ? k_usual_slice_ns : usual_.runtime_ns;
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  ::getrlimit(RLIMIT_RTTIME, &limit_);
  struct sigaction action {};
  action.sa_handler = lower_interrupted;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGXCPU, &action, &action_);
  rlimit limit = limit_;
  limit.rlim_cur = k_longest_run_us;
  if (::setrlimit(RLIMIT_RTTIME, &limit) == 0 && set_own_scheduling(k_fifo)) {
    kind_ = Scheduling::fifo;
    usual_.flags |= k_reset_on_fork; // to take it back needs a capability
    set_own_scheduling(usual_);
    return;
  }
  kind_ = set_own_scheduling(usual_) ? Scheduling::slice : Scheduling::plain;
}

PromptScheduling::~PromptScheduling() {
  if (!set_own_scheduling(before_)) {
    before_.flags |= k_reset_on_fork;
    set_own_scheduling(before_);
  }
  ::setrlimit(RLIMIT_RTTIME, &limit_);
  ::sigaction(SIGXCPU, &action_, nullptr);
  ::prctl(PR_SET_TIMERSLACK, 0UL, 0UL, 0UL, 0UL);
}

void PromptScheduling::raise() {
  if (raised_ || kind_ != Scheduling::fifo) {
    return;
  }
  rest_if_due();
  raised_ = set_own_scheduling(k_fifo);
  raised_ns_ = monotonic_ns();
}

void PromptScheduling::lower() {
  if (!raised_) {
    return;
  }
  set_own_scheduling(usual_);
  raised_ = false;
  spent_ns_ += monotonic_ns() - raised_ns_;
}

void PromptScheduling::woke() {
  raised_ns_ = monotonic_ns();
  spent_ns_ = 0;
}

void PromptScheduling::lower_after(std::int64_t longest_ns) {
  if (raised_ && monotonic_ns() - raised_ns_ > longest_ns) {
    lower();
  }
}

void PromptScheduling::rest_if_due() {
  if (spent_ns_ > k_spent_ns) {
    const timespec instant{0, 1};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &instant, nullptr);
    spent_ns_ = 0;
  }
}

} // namespace awaitscope
