#pragma once

#include <algorithm>
#include <cstddef>

#include "awaitscope/model/ids.hpp"

namespace awaitscope {

/// Whether the ticks of late have found one thread running, always the same, and no other.
class SteadyThread {
public:
  /// In this tick this thread was sampled. `complete`: it ran, and all that was read of it had been copied.
  void saw(ThreadId tid, bool complete) {
    ++seen_;
    complete_ = complete_ && complete && (tid == tid_ || ticks_ == 0);
    next_ = tid;
  }
  /// The tick is over.
  void end_tick() {
    if (seen_ > 0) { // else nothing ran
      ticks_ = seen_ == 1 && complete_ ? ticks_ + 1 : 0;
      tid_ = next_;
    }
    seen_ = 0;
    complete_ = true;
  }

  [[nodiscard]] ThreadId tid() const { return tid_; }
  [[nodiscard]] bool steady() const { return ticks_ >= needed_; }

  /// It was thought to be, and all went well.
  void held() { needed_ = std::max(needed_ / 2, k_least); }
  /// It was not, after all.
  void broke() {
    needed_ = std::min(needed_ * 4, k_most);
    ticks_ = 0;
  }

private:
  static constexpr std::size_t k_least = 16;
  static constexpr std::size_t k_most = 4096;
  std::size_t needed_ = k_least; ///< ticks
  std::size_t ticks_ = 0;
  std::size_t seen_ = 0;
  bool complete_ = true;
  ThreadId tid_ = 0;
  ThreadId next_ = 0;
};

} // namespace awaitscope
