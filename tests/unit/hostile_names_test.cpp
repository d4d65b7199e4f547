// What a program names may hold anything. No view lets characters through that a terminal obeys, or that nobody sees.
#include <array>
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/export/dump.hpp"
#include "awaitscope/export/folded.hpp"
#include "awaitscope/export/hot.hpp"
#include "awaitscope/export/info.hpp"
#include "awaitscope/export/latency.hpp"
#include "awaitscope/export/speedscope.hpp"
#include "awaitscope/export/tasks.hpp"
#include "catch.hpp"
#include "cpython/unicode.hpp"
#include "synthetic.hpp"

using namespace awaitscope;
using namespace awaitscope::testing;

namespace {

/// One of each kind, and the ends of their ranges. As numbers: in a literal they would mislead whoever reads this.
constexpr std::array<char32_t, 32> k_hostile{
    0x01,    0x1B,    0x7F,    0x80,    0x85,    0x9B,    0x9F,     // controls
    0x61C,   0x200E,  0x200F,  0x202A,  0x202E,  0x2066,  0x2069,   // bidirectional
    0xAD,    0x200B,  0x200D,  0x2060,  0x2064,  0x3164,  0xFEFF,   // drawn as nothing
    0xFE0F,  0xFFF9,  0x2028,  0x2029,                              // selectors, marks, separators
    0xE0001, 0xE0020, 0xE0041, 0xE007F, 0xE0100, 0xE01EF, 0xE0FFF}; // tags, and more selectors

std::string utf8(char32_t point) {
  std::string unit(sizeof point, '\0');
  std::memcpy(unit.data(), &point, sizeof point);
  return utf8_from_units(unit, sizeof point);
}

/// A name that has them all.
std::string hostile(const std::string &name) {
  std::string text = name;
  for (const char32_t point : k_hostile) {
    text += utf8(point);
  }
  return text;
}

/// Those that are in the text as they are.
std::string let_through(const std::string &text) {
  std::string found;
  for (const char32_t point : k_hostile) {
    if (text.find(utf8(point)) != std::string::npos) {
      found += fmt::format(" {:x}", static_cast<std::uint32_t>(point));
    }
  }
  return found;
}

void check_printed(const std::string &what, const std::string &text) {
  const std::string found = let_through(text);
  INFO(what << found);
  CHECK(text.find("function") != std::string::npos); // it was printed at all
  CHECK(found.empty());
}

RecordingInfo hostile_info() {
  RecordingInfo info = invented_info();
  info.start_ns = 0;
  for (std::string *text :
       {&info.tool_version, &info.host, &info.executable, &info.python, &info.engine, &info.event}) {
    *text = hostile(*text);
  }
  info.tool_command = info.command = {hostile("function.py"), hostile("--name")};
  return info;
}

/// Samples of one stack in a thread and in a task, and a task that waits.
void record_hostile(MemoryRecorder &recorder) {
  const CodeId code = recorder.codes.add({hostile("function"), hostile("/srv/file.py"), 3});
  RecordingWriter &writer = recorder.writer();
  writer.name_process(41, hostile("process 41 function.py"));
  for (int tick = 0; tick < 4; ++tick) {
    Sample sample;
    sample.time_ns = tick * 1'000'000;
    sample.process = 41;
    sample.tid = 41;
    sample.cpu_ns = 1'000'000;
    sample.events = 1;
    sample.stack = {{{code, 0, FrameKind::task_border}, {code, 4, FrameKind::python}}, tick % 2 == 0};
    sample.task_name = hostile("task");
    writer.add(sample, hostile("thread"));
  }
  TaskChange change;
  change.task = 1;
  change.coroutine = code;
  change.state = TaskState::waiting;
  change.at_ns = 1'000'000;
  change.before_ns = 0;
  change.frames = {{code, 5, FrameKind::python}, {code, 6, FrameKind::python}};
  writer.add(change);
  SamplingTotals totals;
  totals.ticks = totals.samples = 4;
  totals.processes = 1;
  totals.elapsed_ns = 4'000'000;
  writer.finish(totals);
}

RecordingReader read(const MemoryRecorder &recorder) {
  return *RecordingReader::open(std::make_unique<MemorySource>(recorder.bytes()));
}

} // namespace

TEST_CASE("views of a recording let no hostile character of a name through") {
  MemoryRecorder recorder(hostile_info());
  record_hostile(recorder);
  RecordingReader reader = read(recorder);
  const StackCosts costs = *read_costs(reader, {});
  const CodeTable &codes = reader.tables().codes;
  const RecordingInfo &info = reader.info();
  FrameNames names(codes, info.import_paths, FileNames::full, Lines::definition);
  ProfileOptions options;
  options.task_frames = options.task_names = true;
  const HotFunctions hot = hot_functions(reader.tables(), costs, options);
  check_printed("folded", folded_text(stack_profile(reader.tables(), costs, options), names));
  HotTable table;
  table.metric = Metric::events;
  table.layout.width = 10'000; // all of each name
  table.subject = hostile("app.py");
  check_printed("hot", hot_text(hot, table, reader, names));
  check_printed("hot --json", hot_json(hot, Metric::events, info, codes));
  check_printed("info", info_text(reader, costs, table.layout.width));
  check_printed("info --json", info_json(reader, costs));
  RecordingReader again = read(recorder);
  const Latencies latencies = *read_latencies(again, {}, {});
  check_printed("latency", latency_text(latencies, LatencyRows::all, table.layout, names));
  check_printed("latency --json", latency_json(latencies, codes));
  RecordingReader in_order = read(recorder);
  const Timeline timeline = *read_timeline(in_order, {}, options);
  const std::string speedscope =
      *speedscope_json(in_order, timeline, options, {FileNames::full, Lines::definition}, hostile("file"));
  check_printed("speedscope", speedscope);
  // Its page prints names as they stand, so that escapes must be visible in them.
  const auto frames = nlohmann::json::parse(speedscope)["shared"]["frames"];
  check_printed("a frame in speedscope", frames.back()["name"].get<std::string>());
}

TEST_CASE("views of a snapshot let no hostile character of a name through") {
  CodeTable codes;
  const CodeId code = codes.add({hostile("function"), hostile("/srv/file.py"), 3});
  ProcessSnapshot snapshot;
  snapshot.pid = 41;
  snapshot.python = "3.13.0";
  snapshot.executable = hostile("/usr/bin/python");
  snapshot.command = {hostile("python"), hostile("function.py")};
  ThreadSnapshot thread;
  thread.tid = 41;
  thread.name = hostile("thread");
  thread.frames = {{code, 4, FrameKind::python}};
  snapshot.threads.push_back(thread);
  for (const Address id : {Address{1}, Address{2}}) {
    TaskSnapshot task;
    task.id = id;
    task.name = hostile("task");
    task.coroutine = code;
    task.frames = {{code, 5, FrameKind::python}};
    task.awaited_by = {3 - id};
    snapshot.tasks.push_back(task);
  }
  check_printed("dump", dump_text(snapshot, codes));
  const std::string dump = dump_json(snapshot, codes);
  check_printed("dump --json", dump);
  CHECK(nlohmann::json::parse(dump)["threads"][0]["name"] == hostile("thread")); // its meaning is the name itself
  const std::vector<TaskNode> tree = task_tree(snapshot, codes, EqualTasks::keep, "");
  check_printed("tasks", tasks_text(snapshot, tree, codes));
  check_printed("tasks --json", tasks_json(snapshot, tree, codes));
}
