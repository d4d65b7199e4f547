#pragma once

#include <cstdint>
#include <optional>

#include <sys/user.h>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/process/thread_stop.hpp"

namespace awaitscope {

/// A thread that the calling thread traces. Every call is made by one and the same thread (Tracer); its end undoes all of them.
class TracedThread {
public:
  TracedThread(ThreadId pid, ThreadId tid) : pid_(pid), tid_(tid) {}

  [[nodiscard]] ThreadId tid() const { return tid_; }

  /// Asks the thread to stop. None if it will.
  std::optional<StopFailure> interrupt();

  enum class State : std::uint8_t { running, stopped, ended };
  /// Has it stopped by now?
  State poll();

  /// Of a thread that has stopped, as it will go on with them; none if it was killed then.
  [[nodiscard]] const std::optional<user_regs_struct> &registers() const { return registers_; }

  /// Lets it go on. False if only the end of the calling thread does: it has not stopped yet, or it was killed.
  bool release();

  /// Whether the calling thread traces it.
  [[nodiscard]] bool seized() const { return seized_; }

  /// Does it sleep where nothing interrupts it?
  [[nodiscard]] bool uninterruptible() const;

private:
  void read_registers();
  [[nodiscard]] StopFailure refused(int error) const;
  [[nodiscard]] StopFailure failure(StopFailure::Reason reason) const { return {reason, tid_, 0}; }

  ThreadId pid_;
  ThreadId tid_;
  bool seized_ = false;
  bool stopped_ = false;
  std::optional<user_regs_struct> registers_;
  int signal_ = 0; ///< that it was to be given when it stopped; 0: it stopped for another reason
};

} // namespace awaitscope
