#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "awaitscope/report/hot.hpp"
#include "awaitscope/report/profile.hpp"
#include "awaitscope/report/timeline.hpp"
#include "catch.hpp"
#include "synthetic.hpp"

using namespace awaitscope; // NOLINT: of a test
using awaitscope::testing::invented_info;
using awaitscope::testing::MemoryRecorder;

namespace {

constexpr std::int64_t k_period = 1'000'000; // at 1 kHz

/// A recorder at 1 kHz of one process, in which threads burn the CPU in functions.
struct Burners : MemoryRecorder {
  Burners() : MemoryRecorder(info()) {}

  static RecordingInfo info() {
    RecordingInfo info = invented_info();
    info.start_ns = 0;
    return info;
  }

  CodeId function(const std::string &name) { return codes.add({name, "/srv/app/x.py", 1}); }

  void sample(ThreadId tid, CodeId code, std::uint64_t cpu_ns, ThreadState state = ThreadState::running) {
    Sample sample;
    sample.time_ns = now_ns += k_period;
    sample.process = process;
    sample.tid = tid;
    sample.state = state;
    sample.cpu_ns = cpu_ns;
    sample.stack.frames = {{code, 1, FrameKind::python}};
    writer().add(sample, "thread " + std::to_string(tid));
    ++samples;
  }

  /// The account of a thread at the end.
  void account(ThreadId tid, std::uint64_t cpu_ns) {
    Sample sample;
    sample.time_ns = now_ns;
    sample.process = process;
    sample.tid = tid;
    sample.cpu_ns = cpu_ns;
    sample.weight = 0;
    writer().add(sample, "thread " + std::to_string(tid));
  }

  /// Ends the recording. `cpu`: what the kernel counted of each process.
  void end(std::vector<ProcessCpu> cpu) {
    SamplingTotals totals;
    totals.ticks = samples;
    totals.samples = samples;
    totals.process_cpu = std::move(cpu);
    for (const ProcessCpu &counted : totals.process_cpu) {
      totals.process_cpu_ns = totals.process_cpu_ns.value_or(0) + counted.cpu_ns;
    }
    writer().finish(totals);
  }

  RecordingReader read() const { return *RecordingReader::open(std::make_unique<MemorySource>(bytes())); }

  ThreadId process = 1;
  std::int64_t now_ns = 0;
  std::uint64_t samples = 0;
};

struct Shares {
  HotFunctions hot;
  std::vector<std::string> names; ///< of hot.functions
  [[nodiscard]] std::uint64_t of(const std::string &name) const {
    const auto found = std::find(names.begin(), names.end(), name);
    return found == names.end() ? 0 : hot.functions[static_cast<std::size_t>(found - names.begin())].total.cpu_ns;
  }
};

Shares shares(const Burners &burners, const TimeRange &range = {}) {
  RecordingReader reader = burners.read();
  const StackCosts costs = *read_costs(reader, range);
  Shares made{hot_functions(reader.tables(), costs, {}), {}};
  for (const FunctionCost &function : made.hot.functions) {
    made.names.push_back(reader.tables().codes.at(function.code).function);
  }
  return made;
}

} // namespace

TEST_CASE("a thread's CPU time stands where it was on a CPU, wherever it waited when it was counted") {
  Burners burners;
  const CodeId work = burners.function("work");
  const CodeId query = burners.function("query");
  for (int i = 0; i < 40; ++i) {
    burners.sample(7, work, 0);
    burners.sample(7, query, 1'500'000, ThreadState::blocked); // counted here, and used before
    burners.sample(7, query, 0, ThreadState::runnable);
  }
  for (int i = 0; i < 10; ++i) {
    burners.sample(7, query, 0);
  }
  burners.account(7, 5'000'000);
  burners.end({{1, 65'000'000}});
  const Shares found = shares(burners);
  CHECK(found.of("work") == 52'000'000);  // 40 of 50 samples on a CPU
  CHECK(found.of("query") == 13'000'000); // 10 of them
  CHECK(found.hot.unsampled.cpu_ns == 0);
  CHECK(found.hot.sum.cpu_ns == 65'000'000);
}

