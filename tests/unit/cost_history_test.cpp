#include "awaitscope/report/cost_history.hpp"

#include "catch.hpp"
#include "common.hpp"
#include "synthetic.hpp"

using namespace awaitscope;
using namespace awaitscope::testing;

TEST_CASE("tasks that wait have a history in a recording without samples") {
  RecordingInfo info = invented_info();
  info.start_ns = 0;
  MemoryRecorder recorder(info);
  const CodeId code = recorder.codes.add({"fetch", "/srv/shop/app.py", 10});
  TaskChange change;
  change.task = 1;
  change.coroutine = code;
  change.frames.push_back({code, 12, FrameKind::python});
  change.state = TaskState::waiting;
  change.before_ns = change.at_ns = 10 * k_ms;
  recorder.writer().add(change);
  SamplingTotals totals;
  totals.elapsed_ns = 100 * k_ms;
  recorder.writer().finish(totals);

  Result<RecordingReader> reader = RecordingReader::open(std::make_unique<MemorySource>(recorder.bytes()));
  REQUIRE(reader);
  const Result<CostHistory> history = read_cost_history(*reader, {}, {});
  REQUIRE(history);
  CHECK_FALSE(history->empty);
  const auto sum_of = [&](Metric metric) {
    std::uint64_t all = 0;
    for (const CostHistory::Bin &bin : history->bins[static_cast<std::size_t>(metric)]) {
      for (const CostHistory::Entry &entry : bin) {
        all += entry.value;
      }
    }
    return all;
  };
  CHECK(sum_of(Metric::await) == 90 * k_ms);
  CHECK(sum_of(Metric::cpu) == 0);
  CHECK(sum_of(Metric::wall) == 0);
}

TEST_CASE("more different stacks than a history has cells for") {
  constexpr std::uint64_t k_stacks = CostHistory::k_most_cells + 10'000;
  RecordingInfo info = invented_info();
  info.start_ns = 0;
  MemoryRecorder recorder(info);
  const CodeId code = recorder.codes.add({"fetch", "/srv/shop/app.py", 10});
  for (std::uint64_t i = 0; i < k_stacks; ++i) {
    Sample sample;
    sample.time_ns = static_cast<std::int64_t>(i) * k_ms;
    sample.tid = 41;
    sample.stack.frames = {{code, static_cast<std::int32_t>(i + 1), FrameKind::python}};
    recorder.writer().add(sample, "MainThread");
  }
  SamplingTotals totals;
  totals.elapsed_ns = static_cast<std::int64_t>(k_stacks) * k_ms;
  recorder.writer().finish(totals);

  Result<RecordingReader> reader = RecordingReader::open(std::make_unique<MemorySource>(recorder.bytes()));
  REQUIRE(reader);
  const Result<CostHistory> history = read_cost_history(*reader, {}, {});
  REQUIRE(history);
  std::uint64_t samples = 0;
  for (const CostHistory::Bin &bin : history->bins[static_cast<std::size_t>(Metric::wall)]) {
    for (const CostHistory::Entry &entry : bin) {
      samples += entry.value;
    }
  }
  CHECK(samples == k_stacks);
}
