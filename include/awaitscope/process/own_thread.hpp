#pragma once

#include <csignal>
#include <cstdint>

#include <sched.h>
#include <sys/resource.h>

#include "awaitscope/process/scheduling_attributes.hpp"

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

/// Lets the thread that makes this preempt whatever runs when its timer fires, as well as this host allows: between raise() and
/// lower(), which are for the wait before a read that holds a CPU, and for that read. At all other times the thread has its usual
/// priority (with a short slice, where the kernel has those). The destructor undoes everything.
///
/// A fault of ours cannot keep a CPU: who stays raised for half a second of CPU time without a sleep gets SIGXCPU
/// (RLIMIT_RTTIME), whose handler lowers the thread that it interrupts. Work that has many raised parts sleeps for an instant
/// between them, which is what resets that count (kernel/sched/rt.c, enqueue_task_rt()).
class PromptScheduling {
public:
  PromptScheduling();
  ~PromptScheduling();
  PromptScheduling(const PromptScheduling &) = delete;
  PromptScheduling &operator=(const PromptScheduling &) = delete;

  [[nodiscard]] Scheduling kind() const { return kind_; }
  [[nodiscard]] bool raised() const { return raised_; }

  /// Two system calls at most, 1 µs each; nothing if it is so already.
  void raise();
  void lower();

  /// The thread has slept: what it was raised for begins now.
  void woke();
  /// Lowers it if it has been raised for longer than that (nanoseconds), apart from the sleep before woke().
  void lower_after(std::int64_t longest_ns);

private:
  void rest_if_due();

  Scheduling kind_ = Scheduling::plain;
  bool raised_ = false;
  SchedulingAttributes before_; ///< of the thread
  SchedulingAttributes usual_;  ///< of it while it is not raised
  std::int64_t raised_ns_ = 0;  ///< since when, CLOCK_MONOTONIC
  std::int64_t spent_ns_ = 0;   ///< raised, since the last sleep
  rlimit limit_{};              ///< of the process, before
  struct sigaction action_ {};  ///< the same
};

/// Raised for as long as this lives, unless it was so before.
class RaisedFor {
public:
  explicit RaisedFor(PromptScheduling &scheduling) : scheduling_(scheduling), before_(scheduling.raised()) {
    scheduling_.raise();
  }
  ~RaisedFor() {
    if (!before_) {
      scheduling_.lower();
    }
  }
  RaisedFor(const RaisedFor &) = delete;
  RaisedFor &operator=(const RaisedFor &) = delete;

private:
  PromptScheduling &scheduling_;
  bool before_;
};

} // namespace awaitscope