TEST_CASE("threads that were born and died between two ticks are counted with those like them that were met") {
  Burners burners;
  const CodeId serve = burners.function("serve");
  const CodeId loop = burners.function("loop");
  for (int i = 0; i < 100; ++i) {
    burners.sample(7, loop, k_period);
    burners.sample(100 + i, serve, 300'000); // until it was met; it lived on for a while
  }
  burners.account(7, 0);
  burners.end({{1, 100 * k_period + 95 * k_period}}); // one of its kind ran in nearly every period
  const Shares found = shares(burners);
  CHECK(found.of("loop") == 100 * k_period);
  CHECK(found.of("serve") == 95 * k_period);
  CHECK(found.hot.unsampled.cpu_ns == 0);
}

TEST_CASE("a thread that ended has the last of its CPU time in no row, and is counted with the rest of its process") {
  Burners burners;
  const CodeId loop = burners.function("loop");
  for (int i = 0; i < 100; ++i) {
    burners.sample(7, loop, k_period);
  }
  burners.end({{1, 101 * k_period}});
  CHECK(shares(burners).of("loop") == 101 * k_period);
}

TEST_CASE("what a process used before it could be read is not what it does later") {
  Burners burners;
  const CodeId loop = burners.function("loop");
  burners.sample(7, loop, 31 * k_period); // it started up for thirty
  for (int i = 1; i < 100; ++i) {
    burners.sample(7, loop, k_period);
  }
  SECTION("while it runs") { burners.account(7, 0); }
  SECTION("also when it has ended") {}
  burners.end({{1, 130 * k_period}});
  const Shares found = shares(burners);
  CHECK(found.of("loop") == 100 * k_period);
  CHECK(found.hot.unsampled.cpu_ns == 30 * k_period);
  CHECK(found.hot.sum.cpu_ns == 130 * k_period);
}

TEST_CASE("what no sample can stand for is reported as not sampled, and is part of every view's sum") {
  Burners burners;
  const CodeId serve = burners.function("serve");
  for (int i = 0; i < 100; ++i) {
    burners.sample(100 + i, serve, 0);
  }
  constexpr std::uint64_t k_native = 1000 * k_period; // a thread that runs no Python
  burners.end({{1, 100 * k_period + k_native}});
  const Shares found = shares(burners);
  CHECK(found.of("serve") == 130 * k_period); // three standard errors more than the samples say, at most
  CHECK(found.hot.unsampled.cpu_ns == k_native - 30 * k_period);
  CHECK(found.hot.sum.cpu_ns == 1100 * k_period);

  ProfileOptions cpu;
  cpu.metric = Metric::cpu;
  RecordingReader reader = burners.read();
  const StackCosts costs = *read_costs(reader, {});
  std::uint64_t sum = 0;
  for (const WeightedStack &stack : stack_profile(reader.tables(), costs, cpu)) {
    sum += stack.weight;
    CHECK((stack.root == k_not_sampled) == stack.frames.empty());
  }
  CHECK(sum == 1100 * k_period);

  RecordingReader again = burners.read();
  const Timeline timeline = *read_timeline(again, {}, cpu);
  sum = timeline.unsampled;
  for (const Track &track : timeline.tracks) {
    sum += track.weight;
  }
  CHECK(sum == 1100 * k_period);
}

TEST_CASE("each process has its own account") {
  Burners burners;
  const CodeId parent = burners.function("parent");
  const CodeId child = burners.function("child");
  burners.writer().name_process(1, "process 1 a");
  burners.writer().name_process(2, "process 2 b");
  for (int i = 0; i < 100; ++i) {
    burners.process = 1;
    burners.sample(7, parent, 0);
    burners.process = 2;
    burners.sample(8, child, 0);
  }
  burners.end({{1, 90 * k_period}, {2, 110 * k_period}});
  const Shares found = shares(burners);
  CHECK(found.of("parent") == 90 * k_period);
  CHECK(found.of("child") == 110 * k_period);
}

TEST_CASE("a part of the recording has the CPU time of its own samples") {
  Burners burners;
  const CodeId first = burners.function("first");
  const CodeId second = burners.function("second");
  for (int i = 0; i < 50; ++i) {
    burners.sample(7, first, k_period / 2);
  }
  for (int i = 0; i < 50; ++i) {
    burners.sample(7, second, k_period / 2);
  }
  burners.account(7, 0);
  burners.end({{1, 50 * k_period}});
  const Shares found = shares(burners, {0, 50 * k_period});
  CHECK(found.of("first") == 25 * k_period);
  CHECK(found.of("second") == 0);
}

TEST_CASE("without the kernel's count of the process, threads have what their rows have") {
  Burners burners;
  const CodeId loop = burners.function("loop");
  for (int i = 0; i < 100; ++i) {
    burners.sample(7, loop, k_period / 4);
  }
  burners.end({});
  CHECK(shares(burners).of("loop") == 25 * k_period);
}
