#include "awaitscope/sampler/thread_turns.hpp"

#include <algorithm>

namespace awaitscope {
namespace {

constexpr std::ptrdiff_t k_least_threads =
    4; // threads: of fewer, asking all costs no more than finding out whom to ask

} // namespace

void ThreadTurns::begin(const std::vector<TargetThread> &threads, ThreadId process, bool known_holder) {
  waits_.clear();
  for (const TargetThread &thread : threads) {
    // The first thread is the one that runs the event loop, and is seldom idle for long.
    waits_.push_back(known_holder && !thread.shared && thread.watch.tid() != process && !thread.calls.any() &&
                     thread.run == ThreadWatch::Run::blocked);
  }
  apply_ = std::count(waits_.begin(), waits_.end(), true) >= k_least_threads;
  tick_ = (tick_ + 1) % k_every;
  if (tick_ == 0) {
    chosen_ = std::uniform_int_distribution<unsigned>(0, k_every - 1)(random_);
  }
  now_ = !apply_ || tick_ == chosen_;
}

} // namespace awaitscope
