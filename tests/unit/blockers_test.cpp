#include "awaitscope/report/blockers.hpp"

#include "catch.hpp"
#include "common.hpp"
#include "synthetic.hpp"

using namespace awaitscope;
using namespace awaitscope::testing;

namespace {

/// A recorder whose start is 0, of one thread at 100 Hz that runs asyncio's loop.
struct Loop : MemoryRecorder {
  Loop() : MemoryRecorder(info_at_100_hz()) {}

  /// In a step of a task. `same`: calls that go on, of run_once, Handle._run, the coroutine, and `leaf`.
  void step(std::int64_t at, Address task, CodeId leaf, std::uint32_t same, ThreadState state = ThreadState::running) {
    Sample sample;
    sample.time_ns = at * k_ms;
    sample.tid = 7;
    sample.state = state;
    sample.task = task;
    sample.stack.in_task = true;
    sample.stack.frames = {{run_once, 1, FrameKind::loop},
                           {handle, 1, FrameKind::loop},
                           {serve, 0, FrameKind::task_border},
                           {serve, 3, FrameKind::python},
                           {leaf, 5, FrameKind::python}};
    sample.calls = {true, 3, 1, same, 0, (at - 10) * k_ms};
    writer().add(sample, "MainThread");
  }

  /// In a callback of no task: calls of run_once, Handle._run, and `leaf`.
  void callback(std::int64_t at, CodeId leaf, std::uint32_t same) {
    Sample sample;
    sample.time_ns = at * k_ms;
    sample.tid = 7;
    sample.stack.frames = {
        {run_once, 1, FrameKind::python}, {handle, 1, FrameKind::python}, {leaf, 5, FrameKind::python}};
    sample.calls = {true, 0, 3, same, 0, (at - 10) * k_ms};
    writer().add(sample, "MainThread");
  }

  LoopHolds read(std::int64_t end, const Filter &filter = {}) {
    SamplingTotals totals;
    totals.elapsed_ns = end * k_ms;
    writer().finish(totals);
    RecordingReader reader = std::move(*RecordingReader::open(std::make_unique<MemorySource>(bytes())));
    ProfileOptions options;
    options.filter = filter;
    return *read_loop_holds(reader, {}, options, 50 * k_ms);
  }

  CodeId run_once = codes.add({"BaseEventLoop._run_once", "/usr/lib/python3.13/asyncio/base_events.py", 1970});
  CodeId handle = codes.add({"Handle._run", "/usr/lib/python3.13/asyncio/events.py", 87});
  CodeId serve = codes.add({"serve", "/srv/shop/app.py", 1});
  CodeId load = codes.add({"load", "/srv/shop/app.py", 10});
  CodeId wait = codes.add({"Popen.wait", "/usr/lib/python3.13/subprocess.py", 1264});
};

} // namespace

TEST_CASE("a step of a task that lasts over samples holds the loop, whatever it calls meanwhile") {
  Loop loop;
  loop.step(100, 1, loop.load, 2);
  for (std::int64_t at = 110; at <= 200; at += 10) {
    loop.step(at, 1, at % 20 == 0 ? loop.load : loop.serve, 3);
  }
  loop.step(210, 2, loop.load, 1);
  const LoopHolds found = loop.read(400);
  REQUIRE(found.holds.size() == 1);
  const LoopHold &hold = found.holds.front();
  CHECK(hold.from_ns == 95 * k_ms);
  CHECK(hold.length_ns() == 110 * k_ms);
  CHECK(hold.own == loop.load);
  CHECK(hold.own_line == 5);
  CHECK(hold.state() == ThreadState::running);
  CHECK(hold.begun);
  CHECK(hold.ended);
}

TEST_CASE("tasks that are ready while the loop is held are counted") {
  Loop loop;
  const auto change = [&](Address task, std::int64_t at, TaskState state) {
    TaskChange made;
    made.task = task;
    made.coroutine = loop.serve;
    made.state = state;
    made.at_ns = at * k_ms;
    made.before_ns = (at - 10) * k_ms;
    made.frames = {{loop.serve, 1, FrameKind::python}};
    loop.writer().add(made);
  };
  change(1, 50, TaskState::waiting);
  change(2, 60, TaskState::ready);
  change(2, 80, TaskState::running); // before the hold
  change(3, 90, TaskState::ready);
  for (std::int64_t at = 100; at <= 200; at += 10) {
    loop.step(at, 1, loop.load, at == 100 ? 2 : 4);
  }
  change(4, 150, TaskState::ready);
  change(3, 230, TaskState::running);
  change(5, 300, TaskState::ready);
  const LoopHolds found = loop.read(400);
  REQUIRE(found.holds.size() == 1);
  CHECK(found.knows_tasks);
  CHECK(found.holds.front().ready == 2);
}

TEST_CASE("a call that blocks is named, and the function of the project that calls it") {
  Loop loop;
  for (std::int64_t at = 100; at <= 200; at += 10) {
    loop.step(at, 1, loop.wait, at == 100 ? 2 : 4, ThreadState::blocked);
  }
  const LoopHolds found = loop.read(400);
  REQUIRE(found.holds.size() == 1);
  CHECK(found.holds.front().own == loop.serve);
  CHECK(found.holds.front().leaf == loop.wait);
  CHECK(found.holds.front().state() == ThreadState::blocked);
}

TEST_CASE("short callbacks in succession hold no loop") {
  Loop loop;
  for (std::int64_t at = 100; at < 400; at += 10) {
    loop.step(at, 1, loop.load, 2); // another handle each time
  }
  for (std::int64_t at = 400; at < 700; at += 10) {
    loop.step(at, 1 + static_cast<Address>(at / 10 % 2), loop.load, 4); // another task
  }
  for (std::int64_t at = 700; at < 900; at += 10) {
    loop.callback(at, loop.load, 2);
  }
  const LoopHolds found = loop.read(900);
  CHECK(found.holds.empty());
  CHECK(found.callbacks == 80);
}

TEST_CASE("callbacks of no task hold a loop too, but not through a gap") {
  Loop loop;
  for (std::int64_t at = 100; at <= 160; at += 10) {
    loop.callback(at, loop.load, at == 100 ? 1 : 3);
  }
  loop.callback(360, loop.load, 3); // nobody knows of the time between
  loop.callback(370, loop.load, 3);
  const LoopHolds found = loop.read(380);
  REQUIRE(found.holds.size() == 1);
  CHECK(found.holds.front().task == 0);
  CHECK(found.holds.front().length_ns() == 85 * k_ms);
}

TEST_CASE("a hold that the recording cuts is said to be cut, and a filter goes by its stack") {
  Loop loop;
  for (std::int64_t at = 100; at <= 200; at += 10) {
    loop.step(at, 1, loop.load, at == 100 ? 2 : 4);
  }
  SECTION("cut") {
    const LoopHolds found = loop.read(205);
    REQUIRE(found.holds.size() == 1);
    CHECK_FALSE(found.holds.front().ended);
  }
  SECTION("filtered") {
    Filter filter;
    filter.functions = {"other"};
    CHECK(loop.read(400, filter).holds.empty());
  }
}
