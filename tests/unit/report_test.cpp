#include <functional>

#include <nlohmann/json.hpp>

#include "awaitscope/export/folded.hpp"
#include "awaitscope/export/hot.hpp"
#include "awaitscope/report/hot.hpp"
#include "awaitscope/report/waits.hpp"
#include "catch.hpp"
#include "common.hpp"
#include "synthetic.hpp"

using namespace awaitscope;
using namespace awaitscope::testing;

namespace {

constexpr std::uint64_t k_cpu = 1'000'000;

/// A recorder whose start is 0, at 1 kHz.
struct Recorder : MemoryRecorder {
  Recorder() : MemoryRecorder(info()) {}

  static RecordingInfo info() {
    RecordingInfo info = invented_info();
    info.start_ns = 0;
    info.import_paths = {"/srv/app", "/srv"};
    return info;
  }

  void sample(std::int64_t time_ns, std::vector<Frame> frames, const std::string &thread = "MainThread",
              const std::function<void(Sample &)> &change = {}) {
    Sample sample;
    sample.time_ns = time_ns;
    sample.tid = 7;
    sample.cpu_ns = k_cpu;
    sample.stack = {std::move(frames), false};
    if (change) {
      change(sample);
    }
    writer().add(sample, thread);
  }
};

std::string folded(const Recorder &recorder, const ProfileOptions &options = {}, Lines lines = Lines::definition,
                   const TimeRange &range = {}) {
  Result<RecordingReader> reader = RecordingReader::open(std::make_unique<MemorySource>(recorder.bytes()));
  REQUIRE(reader);
  const Result<StackCosts> costs = read_costs(*reader, range);
  REQUIRE(costs);
  FrameNames names(reader->tables().codes, reader->info().import_paths, FileNames::importable, lines);
  return folded_text(stack_profile(reader->tables(), *costs, options), names);
}

Frame python(CodeId code, std::int32_t line = 1) { return {code, line, FrameKind::python}; }

} // namespace

TEST_CASE("folded lines: sorted, merged by name, always parseable") {
  Recorder recorder;
  const CodeId odd = recorder.codes.add({"f;g\n", "/srv/app/x.py", 3});
  const CodeId same = recorder.codes.add({"f;g\n", "/srv/app/x.py", 3});
  const CodeId loop = recorder.codes.add({"run_forever", "/usr/lib/python3.11/asyncio/base_events.py", 9});
  const CodeId main = recorder.codes.add({"main", "/srv/app/m.py", 1});
  recorder.sample(0, {python(main), python(odd, 4)}, "worker;1");
  recorder.sample(1 * k_ms, {python(main), python(same, 5)}, "worker;1");
  const auto in_task = [](Sample &sample) {
    sample.stack.in_task = true;
    sample.task_name = "payments";
  };
  const std::vector<Frame> crossing{{loop, 1, FrameKind::loop},
                                    {main, 0, FrameKind::task_border},
                                    python(main),
                                    {odd, 0, FrameKind::task_border},
                                    k_unreadable_frame};
  recorder.sample(2 * k_ms, crossing, "MainThread", in_task);
  recorder.sample(3 * k_ms, crossing, "MainThread", [&](Sample &sample) {
    in_task(sample);
    sample.state = ThreadState::idle;
  });
  recorder.writer().finish({});

  CHECK(folded(recorder) == "task main;main (m.py:1);[unreadable] 1\n"
                            "thread worker:1;main (m.py:1);f:g\\x0a (x.py:3) 2\n");
  ProfileOptions all{true, true, true, true, Metric::wall, {}};
  CHECK(folded(recorder, all, Lines::executing) ==
        "task payments;run_forever (asyncio/base_events.py:1);main (m.py:1);[task f:g\\x0a];[unreadable] 2\n"
        "thread worker:1;main (m.py:1);f:g\\x0a (x.py:4) 1\n"
        "thread worker:1;main (m.py:1);f:g\\x0a (x.py:5) 1\n");
}

TEST_CASE("events sum up to the kernel's, what no sample carries included") {
  Recorder recorder;
  const CodeId f = recorder.codes.add({"f", "/srv/app/x.py", 3});
  recorder.sample(0, {python(f)}, "MainThread", [](Sample &sample) { sample.events = 60; });
  SamplingTotals totals;
  totals.process_cpu_ns = k_cpu;
  totals.process_events = EventCount{50, 2000, 1000}; // a counter for half of the time
  recorder.writer().finish(totals);
  ProfileOptions events;
  events.metric = Metric::events;
  CHECK(folded(recorder, events) == "[not sampled] 40\nthread MainThread;f (x.py:3) 60\n");
  events.filter.functions = {"f"};
  CHECK(folded(recorder, events) == "thread MainThread;f (x.py:3) 60\n");
  const TimeRange part{0, 2 * k_ms};
  CHECK(folded(recorder, events, Lines::definition, part) == "thread MainThread;f (x.py:3) 60\n");
}

