#include "awaitscope/sampler/wait_reader.hpp"

#include <algorithm>
#include <vector>

namespace awaitscope {

ThreadState WaitReader::state_of(const ThreadReading &reading) {
  std::vector<Frame> innermost;
  for (auto frame = reading.stack.frames.rbegin();
       frame != reading.stack.frames.rend() && innermost.size() < IdlePlaces::k_depth; ++frame) {
    innermost.push_back(frame->frame);
  }
  return innermost.empty() || places_.waits_for_work(innermost) ? ThreadState::idle : ThreadState::blocked;
}

/// Whether its stack was read, too.
bool WaitReader::read(TargetThread &thread, const ThreadReader::Wanted &wanted, std::uint64_t generation,
                      ThreadReading &reading) {
  target_.memory().begin();
  const std::vector<Frame> innermost = reader_.innermost(thread, IdlePlaces::k_depth, reading);
  const bool idle = innermost.empty() || places_.waits_for_work(innermost);
  thread.wait = {thread.stat->times_run, idle ? ThreadState::idle : ThreadState::blocked, {}, 0};
  const bool stack = !innermost.empty() && (!idle || all_);
  if (stack) {
    reader_.read(thread, wanted, generation, reading);
  }
  return stack;
}

WaitReader::Found WaitReader::update(TargetThread &thread, const ThreadReader::Wanted &wanted, std::uint64_t generation,
                                     ThreadReading &reading) {
  constexpr int k_attempts = 3;
  if (thread.wait && thread.wait->times_run == thread.stat->times_run) {
    return Found::known;
  }
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    bool stack = false;
    apart([&] { stack = read(thread, wanted, generation, reading); });
    const std::optional<SchedStat> after = thread.watch.schedstat();
    if (after && after->times_run == thread.stat->times_run) {
      return stack ? Found::stack : Found::state;
    }
    thread.wait.reset();
    if (!after || thread.watch.run() != ThreadWatch::Run::blocked) {
      break;
    }
    thread.stat = after; // it waits again
  }
  return Found::woken;
}

} // namespace awaitscope
