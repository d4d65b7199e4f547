#include "awaitscope/model/limits.hpp"

#include "awaitscope/export/speedscope.hpp"
#include "awaitscope/recording/reader.hpp"
#include "awaitscope/report/latency.hpp"
#include "catch.hpp"
#include "corrupt.hpp"
#include "crafted.hpp"
#include "synthetic.hpp"

using namespace awaitscope;
using namespace awaitscope::testing;

namespace {

struct ReadWhole {
  std::unique_ptr<RecordingReader> reader;
  std::vector<SampleRun> samples;
  std::vector<RecordedTaskChange> changes;
};

/// What was recorded must be read to its end.
ReadWhole read_whole(const MemoryRecorder &recorder) {
  Result<RecordingReader> opened = RecordingReader::open(std::make_unique<MemorySource>(recorder.bytes()));
  REQUIRE(opened);
  ReadWhole back{std::make_unique<RecordingReader>(std::move(*opened)), {}, {}};
  while (*back.reader->next()) {
    back.samples.insert(back.samples.end(), back.reader->samples().begin(), back.reader->samples().end());
    back.changes.insert(back.changes.end(), back.reader->task_changes().begin(), back.reader->task_changes().end());
  }
  CHECK(back.reader->ending() == Ending::whole);
  return back;
}

Sample sample_at(CodeId code, std::int64_t time_ns) {
  Sample sample;
  sample.time_ns = time_ns;
  sample.tid = 7;
  sample.stack = {{{code, 5, FrameKind::python}}, false};
  return sample;
}

/// Reads those that are chosen, through every view.
void check_crafted(bool (*is_chosen)(const std::string &name)) {
  for (const auto &[name, make] : crafted_recordings()) {
    if (!is_chosen(name)) {
      continue;
    }
    INFO(name);
    const std::string bytes = make();
    CHECK(bytes.size() < 600'000);
    const bool is_plausible = name == "alternating_stacks" || name == "alternating_task";
    CHECK(read_through(bytes).text == (is_plausible ? "open" : "damaged"));
  }
}

} // namespace

TEST_CASE("names beyond what a recording may hold are left out, and the recording can be read", "[limits]") {
  constexpr std::size_t k_length = 60'000;
  constexpr std::size_t k_functions = limits::k_max_text_bytes / k_length * 5 / 4;
  MemoryRecorder recorder(invented_info());
  std::vector<CodeId> codes;
  for (std::size_t i = 0; i < k_functions; ++i) {
    codes.push_back(recorder.codes.intern({std::to_string(i) + std::string(k_length, 'n'), "/srv/m.py", 1}));
    recorder.writer().add(sample_at(codes.back(), static_cast<std::int64_t>(i) * 1'000'000), "thread");
  }
  recorder.writer().finish({});
  CHECK(recorder.codes.name_bytes() <= limits::k_max_code_bytes);
  CHECK(recorder.codes.at(codes.front()).function.substr(0, 3) == "0nn");
  CHECK(recorder.codes.at(codes.back()).function == limits::k_left_out);
  const ReadWhole back = read_whole(recorder);
  std::uint64_t samples = 0; // those of names that are left out are alike
  for (const SampleRun &run : back.samples) {
    samples += run.count;
  }
  REQUIRE(samples == k_functions);
  const RecordingTables &tables = back.reader->tables();
  const std::string &first = tables.codes.at(tables.stacks.leaf(back.samples.front().stack).code).function;
  CHECK(first == recorder.codes.at(codes.front()).function);
  CHECK(tables.codes.at(tables.stacks.leaf(back.samples.back().stack).code).function == limits::k_left_out);
}

TEST_CASE("of a stack that is too deep the middle is an unreadable frame", "[limits]") {
  constexpr std::uint32_t k_depth = 5000;
  MemoryRecorder recorder(invented_info());
  const CodeId code = recorder.codes.add({"f", "/srv/m.py", 1});
  TaskChange change;
  change.task = 0x1000;
  change.coroutine = code;
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(k_depth); ++i) {
    change.frames.push_back({code, i, FrameKind::python});
  }
  const std::vector<std::pair<std::uint32_t, std::uint32_t>> k_new_from{
      {3, 3}, {600, limits::k_max_depth / 2}, {k_depth - 2, limits::k_max_depth - 2}, {k_depth, limits::k_max_depth}};
  for (const auto &[written, read] : k_new_from) {
    change.new_from = written;
    recorder.writer().add(change);
  }
  recorder.writer().finish({});
  const ReadWhole back = read_whole(recorder);
  REQUIRE(back.changes.size() == k_new_from.size());
  const std::vector<Frame> frames = back.reader->tables().stacks.frames(back.changes[0].stack);
  REQUIRE(frames.size() == limits::k_max_depth);
  CHECK(frames.front().line == 0);
  CHECK(frames[limits::k_max_depth / 2 - 1].line == static_cast<std::int32_t>(limits::k_max_depth / 2 - 1));
  CHECK(frames[limits::k_max_depth / 2] == k_unreadable_frame);
  CHECK(frames.back().line == k_depth - 1);
  for (std::size_t i = 0; i < k_new_from.size(); ++i) {
    CHECK(back.changes[i].new_from == k_new_from[i].second);
  }
}