TEST_CASE("filters: threads, tasks, functions") {
  Recorder recorder;
  const CodeId main = recorder.codes.add({"Site.main", "/srv/app/m.py", 1});
  const CodeId leaf = recorder.codes.add({"leaf", "/srv/app/m.py", 9});
  recorder.sample(0, {python(main), python(leaf)});
  recorder.sample(1 * k_ms, {python(main)}, "ThreadPoolExecutor-3_0");
  recorder.sample(2 * k_ms,
                  {{main, 0, FrameKind::task_border}, python(main), {leaf, 0, FrameKind::task_border}, python(leaf)},
                  "MainThread", [](Sample &sample) {
                    sample.stack.in_task = true;
                    sample.task_name = "named";
                  });
  recorder.writer().finish({});
  const std::string plain = "thread MainThread;Site.main (m.py:1);leaf (m.py:9) 1\n";
  const std::string pool = "thread ThreadPoolExecutor;Site.main (m.py:1) 1\n";
  const std::string task = "task Site.main;Site.main (m.py:1);leaf (m.py:9) 1\n";
  const auto filtered = [&](const Filter &filter) {
    ProfileOptions options;
    options.filter = filter;
    return folded(recorder, options);
  };
  CHECK(filtered({}) == task + plain + pool);
  CHECK(filtered({{"MainThread"}, {}, {}}) == task + plain);
  CHECK(filtered({{"ThreadPoolExecutor"}, {}, {}}) == pool);
  CHECK(filtered({{"ThreadPoolExecutor-3_*"}, {}, {}}) == pool);
  CHECK(filtered({{"7"}, {}, {}}) == task + plain + pool);
  CHECK(filtered({{"Main"}, {}, {}}).empty());
  CHECK(filtered({{}, {"leaf"}, {}}) == task);
  CHECK(filtered({{}, {"named"}, {}}) == task);
  CHECK(filtered({{}, {}, {"leaf"}}) == task + plain);
  CHECK(filtered({{}, {}, {"main"}}) == task + plain + pool);
  CHECK(filtered({{}, {}, {"nothing", "Site.*"}}) == task + plain + pool);
  CHECK(filtered({{"MainThread"}, {"leaf"}, {"main"}}) == task);
}

TEST_CASE("a range of time takes the samples inside it, also of a run") {
  Recorder recorder;
  const CodeId f = recorder.codes.add({"f", "/srv/app/x.py", 3});
  const CodeId g = recorder.codes.add({"g", "/srv/app/x.py", 5});
  for (int i = 0; i <= 100; ++i) {
    recorder.sample(i * k_ms, {python(f)});
  }
  recorder.sample(101 * k_ms, {python(g)});
  recorder.writer().finish({});
  const auto between = [&](std::int64_t since, std::int64_t until) {
    return folded(recorder, {}, Lines::definition, {since * k_ms, until * k_ms});
  };
  CHECK(between(0, 100) == "thread MainThread;f (x.py:3) 101\n");
  CHECK(between(20, 29) == "thread MainThread;f (x.py:3) 10\n");
  CHECK(between(0, 0) == "thread MainThread;f (x.py:3) 1\n");
  CHECK(between(100, 200) == "thread MainThread;f (x.py:3) 1\nthread MainThread;g (x.py:5) 1\n");
  CHECK(between(101, 300) == "thread MainThread;g (x.py:5) 1\n");
  CHECK(between(200, 300).empty());
  CHECK(cost_within({0, 100 * k_ms, 101, 0, 202, 0, 0, 0, ThreadState::running, {}}, {20 * k_ms, 29 * k_ms}).events ==
        20);
}

TEST_CASE("hot functions: own at the leaf, total once a stack") {
  Recorder recorder;
  const CodeId f = recorder.codes.add({"f", "/srv/app/x.py", 3});
  const CodeId f_again = recorder.codes.add({"f", "/srv/app/x.py", 3});
  const CodeId g = recorder.codes.add({"g", "/srv/app/x.py", 5});
  recorder.sample(0, {python(f), python(f_again), python(g)});
  recorder.sample(1 * k_ms, {python(f), python(f)});
  recorder.sample(2 * k_ms, {python(g), k_unreadable_frame}); // whose own it is, is not known
  recorder.sample(3 * k_ms, {python(g)}, "MainThread", [](Sample &sample) {
    sample.state = ThreadState::idle;
    sample.cpu_ns = 0;
  });
  recorder.writer().finish({});
  Result<RecordingReader> reader = RecordingReader::open(std::make_unique<MemorySource>(recorder.bytes()));
  const Result<StackCosts> costs = read_costs(*reader, {});
  const HotFunctions hot = hot_functions(reader->tables(), *costs, {});
  REQUIRE(hot.functions.size() == 2);
  const auto of = [&](std::size_t i) { return hot.functions[i]; };
  const std::size_t first = reader->tables().codes.at(of(0).code).function == "f" ? 0 : 1;
  CHECK(of(first).own.samples == 1);
  CHECK(of(first).total.samples == 2);
  CHECK(of(1 - first).own.samples == 1);
  CHECK(of(1 - first).total.samples == 2);
  CHECK(hot.sum.samples == 3);
  const auto json = nlohmann::json::parse(hot_json(hot, Metric::wall, reader->info(), reader->tables().codes));
  CHECK(json["schema"] == 1);
  CHECK(json["functions"].size() == 2);
  CHECK(json["sum"]["cpu_ns"] == 3 * k_cpu);
}

