#include "awaitscope/asyncio/coroutines.hpp"
#include "catch.hpp"

using namespace awaitscope;

namespace {

using Calls = std::vector<CallSight>;

constexpr CallSight k_root{1, 10, {}};
constexpr CallSight k_server{2, 40, {0x5000}}; // keeps a list of tasks
constexpr CallSight k_wrapper{3, 8, {}};
constexpr CallSight k_sleep{4, 60, {}};

} // namespace

TEST_CASE("calls go on while what they await is the same") {
  const Calls calls{k_root, k_wrapper, k_sleep};
  CHECK(first_new_call(calls, calls, true) == 3);
}

TEST_CASE("a call that only awaits is another one once it awaits something else") {
  const Calls calls{k_root, k_wrapper, k_sleep};
  CHECK(first_new_call(calls, calls, false) == 1); // the task's own coroutine goes on
  CHECK(first_new_call({k_root, k_wrapper, {9, 0, {}}}, calls, true) == 1);
}

TEST_CASE("a call that got further, or still holds what it held, goes on, and so do those above it") {
  const Calls before{k_root, k_wrapper, k_server, k_wrapper, k_sleep};
  CHECK(first_new_call(before, before, false) == 3);
  Calls further = before;
  further[3].instruction += 2;
  CHECK(first_new_call(before, further, false) == 4);
}

TEST_CASE("another number is another call, and so is all below it") {
  Calls now{k_root, k_server, k_sleep};
  now[1].number = 77;
  CHECK(first_new_call({k_root, k_server, k_sleep}, now, true) == 1);
  CHECK(first_new_call({}, now, false) == 0);
}