TEST_CASE("threads and tasks beyond what a recording may hold are one", "[limits]") {
  MemoryRecorder recorder(invented_info());
  const CodeId code = recorder.codes.add({"f", "/srv/m.py", 1});
  Sample sample = sample_at(code, 0);
  constexpr std::size_t k_samples = limits::k_max_tasks + 1000;
  static_assert(k_samples > limits::k_max_threads);
  sample.stack.in_task = true;
  for (std::size_t i = 0; i < k_samples; ++i) {
    sample.time_ns += 1'000'000;
    sample.tid = static_cast<ThreadId>(1 + i % (limits::k_max_threads + 1000));
    sample.task = 1 + i;
    recorder.writer().add(sample, "thread");
  }
  recorder.writer().finish({});
  const ReadWhole back = read_whole(recorder);
  CHECK(back.samples.size() == k_samples);
  const RecordingTables &tables = back.reader->tables();
  CHECK(tables.threads.size() == limits::k_max_threads);
  CHECK(tables.texts[tables.threads.back().name] == limits::k_left_out);
  CHECK(tables.tasks.size() == limits::k_max_tasks);
  CHECK(tables.texts[tables.tasks.back().name] == limits::k_left_out);
}

TEST_CASE("a stack for which there is no room is unreadable, and those that are known stay", "[limits]") {
  constexpr auto k_full = static_cast<StackId>(limits::k_max_stack_nodes);
  StackTree tree;
  const auto stack_at = [](StackId line) {
    return std::vector<Frame>{{0, static_cast<std::int32_t>(line), FrameKind::python}};
  };
  std::size_t wrong = 0;
  for (StackId i = 1; i < k_full - 1; ++i) {
    wrong += static_cast<std::size_t>(tree.intern(stack_at(i)) != i);
  }
  CHECK(wrong == 0);
  for (StackId i = 0; i < 3; ++i) {
    const StackId beyond = tree.intern(stack_at(k_full + i));
    CHECK(tree.frames(beyond) == std::vector<Frame>{k_unreadable_frame});
    CHECK(tree.intern(stack_at(5)) == 5);
  }
  CHECK(tree.size() == k_full);
}

// Two tests, so that two CPUs share them.
TEST_CASE("deep stacks that were made to take memory are refused, or by the views that they would fill", "[limits]") {
  check_crafted([](const std::string &name) { return name.find("deep_stack") != std::string::npos; });
}

TEST_CASE("a recording that was made to take memory is refused from there on, or by the views that it would fill",
          "[limits]") {
  check_crafted([](const std::string &name) { return name.find("deep_stack") == std::string::npos; });
}

TEST_CASE("what is shown row by row is bounded by the bytes of the file", "[limits]") {
  const auto open = [](const std::string &name) {
    return *RecordingReader::open(std::make_unique<MemorySource>(crafted_recordings().at(name)()));
  };
  RecordingReader stacks = open("alternating_stacks");
  const Timeline timeline = *read_timeline(stacks, {}, {});
  CHECK_FALSE(speedscope_json(stacks, timeline, {}, {}, "crafted"));
  RecordingReader task = open("alternating_task");
  CHECK_FALSE(read_latencies(task, {}, {}));
}