TEST_CASE("a task's state lasts from the middle between two looks to the next, and is cut at the recording's ends") {
  std::vector<TaskSpan> spans;
  TaskSpans builder([&](const TaskSpan &span) { spans.push_back(span); });
  const auto change = [](std::int64_t at, std::int64_t before, std::uint32_t task, TaskState state) {
    return RecordedTaskChange{at, before, 0, task, 0, 0, state};
  };
  builder.add(change(100, -1, 1, TaskState::waiting)); // was there at the first look
  builder.add(change(200, 180, 1, TaskState::running));
  builder.add(change(300, 280, 2, TaskState::waiting)); // born
  builder.add(change(400, 380, 1, TaskState::done));
  builder.add(change(500, 480, 1, TaskState::running)); // its memory is another task's
  builder.finish(1000);
  REQUIRE(spans.size() == 4);
  CHECK(spans[0].from_ns == 100);
  CHECK(spans[0].to_ns == 190);
  CHECK_FALSE(spans[0].begun);
  CHECK(spans[0].ended);
  CHECK(spans[1].from_ns == 190);
  CHECK(spans[1].to_ns == 390);
  CHECK(spans[1].begun);
  CHECK(spans[2].from_ns == 490);
  CHECK(spans[2].to_ns == 1000);
  CHECK_FALSE(spans[2].ended);
  CHECK(spans[3].task == 2);
  CHECK(spans[3].from_ns == 290);
  CHECK_FALSE(spans[3].ended);
}

TEST_CASE("a sample at a lowered rate counts for the ticks that were left out, whenever it is looked at") {
  Recorder recorder;
  const CodeId before = recorder.codes.add({"before", "/srv/app/main.py", 1});
  const CodeId behind = recorder.codes.add({"behind", "/srv/app/main.py", 9});
  for (std::int64_t i = 0; i < 100; ++i) { // a tenth of a second at 1 kHz, then as long at 100 Hz
    recorder.sample(i * k_ms, {python(before)});
  }
  for (std::int64_t i = 0; i < 10; ++i) {
    recorder.sample((100 + i * 10) * k_ms, {python(behind)}, "MainThread", [](Sample &sample) { sample.weight = 10; });
  }
  recorder.writer().finish({});
  CHECK(folded(recorder) == "thread MainThread;before (main.py:1) 100\nthread MainThread;behind (main.py:9) 100\n");
  // What a run counts is spread evenly from its first to its last sample, 90 ms later.
  CHECK(folded(recorder, {}, Lines::definition, {150 * k_ms, 200 * k_ms}) ==
        "thread MainThread;behind (main.py:9) 45\n");
  Result<RecordingReader> reader = RecordingReader::open(std::make_unique<MemorySource>(recorder.bytes()));
  REQUIRE(reader);
  REQUIRE(*reader->next());
  while (*reader->next()) {
    CHECK(reader->samples().size() == 2); // that go on are one row, at any rate
  }
}

TEST_CASE("the account of a thread at the end has CPU time, and is no sample") {
  Recorder recorder;
  const CodeId code = recorder.codes.add({"serve", "/srv/app/main.py", 1});
  recorder.sample(k_ms, {python(code)});
  recorder.sample(2 * k_ms, {python(code)}, "MainThread", [](Sample &sample) {
    sample.weight = 0;
    sample.cpu_ns = 400'000;
  });
  recorder.writer().finish({});
  CHECK(folded(recorder) == "thread MainThread;serve (main.py:1) 1\n");
  ProfileOptions cpu;
  cpu.metric = Metric::cpu;
  CHECK(folded(recorder, cpu) == "thread MainThread;serve (main.py:1) 1400000\n");
  CHECK(folded(recorder, cpu, Lines::definition, {0, k_ms + 1}) == "thread MainThread;serve (main.py:1) 1400000\n");
  CHECK(folded(recorder, {}, Lines::definition, {2 * k_ms, 3 * k_ms}).empty());
}
