#include <string>
#include <vector>

#include "awaitscope/export/traced.hpp"
#include "awaitscope/report/cache_opportunities.hpp"
#include "awaitscope/report/traced.hpp"
#include "catch.hpp"
#include "common.hpp"
#include "synthetic.hpp"

using namespace awaitscope;
using namespace awaitscope::testing;

namespace {

RecordingReader reader_of(const MemoryRecorder &recorder) {
  return std::move(*RecordingReader::open(std::make_unique<MemorySource>(recorder.bytes())));
}

/// main calls fib(2), which calls fib(1) and fib(0); then parse raises, and wait does not end.
void record_calls(MemoryRecorder &recorder) {
  const CodeId main = recorder.codes.add({"main", "/srv/app.py", 1});
  const CodeId fib = recorder.codes.add({"fib", "/srv/app.py", 5});
  const CodeId wait = recorder.codes.add({"wait", "/srv/app.py", 9});
  const auto add = [&](CodeId code, std::int64_t begin_ms, std::int64_t end_ms, std::int64_t inner_ms) {
    TracedCall call;
    call.tid = 7;
    call.begin_ns = begin_ms * k_ms;
    call.duration_ns = static_cast<std::uint64_t>((end_ms - begin_ms) * k_ms);
    call.inner_ns = static_cast<std::uint64_t>(inner_ms * k_ms);
    call.cpu_ns = call.duration_ns / 2;
    call.key.code = code;
    call.raised = code == fib && inner_ms == 0 && begin_ms == 30;
    call.unfinished = code == wait;
    recorder.writer().add(call, "MainThread");
  };
  add(fib, 20, 30, 0);
  add(fib, 30, 45, 0);
  add(fib, 10, 60, 25);
  add(main, 0, 100, 50);
  add(wait, 100, 400, 0);
  recorder.writer().add_lost_calls(fib, 3);
  recorder.writer().finish({});
}

RecordingInfo traced_info() {
  RecordingInfo info = invented_info();
  info.start_ns = 0;
  info.arguments = Arguments::traced;
  return info;
}

} // namespace

TEST_CASE("a call inside of a call of the same function counts once in what both took") {
  OuterCalls calls;
  calls.add({20, 10, 1});
  calls.add({30, 15, 2});
  CHECK(calls.duration_ns() == 25);
  calls.add({10, 50, 7});
  CHECK(calls.duration_ns() == 50);
  CHECK(calls.cpu_ns() == 7);
  calls.add({60, 5, 1});
  CHECK(calls.duration_ns() == 55);
}

