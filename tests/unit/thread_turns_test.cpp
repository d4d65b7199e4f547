#include "awaitscope/sampler/thread_turns.hpp"

#include <array>
#include <vector>

#include "catch.hpp"

using awaitscope::TargetThread;
using awaitscope::ThreadId;
using awaitscope::ThreadTurns;
using awaitscope::ThreadWatch;

namespace {

constexpr ThreadId k_process = 100;

/// The first thread of the process, one that runs, and this many that were blocked when they were last asked.
std::vector<TargetThread> threads_with(std::size_t blocked) {
  std::vector<TargetThread> threads(blocked + 2);
  for (std::size_t i = 0; i < threads.size(); ++i) {
    threads[i].watch = ThreadWatch(k_process, k_process + static_cast<ThreadId>(i));
    threads[i].run = i == 1 ? ThreadWatch::Run::runnable : ThreadWatch::Run::blocked;
  }
  return threads;
}

} // namespace

TEST_CASE("of threads that wait each has one turn in each group of ticks") {
  const std::vector<TargetThread> threads = threads_with(12);
  ThreadTurns turns;
  std::array<int, ThreadTurns::k_every> at{};
  unsigned in_group = 0;
  // As begin() counts, groups start at its fourth tick.
  for (unsigned tick = 1; tick < ThreadTurns::k_every; ++tick) {
    turns.begin(threads, k_process, true);
  }
  constexpr unsigned k_groups = 4000;
  for (unsigned tick = 0; tick < k_groups * ThreadTurns::k_every; ++tick) {
    turns.begin(threads, k_process, true);
    REQUIRE(turns.apply());
    in_group += turns.now() ? 1U : 0U;
    at.at(tick % ThreadTurns::k_every) += turns.now() ? 1 : 0;
    if (tick % ThreadTurns::k_every == ThreadTurns::k_every - 1) {
      REQUIRE(in_group == 1);
      in_group = 0;
    }
  }
  for (const int times : at) { // whatever the rhythm of the target is: a fourth each, within five deviations
    CHECK(times > 1000 - 140);
    CHECK(times < 1000 + 140);
  }
}

TEST_CASE("the first thread, and those that run, wait for no turn") {
  const std::vector<TargetThread> threads = threads_with(12);
  ThreadTurns turns;
  turns.begin(threads, k_process, true);
  CHECK_FALSE(turns.waits(0));
  CHECK_FALSE(turns.waits(1));
  for (std::size_t i = 2; i < threads.size(); ++i) {
    CHECK(turns.waits(i));
  }
}

TEST_CASE("nobody waits where few could, or where the holder of the GIL cannot be told") {
  const std::vector<TargetThread> many = threads_with(12);
  const std::vector<TargetThread> few = threads_with(3);
  ThreadTurns turns;
  for (int tick = 0; tick < 8; ++tick) {
    turns.begin(many, k_process, false);
    CHECK_FALSE(turns.apply());
    CHECK(turns.now());
    CHECK_FALSE(turns.waits(2));
    turns.begin(few, k_process, true);
    CHECK_FALSE(turns.apply());
    CHECK(turns.now());
  }
}
