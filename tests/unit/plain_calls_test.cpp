#include "awaitscope/report/plain_calls.hpp"

#include <vector>

#include "awaitscope/sampler/call_trail.hpp"
#include "catch.hpp"
#include "common.hpp"
#include "synthetic.hpp"

using namespace awaitscope;
using namespace awaitscope::testing;

namespace {

CallMark mark(std::uint64_t place, std::uint64_t call, std::uint32_t stretch = 0, std::uint64_t kept = 0,
              bool once = false) {
  return {place, call, kept, stretch, once, false};
}

/// A recorder whose start is 0, of one thread at 100 Hz.
struct Threads : MemoryRecorder {
  Threads() : MemoryRecorder(info_at_100_hz()) {}

  /// `before`: when the thread was read last before, in milliseconds; 0: never.
  void sample(std::int64_t at, const std::vector<CodeId> &stack, std::uint32_t same, std::int64_t before,
              std::uint32_t alike = 0) {
    Sample sample;
    sample.time_ns = at * k_ms;
    sample.tid = 7;
    sample.stack.frames.push_back({run, 1, FrameKind::loop});
    for (const CodeId code : stack) {
      sample.stack.frames.push_back({code, 1, FrameKind::python});
    }
    const auto count = static_cast<std::uint32_t>(stack.size());
    sample.calls = {true, 1, count, same, alike, before * k_ms};
    writer().add(sample, "worker");
  }

  Latencies read(std::int64_t end) {
    SamplingTotals totals;
    totals.elapsed_ns = end * k_ms;
    writer().finish(totals);
    RecordingReader reader = std::move(*RecordingReader::open(std::make_unique<MemorySource>(bytes())));
    return *read_latencies(reader, {}, {});
  }

  static const FunctionLatency &of(const Latencies &latencies, CodeId code) {
    const auto found = std::find_if(latencies.functions.begin(), latencies.functions.end(),
                                    [&](const FunctionLatency &function) { return function.code == code; });
    REQUIRE(found != latencies.functions.end());
    return *found;
  }

  CodeId run = codes.add({"run", "/usr/lib/python3.13/threading.py", 1});
  CodeId work = codes.add({"work", "/srv/shop/app.py", 1});
  CodeId parse = codes.add({"parse", "/srv/shop/app.py", 10});
};

} // namespace

TEST_CASE("calls go on as far as their marks are the same") {
  CallTrail trail;
  CHECK(trail.follow({mark(1, 10), mark(2, 20), mark(3, 30)}, 100).same == 0);
  SampledCalls calls = trail.follow({mark(1, 10), mark(2, 20), mark(3, 31), mark(4, 40)}, 200);
  CHECK(calls.same == 2);
  CHECK(calls.before_ns == 100);
  CHECK(calls.alike == 0);
  CHECK(trail.follow({mark(1, 10)}, 300).same == 1);
  CHECK(trail.any());
  CHECK_FALSE(trail.follow({}, 350).known);
  CHECK(trail.follow({mark(1, 10)}, 400).same == 1);
}

TEST_CASE("where a thread has waited for work its other calls have ended, and one that is alike is said to be") {
  CallTrail trail;
  trail.follow({mark(1, 10), mark(2, 20), mark(3, 30)}, 100);
  const std::vector<std::uint64_t> places{9, 1}; // innermost frames
  trail.leave(places, 200);
  const SampledCalls calls = trail.follow({mark(1, 10), mark(2, 20), mark(3, 31)}, 300);
  CHECK(calls.same == 1);
  CHECK(calls.alike == 1);
  CHECK(calls.before_ns == 200);
  trail.leave({}, 400);
  CHECK_FALSE(trail.any());
}

TEST_CASE("a function that is back where it cannot get is another call, and so is its caller") {
  CallTrail trail;
  const CallMark loop = mark(1, 10, 0);
  trail.follow({loop, mark(2, 20, 8, 0, true), mark(3, 30, 40, 0, true)}, 100);
  CHECK(trail.follow({loop, mark(2, 20, 8, 0, true), mark(3, 30, 60, 0, true)}, 200).same == 3);
  CHECK(trail.follow({loop, mark(2, 20, 8, 0, true), mark(3, 30, 10, 0, true)}, 300).same == 1);
  CallMark from_c = mark(3, 30, 4, 0, true);
  from_c.from_c = true; // `map` may have called it twice
  CHECK(trail.follow({loop, mark(2, 20, 8, 0, true), from_c}, 400).same == 2);
}

TEST_CASE("what a stretch keeps tells its calls apart") {
  CallTrail trail;
  trail.follow({mark(1, 10), mark(2, 20, 8, 5)}, 100);
  CHECK(trail.follow({mark(1, 10), mark(2, 20, 8, 5)}, 200).same == 2);
  CHECK(trail.follow({mark(1, 10), mark(2, 20, 16, 6)}, 300).same == 2);
  const SampledCalls calls = trail.follow({mark(1, 10), mark(2, 20, 16, 7)}, 400);
  CHECK(calls.same == 1);
  CHECK(calls.alike == 0);
}

TEST_CASE("a call is from half-way before the samples that saw it to half-way behind") {
  Threads threads;
  threads.sample(100, {threads.work}, 0, 90);
  threads.sample(110, {threads.work, threads.parse}, 2, 100);
  threads.sample(120, {threads.work, threads.parse}, 3, 110);
  threads.sample(130, {threads.work}, 2, 120);
  threads.sample(140, {threads.work}, 1, 130);
  threads.sample(500, {threads.work}, 0, 490); // idle meanwhile
  threads.sample(510, {threads.work}, 2, 500);
  const Latencies latencies = threads.read(800);
  const FunctionLatency &work = Threads::of(latencies, threads.work);
  CHECK(latencies.plain_calls);
  CHECK(work.calls == 3);
  CHECK(work.cut == 0);
  CHECK(work.max_ns == 40 * k_ms);
  CHECK_FALSE(work.merged);
  CHECK(Threads::of(latencies, threads.parse).p50->ns == 20 * k_ms);
  CHECK(latencies.functions.size() == 2); // what runs a pool's work is no call
}

TEST_CASE("calls that nothing tells apart are upper bounds") {
  Threads threads;
  for (std::int64_t at = 100; at < 1100; at += 100) {
    threads.sample(at, {threads.work}, 0, at - 10, at == 100 ? 0 : 2);
    threads.sample(at + 10, {threads.work}, 2, at);
    threads.sample(at + 20, {threads.work}, 2, at + 10);
  }
  const Latencies latencies = threads.read(2000);
  const FunctionLatency &work = Threads::of(latencies, threads.work);
  CHECK(work.merged);
  CHECK(work.p50->ns == 30 * k_ms);
  CHECK(work.p50->is == Length::Is::shorter);
}

TEST_CASE("a call that was there before the first sample, or still is at the end, is cut") {
  Threads threads;
  threads.sample(10, {threads.work}, 0, 0);
  threads.sample(20, {threads.parse}, 1, 10);
  threads.sample(30, {threads.parse}, 2, 20);
  const Latencies latencies = threads.read(35);
  CHECK(Threads::of(latencies, threads.work).cut == 1);
  CHECK_FALSE(Threads::of(latencies, threads.work).p50);
  CHECK(Threads::of(latencies, threads.parse).cut == 1);
  CHECK(Threads::of(latencies, threads.parse).p50->is == Length::Is::longer);
}
