#include "awaitscope/sampler/steady_thread.hpp"

#include "catch.hpp"

using namespace awaitscope;

namespace {

void tick(SteadyThread &steady, ThreadId tid, bool complete = true) {
  steady.saw(tid, complete);
  steady.end_tick();
}

/// How many ticks of one thread it takes.
int ticks_until_steady(SteadyThread &steady) {
  int ticks = 0;
  for (; !steady.steady() && ticks < 100'000; ++ticks) {
    tick(steady, 7);
  }
  return ticks;
}

} // namespace

TEST_CASE("one thread that runs in every tick is steady after some, and idle ticks do not count") {
  SteadyThread steady;
  for (int i = 0; i < 15; ++i) {
    tick(steady, 7);
    steady.end_tick();
  }
  CHECK_FALSE(steady.steady());
  tick(steady, 7);
  CHECK(steady.steady());
  CHECK(steady.tid() == 7);
}

TEST_CASE("another thread, two in one tick, or a look that had to read more begin anew") {
  SteadyThread steady;
  const int first = ticks_until_steady(steady);
  tick(steady, 8);
  CHECK_FALSE(steady.steady());
  CHECK(ticks_until_steady(steady) >= first - 1);
  steady.saw(7, true);
  steady.saw(8, true);
  steady.end_tick();
  CHECK_FALSE(steady.steady());
  CHECK(ticks_until_steady(steady) >= first - 1);
  tick(steady, 7, false);
  CHECK_FALSE(steady.steady());
}

TEST_CASE("the more often it was taken to be steady and was not, the longer it takes") {
  SteadyThread steady;
  const int first = ticks_until_steady(steady);
  steady.broke();
  const int second = ticks_until_steady(steady);
  steady.broke();
  const int third = ticks_until_steady(steady);
  CHECK(second > 2 * first);
  CHECK(third > 2 * second);
  for (int i = 0; i < 100; ++i) {
    steady.held();
  }
  tick(steady, 8);
  CHECK(ticks_until_steady(steady) <= first + 1);
  for (int i = 0; i < 100; ++i) {
    steady.broke();
  }
  CHECK(ticks_until_steady(steady) < 10'000);
}
