#pragma once

#include <cstdint>

#include <sched.h>

namespace awaitscope {

/// The CPU that the calling thread is on.
int own_cpu();

/// Binds the calling thread to one CPU after another; the destructor gives it back the CPUs that it had.
class CpuPin {
public:
  CpuPin();
  ~CpuPin();
  CpuPin(const CpuPin &) = delete;
  CpuPin &operator=(const CpuPin &) = delete;

  /// On return the thread runs on this CPU. False if it may not (a cpuset).
  bool move_to(int cpu);
  [[nodiscard]] int cpu() const { return cpu_; }

  /// Leaves the CPU to others until come_back(), if the thread may use another one.
  void step_aside();
  void come_back();

private:
  cpu_set_t original_{};
  int cpu_ = -1;  ///< none before the first move_to(), and while aside
  int left_ = -1; ///< where to come back to
};

/// Lets this process have as many open files as the system allows: each thread that is watched takes some. What is started
/// afterwards inherits that.
void allow_many_descriptors();

/// What a file is kept open for. An account can also be opened each time that it is read.
enum class KeptFor : std::uint8_t { account, counter };

/// Whether a file may be kept open, by the number of its descriptor: the kernel gives the lowest that is free, so that beyond it
/// there is hardly any other. Accounts have half of the limit, and the last quarter of it, or the last 64, are for files that are
/// open for a short time.
bool leaves_descriptors(int descriptor, KeptFor use);

enum class Scheduling : std::uint8_t {
  fifo,  ///< SCHED_FIFO: needs CAP_SYS_NICE
  slice, ///< a short EEVDF slice, kernel 6.12+
  plain,
};

/// Makes the calling thread preempt whatever runs when its timer fires, as well as this host allows; the destructor undoes
/// it. Under SCHED_FIFO a limit on CPU time without a pause is set, so that a fault here cannot keep a CPU (RLIMIT_RTTIME).
class PromptScheduling {
public:
  PromptScheduling();
  ~PromptScheduling();
  PromptScheduling(const PromptScheduling &) = delete;
  PromptScheduling &operator=(const PromptScheduling &) = delete;

  [[nodiscard]] Scheduling kind() const { return kind_; }

private:
  Scheduling kind_ = Scheduling::plain;
};

} // namespace awaitscope