TEST_CASE("many calls in a row stay counted") {
  OuterCalls calls;
  for (std::int64_t i = 0; i < 100'000; ++i) {
    calls.add({i * 10, 3, 1});
  }
  CHECK(calls.duration_ns() == 300'000);
}

TEST_CASE("traced functions have their calls, own and total time") {
  MemoryRecorder recorder(traced_info());
  record_calls(recorder);
  RecordingReader reader = reader_of(recorder);
  const auto found = read_traced(reader, {}, {});
  REQUIRE(found);
  REQUIRE(found->size() == 3);
  const TracedFunction &wait = found->at(0);
  const TracedFunction &main = found->at(1);
  const TracedFunction &fib = found->at(2);
  CHECK(wait.unfinished == 1);
  CHECK(wait.p50->is == Length::Is::longer);
  CHECK(main.self_ns == 50 * k_ms);
  CHECK(main.total_ns == 100 * k_ms);
  CHECK(fib.calls == 3);
  CHECK(fib.raised == 1);
  CHECK(fib.lost == 3);
  CHECK(fib.total_ns == 50 * k_ms);
  CHECK(fib.self_ns == 50 * k_ms);
  CHECK(fib.cpu_ns == 25 * k_ms);
  CHECK(fib.p50->ns == 15 * k_ms);
}

TEST_CASE("the latency of traced calls is exact") {
  MemoryRecorder recorder(traced_info());
  record_calls(recorder);
  RecordingReader reader = reader_of(recorder);
  const auto latencies = read_latencies(reader, {}, {});
  REQUIRE(latencies);
  CHECK(latencies->traced);
  for (const FunctionLatency &function : latencies->functions) {
    const std::string &name = reader.tables().codes.at(function.code).function;
    CHECK(function.calls == (name == "fib" ? 3 : 1));
    CHECK(function.cut == (name == "wait" ? 1 : 0));
    CHECK(function.brief == 0);
    if (name == "fib") {
      CHECK(function.p50->ns == 15 * k_ms);
      CHECK(function.p50->is == Length::Is::measured);
      CHECK(function.max_ns == 50 * k_ms);
    }
  }
}

TEST_CASE("a filter picks traced functions") {
  MemoryRecorder recorder(traced_info());
  record_calls(recorder);
  RecordingReader reader = reader_of(recorder);
  Filter filter;
  filter.functions = {"main"};
  const auto found = read_traced(reader, {}, filter);
  REQUIRE(found);
  CHECK(found->size() == 1);
}

TEST_CASE("a call that did not end says nothing of what its function returns") {
  MemoryRecorder recorder(traced_info());
  TracedCall call;
  call.tid = 7;
  call.duration_ns = 10 * k_ms;
  call.key.code = recorder.codes.add({"same", "/srv/app.py", 1});
  call.key.others = 5;
  call.returned = 1;
  for (int i = 0; i < 3; ++i) {
    call.begin_ns = i * 20 * k_ms;
    recorder.writer().add(call, "MainThread");
  }
  call.begin_ns = 60 * k_ms;
  call.unfinished = true;
  call.returned = 0;
  call.return_traits = static_cast<std::uint8_t>(ValueTrait::unread);
  recorder.writer().add(call, "MainThread");
  recorder.writer().finish({});
  RecordingReader reader = reader_of(recorder);
  const auto found = read_cache_opportunities(reader, {}, {});
  REQUIRE(found);
  REQUIRE(found->functions.size() == 1);
  CHECK(found->functions.front().confirmed == true);
}

TEST_CASE("a function whose calls are as short as a lookup in a cache is not recommended") {
  for (const std::uint64_t cost_ns : {std::uint64_t{600}, std::uint64_t{60'000}}) {
    MemoryRecorder recorder(traced_info());
    TracedCall call;
    call.tid = 7;
    call.duration_ns = call.cpu_ns = cost_ns;
    call.key.code = recorder.codes.add({"add", "/srv/app.py", 1});
    call.key.others = 5;
    call.returned = 1;
    for (int i = 0; i < 100; ++i) {
      call.begin_ns = i * k_ms;
      recorder.writer().add(call, "MainThread");
    }
    recorder.writer().finish({});
    RecordingReader reader = reader_of(recorder);
    const auto found = read_cache_opportunities(reader, {}, {});
    REQUIRE(found);
    CHECK(found->functions.front().recommended == (cost_ns > 1000));
    CHECK(found->functions.front().reasons.empty() == (cost_ns > 1000));
  }
}

TEST_CASE("of arguments that may equal others the hit rate is a lower bound") {
  MemoryRecorder recorder(traced_info());
  TracedCall call;
  call.tid = 7;
  call.duration_ns = call.cpu_ns = k_ms;
  call.key.code = recorder.codes.add({"area", "/srv/app.py", 1});
  call.key.traits = ValueTrait::identity | ValueTrait::may_equal;
  for (int i = 0; i < 30; ++i) {
    call.begin_ns = i * 2 * k_ms;
    call.key.others = static_cast<std::uint64_t>(i) + 1;
    recorder.writer().add(call, "MainThread");
  }
  recorder.writer().finish({});
  RecordingReader reader = reader_of(recorder);
  const auto found = read_cache_opportunities(reader, {}, {});
  REQUIRE(found);
  CHECK(found->functions.front().measured);
  CHECK_FALSE(found->functions.front().is_exact());
}
