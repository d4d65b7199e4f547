#include "awaitscope/sampler/wait_reader.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace awaitscope {

ThreadState waiting_state(IdlePlaces &places, const PythonStack &stack) {
  std::vector<Frame> innermost;
  for (auto frame = stack.frames.rbegin(); frame != stack.frames.rend() && innermost.size() < IdlePlaces::k_depth;
       ++frame) {
    innermost.push_back(frame->frame);
  }
  return innermost.empty() || places.waits_for_work(innermost) ? ThreadState::idle : ThreadState::blocked;
}

bool waits_for_gil(Target &target, const TargetThread &thread) {
  return target.interpreters().is_in_gil(thread.entry.interpreter, thread.watch.futex());
}

bool WaitReader::waits_for_work(const std::vector<RawFrame> &innermost) {
  std::vector<Frame> frames;
  frames.reserve(innermost.size());
  for (const RawFrame &raw : innermost) {
    frames.push_back(target_.stacks().decode(raw).value_or(k_unreadable_frame));
  }
  return frames.empty() || places_.waits_for_work(frames);
}

/// Does it wait for work where it did the last time?
bool WaitReader::is_idle_again(const TargetThread &thread) {
  const std::optional<TargetThread::Wait> &known = thread.wait;
  return known && known->state == ThreadState::idle && !all_ && !thread.shared && !known->place.empty() &&
         target_.stacks().is_at(known->thread_state, known->place);
}

/// Whether its stack was read, too.
bool WaitReader::read(TargetThread &thread, const ThreadReader::Wanted &wanted, std::uint64_t generation,
                      ThreadReading &reading) {
  constexpr std::size_t k_compared = 3;
  SwappedMemory waits(target_.memory(), memory_);
  target_.memory().begin(SnapshotMemory::Prefetch::nothing);
  reading.stack.frames.clear();
  reading.generation.reset();
  reading.new_threads.reset();
  const bool for_gil = waits_for_gil(target_, thread);
  if (!for_gil && is_idle_again(thread)) {
    reading.subject = thread.entry;
    reading.dead_states.clear();
    thread.wait->times_run = thread.stat->times_run;
    return false;
  }
  std::vector<RawFrame> innermost = reader_.innermost(thread, IdlePlaces::k_depth, reading);
  const bool idle = !for_gil && waits_for_work(innermost);
  const bool stack = !innermost.empty() && (!idle || all_);
  innermost.resize(std::min(innermost.size(), k_compared));
  thread.wait = {thread.stat->times_run,
                 for_gil ? ThreadState::gil
                 : idle  ? ThreadState::idle
                         : ThreadState::blocked,
                 {},
                 0,
                 reading.subject.value_or(ThreadEntry{}).state,
                 std::move(innermost)};
  if (stack) {
    reader_.read(thread, wanted, generation, reading);
  }
  return stack;
}

WaitReader::Found WaitReader::update(TargetThread &thread, const ThreadReader::Wanted &wanted, std::uint64_t generation,
                                     ThreadReading &reading) {
  constexpr int k_attempts = 3;
  if (thread.wait && is_wait(thread.wait->state) && thread.wait->times_run == thread.stat->times_run) {
    return Found::known;
  }
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    const bool stack = read(thread, wanted, generation, reading);
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
