#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include <sched.h>

#include "awaitscope/process/thread_watch.hpp"

namespace awaitscope {

/// A thread that reads a process which may be hostile, and what its owner needs to watch over it. The owner polls done(); it keeps
/// its usual priority and its CPUs, whatever the thread does to its own.
///
/// A thread that reads can be kept from going on in two ways. It is bound to the CPU of the thread that it reads, and that has a
/// higher real-time priority: done() then gives it all CPUs and its usual priority again. Or a page that it reads never comes, since
/// userfaultfd or a file system in user space has to bring it: process_vm_readv() then cannot be interrupted but by the end of the
/// process (mm/gup.c, faultin_page(): FAULT_FLAG_KILLABLE alone). stuck_ns() says so, and the owner may go on without the thread. Of a
/// file system in user space that has taken the request, not even by that: the kernel keeps the process, which has done its work, until
/// there is an answer or the file system is gone (fs/fuse/dev.c, request_wait_answer(): "Wait it out").
class OverseenThread {
public:
  /// Signals that end the tool are for the owner: the thread has them blocked.
  explicit OverseenThread(std::function<void()> work);
  /// Waits for its end, unless it was abandoned.
  ~OverseenThread();
  OverseenThread(const OverseenThread &) = delete;
  OverseenThread &operator=(const OverseenThread &) = delete;

  /// Is the work done? Waits for so long at most. To be called a few times a second.
  bool done(std::chrono::milliseconds wait);

  /// For how long the last calls of done() have found it in a read that nothing interrupts.
  [[nodiscard]] std::int64_t stuck_ns() const { return stuck_ns_; }

  /// How often it was kept off its CPU for a tenth of a second.
  [[nodiscard]] unsigned freed() const { return freed_; }

  /// What it uses must stay until the process ends.
  void abandon();

private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    ThreadId tid = 0;
    bool done = false;
  };
  void check();
  void set_free();

  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>(); // the thread's as well
  cpu_set_t cpus_{};
  std::optional<ThreadWatch> watch_;
  std::optional<SchedStat> seen_; ///< at the last check
  std::int64_t seen_ns_ = 0;      ///< since when it has been so
  std::int64_t stuck_ns_ = 0;
  unsigned freed_ = 0;
  std::thread thread_;
};

} // namespace awaitscope
