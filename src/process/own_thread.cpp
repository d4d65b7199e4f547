#include "awaitscope/process/own_thread.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace awaitscope {
namespace {

/// struct sched_attr of <linux/sched/types.h>, SCHED_ATTR_SIZE_VER0 (glibc before 2.41 declares none).
struct SchedulingAttributes {
  std::uint32_t size = 48;
  std::uint32_t policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0; ///< for SCHED_OTHER since 6.12: the slice
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);

constexpr std::uint64_t k_slice_ns = 100'000;
constexpr rlim_t k_longest_run_us = 500'000;

bool set_attributes(const SchedulingAttributes &attributes) {
  return ::syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
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
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  rlimit limit{};
  ::getrlimit(RLIMIT_RTTIME, &limit);
  limit.rlim_cur = k_longest_run_us; // SIGXCPU, whose default action ends the process
  const sched_param lowest{1};
  if (::setrlimit(RLIMIT_RTTIME, &limit) == 0 &&
      ::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest) == 0) {
    kind_ = Scheduling::fifo;
    return;
  }
  SchedulingAttributes attributes;
  attributes.runtime_ns = k_slice_ns;
  kind_ = set_attributes(attributes) ? Scheduling::slice : Scheduling::plain;
}

PromptScheduling::~PromptScheduling() {
  const sched_param none{0};
  if (kind_ == Scheduling::fifo) {
    ::sched_setscheduler(0, SCHED_OTHER, &none);
  } else if (kind_ == Scheduling::slice) {
    set_attributes(SchedulingAttributes{});
  }
  ::prctl(PR_SET_TIMERSLACK, 0UL, 0UL, 0UL, 0UL);
}

} // namespace awaitscope
