#include "awaitscope/report/latency.hpp"

#include <algorithm>
#include <random>

#include <nlohmann/json.hpp>

#include "awaitscope/export/latency.hpp"
#include "catch.hpp"
#include "common.hpp"
#include "synthetic.hpp"

using namespace awaitscope;
using namespace awaitscope::testing;

namespace {

/// A recorder whose start is 0; looks are a millisecond apart.
struct Tasks : MemoryRecorder {
  Tasks() : MemoryRecorder(info()) {}

  static RecordingInfo info() {
    RecordingInfo info = invented_info();
    info.start_ns = 0;
    return info;
  }

  /// From this millisecond on.
  void change(std::int64_t at, Address task, TaskState state, const std::vector<CodeId> &stack,
              std::uint32_t new_from = TaskChange::k_no_new_call) {
    TaskChange change;
    change.task = task;
    change.coroutine = root;
    change.state = state;
    change.at_ns = at * k_ms + k_ms / 2; // between two looks: exactly at
    change.before_ns = at == 0 ? 0 : at * k_ms - k_ms / 2;
    change.new_from = new_from;
    for (const CodeId code : stack) {
      change.frames.push_back({code, ++line, FrameKind::python}); // lines go on within a call
    }
    writer().add(change);
  }

  /// Found waiting by a reading at this millisecond; the one before was `gap` earlier.
  void read_at(std::int64_t at, std::int64_t gap, const std::vector<CodeId> &stack) {
    TaskChange change;
    change.task = 1;
    change.coroutine = root;
    change.at_ns = at * k_ms;
    change.before_ns = (at - gap) * k_ms;
    for (const CodeId code : stack) {
      change.frames.push_back({code, 1, FrameKind::python});
    }
    writer().add(change);
  }

  /// Of a task that runs, under another one's frame.
  void sample(std::int64_t at, Address task, const std::vector<CodeId> &stack, std::uint64_t cpu_ms) {
    Sample sample;
    sample.time_ns = at * k_ms;
    sample.tid = 7;
    sample.task = task;
    sample.stack.in_task = task != 0;
    sample.cpu_ns = cpu_ms * k_ms;
    sample.stack.frames = {{query, 1, FrameKind::python}, {root, 1, FrameKind::task_border}};
    for (const CodeId code : stack) {
      sample.stack.frames.push_back({code, ++line, FrameKind::python});
    }
    writer().add(sample, "main");
  }

  Latencies read(std::int64_t end, const TimeRange &range = {}, const Filter &filter = {}) {
    SamplingTotals totals;
    totals.elapsed_ns = end * k_ms;
    writer().finish(totals);
    reader = std::make_unique<RecordingReader>(*RecordingReader::open(std::make_unique<MemorySource>(bytes())));
    return *read_latencies(*reader, range, filter);
  }

  /// Of this name; it must be there.
  static const FunctionLatency &of(const Latencies &latencies, CodeId code) {
    const auto found = std::find_if(latencies.functions.begin(), latencies.functions.end(),
                                    [&](const FunctionLatency &function) { return function.code == code; });
    REQUIRE(found != latencies.functions.end());
    return *found;
  }

  CodeId root = codes.add({"root", "/srv/shop/app.py", 1});
  CodeId fetch = codes.add({"fetch", "/srv/shop/app.py", 10});
  CodeId sleep = codes.add({"sleep", "/usr/lib/python3.13/asyncio/tasks.py", 700});
  CodeId query = codes.add({"Pool.query", "/srv/shop/db.py", 4});
  CodeId parse = codes.add({"parse", "/srv/shop/db.py", 30});
  std::int32_t line = 0;
  std::unique_ptr<RecordingReader> reader;
};

} // namespace

TEST_CASE("a call is from its first appearance in its task's stack to its last, with CPU and await told apart") {
  Tasks tasks;
  tasks.change(10, 1, TaskState::running, {tasks.root, tasks.fetch});
  tasks.sample(13, 1, {tasks.root, tasks.fetch, tasks.parse}, 1); // a plain function, and one that calls itself
  tasks.sample(14, 1, {tasks.root, tasks.fetch, tasks.fetch}, 1);
  tasks.change(15, 1, TaskState::waiting, {tasks.root, tasks.fetch, tasks.sleep});
  tasks.change(35, 1, TaskState::ready, {tasks.root, tasks.fetch, tasks.sleep});
  tasks.change(36, 1, TaskState::running, {tasks.root, tasks.fetch});
  tasks.sample(38, 1, {tasks.root, tasks.parse}, 1); // behind `fetch`, whose await was the last that was seen
  tasks.sample(39, 1, {tasks.root, tasks.query}, 1);
  tasks.sample(39, 0, {tasks.root}, 1); // in no task
  tasks.change(40, 1, TaskState::waiting, {tasks.root, tasks.query});
  tasks.change(50, 1, TaskState::done, {});
  const Latencies latencies = tasks.read(100);
  CHECK(latencies.resolution_ns == k_ms);
  const FunctionLatency &root = Tasks::of(latencies, tasks.root);
  CHECK(root.calls == 1);
  CHECK(root.cut == 0);
  CHECK(root.p50->ns == 40 * k_ms);
  CHECK(root.cpu_ns == 4 * k_ms);
  CHECK(root.await_ns == 30 * k_ms); // being ready is neither
  REQUIRE(root.await_on.size() == 2);
  CHECK(root.await_on[0] == AwaitedTime{tasks.sleep, WaitKind::timer, 20 * k_ms});
  CHECK(root.await_on[1] == AwaitedTime{tasks.query, WaitKind::unknown, 10 * k_ms});
  CHECK(Tasks::of(latencies, tasks.fetch).cpu_ns == 2 * k_ms);
  CHECK(Tasks::of(latencies, tasks.query).cpu_ns == 1 * k_ms);
  CHECK(Tasks::of(latencies, tasks.sleep).cpu_ns == 0);
  CHECK(latencies.functions.size() == 4); // a plain function is no call
  CHECK(Tasks::of(latencies, tasks.fetch).max_ns == 30 * k_ms);
  CHECK(Tasks::of(latencies, tasks.fetch).await_ns == 20 * k_ms);
  CHECK(Tasks::of(latencies, tasks.sleep).p99->ns == 21 * k_ms);
  CHECK(Tasks::of(latencies, tasks.query).mean_ns == 10 * k_ms);
  CHECK(latencies.functions[0].code == tasks.root);

  const auto json = nlohmann::json::parse(latency_json(latencies, tasks.reader->tables().codes));
  CHECK(json["schema"] == 1);
  CHECK(json["resolution_ns"] == k_ms);
  CHECK(json["functions"][0]["function"] == "root");
  CHECK(json["functions"][0]["await_on"][0] ==
        nlohmann::json({{"function", "sleep"}, {"waits_for", "timer"}, {"ns", 20 * k_ms}}));
}

TEST_CASE("a call that is made again is another, if the change says so or the stack did not have it between") {
  Tasks tasks;
  tasks.change(10, 1, TaskState::waiting, {tasks.root, tasks.fetch});
  tasks.change(20, 1, TaskState::waiting, {tasks.root, tasks.fetch}, 1); // called again between two looks
  tasks.change(30, 1, TaskState::running, {tasks.root});
  tasks.change(31, 1, TaskState::waiting, {tasks.root, tasks.fetch});
  tasks.change(41, 1, TaskState::waiting, {tasks.root, tasks.fetch}); // only the line is another
  tasks.change(51, 1, TaskState::done, {});
  const Latencies latencies = tasks.read(60);
  CHECK(Tasks::of(latencies, tasks.root).calls == 1);
  CHECK(Tasks::of(latencies, tasks.fetch).calls == 3);
  CHECK(Tasks::of(latencies, tasks.fetch).max_ns == 20 * k_ms);
  CHECK(Tasks::of(latencies, tasks.fetch).p50->ns == 10 * k_ms);
}

TEST_CASE("memory of a task that is used again is another task") {
  Tasks tasks;
  tasks.change(10, 1, TaskState::waiting, {tasks.root, tasks.fetch});
  tasks.change(20, 1, TaskState::done, {});
  tasks.change(25, 1, TaskState::waiting, {tasks.root, tasks.fetch});
  tasks.change(45, 1, TaskState::done, {});
  const Latencies latencies = tasks.read(60);
  CHECK(Tasks::of(latencies, tasks.fetch).calls == 2);
  CHECK(Tasks::of(latencies, tasks.fetch).max_ns == 20 * k_ms);
}

TEST_CASE("calls that the recording cuts are counted, and do not bend the percentiles") {
  Tasks tasks;
  tasks.change(0, 1, TaskState::waiting, {tasks.root}); // there before the first look
  tasks.change(10, 1, TaskState::done, {});
  tasks.change(20, 2, TaskState::waiting, {tasks.fetch});
  tasks.change(25, 2, TaskState::done, {});
  tasks.change(30, 3, TaskState::waiting, {tasks.fetch}); // runs at the end
  const Latencies latencies = tasks.read(100);
  const FunctionLatency &root = Tasks::of(latencies, tasks.root);
  CHECK(root.cut == 1);
  CHECK_FALSE(root.p50); // its beginning was not seen: it is in no percentile
  CHECK_FALSE(root.mean_ns);
  CHECK(root.max_ns == 19 * k_ms / 2);
  const FunctionLatency &fetch = Tasks::of(latencies, tasks.fetch);
  CHECK(fetch.calls == 2);
  CHECK(fetch.cut == 1);
  CHECK(fetch.p50->ns == 5 * k_ms);
  CHECK(fetch.p99->ns == 70 * k_ms);
  CHECK(fetch.p99->is == Length::Is::longer);
  CHECK(fetch.mean_ns == 5 * k_ms);
  CHECK(fetch.await_ns == 75 * k_ms);
}

TEST_CASE("a table has percentiles of calls that began in the recording, if there are enough of them") {
  const auto table_of = [](int calls) {
    Tasks tasks;
    tasks.change(0, 1, TaskState::waiting, {tasks.root}); // there before the first look
    tasks.change(10, 1, TaskState::done, {});
    for (int i = 0; i < calls; ++i) {
      tasks.change(20 + 10 * i, 2 + static_cast<Address>(i), TaskState::waiting, {tasks.root});
      tasks.change(25 + 10 * i, 2 + static_cast<Address>(i), TaskState::done, {});
    }
    const Latencies latencies = tasks.read(30 + 10 * calls);
    const FrameNames names(tasks.reader->tables().codes, {}, FileNames::full, Lines::definition);
    const std::string text = latency_text(latencies, LatencyRows::project, {}, names);
    const std::size_t row = text.find("max"); // the line behind the titles
    const std::size_t begin = text.find('\n', row) + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  CHECK(table_of(0) == "    1    -    -    -  >9.50 ms  root      /srv/shop/app.py:1");
  CHECK(table_of(18) == "   19  5.00 ms    -    -  >9.50 ms  root      /srv/shop/app.py:1");
  CHECK(table_of(20) == "   21  5.00 ms  5.00 ms    -  >9.50 ms  root      /srv/shop/app.py:1");
  CHECK(table_of(99) ==
        "  100  5.00 ms  5.00 ms    -  >9.50 ms  root      /srv/shop/app.py:1"); // one of them began before
  CHECK(table_of(100) == "  101  5.00 ms  5.00 ms  5.00 ms  >9.50 ms  root      /srv/shop/app.py:1");
}

TEST_CASE("entry points of the project's code are its outermost functions, across tasks") {
  Tasks tasks;
  const CodeId handler = tasks.codes.add({"handle", "/venv/lib/python3.13/site-packages/web/server.py", 5});
  tasks.change(10, 1, TaskState::waiting, {handler, tasks.fetch, tasks.query, tasks.sleep});
  tasks.change(30, 1, TaskState::done, {});
  tasks.sample(40, 2, {tasks.parse}, 1); // in a task that one of the project's functions awaits
  const Latencies latencies = tasks.read(100);
  CHECK(Tasks::of(latencies, tasks.fetch).entry);
  CHECK_FALSE(Tasks::of(latencies, tasks.query).entry);
  CHECK(Tasks::of(latencies, tasks.query).project);
  for (const CodeId other : {handler, tasks.sleep}) {
    CHECK_FALSE(Tasks::of(latencies, other).project);
    CHECK_FALSE(Tasks::of(latencies, other).entry);
  }
  const FrameNames names(tasks.reader->tables().codes, {}, FileNames::full, Lines::definition);
  const std::string usual = latency_text(latencies, LatencyRows::project, {}, names);
  CHECK(usual.find("fetch") < usual.find("Pool.query"));
  CHECK(usual.find("handle") == std::string::npos);
  CHECK(usual.find("2 hidden (--framework shows them)") != std::string::npos);
  const std::string all = latency_text(latencies, LatencyRows::all, {}, names);
  CHECK(all.find("Pool.query") < all.find("handle"));
  Filter filter;
  filter.functions = {"handle"};
  RecordingReader again = *RecordingReader::open(std::make_unique<MemorySource>(tasks.bytes()));
  const std::string only = latency_text(*read_latencies(again, {}, filter), LatencyRows::project, {}, names);
  CHECK(only.find("none of your own code") != std::string::npos);
  CHECK(only.find("server.py:5") != std::string::npos);
}

TEST_CASE("what a call waited for is never itself, also where another task runs the same function") {
  Tasks tasks;
  TaskChange change;
  change.task = 2;
  change.coroutine = tasks.fetch;
  change.state = TaskState::waiting;
  change.at_ns = 10 * k_ms;
  change.before_ns = 9 * k_ms;
  change.frames = {{tasks.fetch, 0, FrameKind::task_border},
                   {tasks.fetch, 11, FrameKind::python},
                   {tasks.fetch, 0, FrameKind::task_border},
                   {tasks.fetch, 12, FrameKind::python}};
  tasks.writer().add(change);
  tasks.change(50, 2, TaskState::done, {});
  const Latencies latencies = tasks.read(100);
  CHECK(Tasks::of(latencies, tasks.fetch).await_ns > 0);
  CHECK(Tasks::of(latencies, tasks.fetch).await_on.empty());
}

TEST_CASE("a call that one reading alone saw has an upper bound, and the resolution is what the readings achieved") {
  Tasks tasks;
  tasks.change(10, 1, TaskState::waiting, {tasks.root});
  for (const std::int64_t at : {50, 130}) { // seen by one reading; those before and behind it were 40 ms away
    tasks.read_at(at, 40, {tasks.root, tasks.fetch});
    tasks.read_at(at + 40, 40, {tasks.root});
  }
  tasks.read_at(300, 40, {tasks.root, tasks.query});
  tasks.read_at(400, 40, {tasks.root}); // also the reading at 360 saw it
  const Latencies latencies = tasks.read(500);
  const FunctionLatency &fetch = Tasks::of(latencies, tasks.fetch);
  CHECK(fetch.brief == 2);
  CHECK(fetch.p50->ns == 40 * k_ms);
  CHECK(fetch.p50->is == Length::Is::shorter);
  const FunctionLatency &query = Tasks::of(latencies, tasks.query);
  CHECK(query.brief == 0);
  CHECK(query.p50->ns == 100 * k_ms);
  CHECK(query.p50->is == Length::Is::measured);
  CHECK(latencies.resolution_ns == 40 * k_ms);
  const auto json = nlohmann::json::parse(latency_json(latencies, tasks.reader->tables().codes));
  for (const auto &function : json["functions"]) {
    if (function["function"] == "fetch") {
      CHECK(function["p50_is"] == "shorter");
    }
  }
}

TEST_CASE("a function awaits a coroutine below it or a task, never itself") {
  Tasks tasks;
  tasks.change(10, 1, TaskState::waiting, {tasks.root, tasks.root});
  TaskChange child; // of the first task
  child.task = 2;
  child.coroutine = tasks.query;
  child.at_ns = 11 * k_ms;
  child.before_ns = 10 * k_ms;
  child.frames = {{tasks.root, 0, FrameKind::task_border},
                  {tasks.root, 1, FrameKind::python},
                  {tasks.query, 0, FrameKind::task_border},
                  {tasks.query, 1, FrameKind::python}};
  tasks.writer().add(child);
  tasks.change(50, 2, TaskState::done, {});
  tasks.change(50, 1, TaskState::done, {});
  const Latencies latencies = tasks.read(60);
  const FunctionLatency &root = Tasks::of(latencies, tasks.root);
  REQUIRE(root.await_on.size() == 1);
  CHECK(root.await_on[0].code == tasks.query);
  CHECK(root.await_on[0].ns == root.await_ns);
  CHECK(Tasks::of(latencies, tasks.query).await_on.empty()); // a future, which has no name
}

TEST_CASE("filters and ranges pick calls") {
  Tasks tasks;
  tasks.change(10, 1, TaskState::waiting, {tasks.root, tasks.query});
  tasks.change(20, 1, TaskState::running, {tasks.root, tasks.fetch});
  tasks.change(40, 1, TaskState::done, {});
  const auto names = [&](const TimeRange &range, const Filter &filter) {
    Tasks copy;
    copy.change(10, 1, TaskState::waiting, {copy.root, copy.query});
    copy.change(20, 1, TaskState::running, {copy.root, copy.fetch});
    copy.change(40, 1, TaskState::done, {});
    std::vector<CodeId> found;
    for (const FunctionLatency &function : copy.read(50, range, filter).functions) {
      found.push_back(function.code);
    }
    std::sort(found.begin(), found.end());
    return found;
  };
  CHECK(names({}, {}) == std::vector<CodeId>{tasks.root, tasks.fetch, tasks.query});
  CHECK(names({}, {{}, {}, {"query"}}) == std::vector<CodeId>{tasks.query});
  CHECK(names({}, {{}, {"root"}, {}}).size() == 3);
  CHECK(names({}, {{}, {"fetch"}, {}}).empty());
  CHECK(names({0, 15 * k_ms}, {}) == std::vector<CodeId>{tasks.root, tasks.query});
  CHECK(names({30 * k_ms, 90 * k_ms}, {}) == std::vector<CodeId>{tasks.root, tasks.fetch});
}

TEST_CASE("of equal lengths what took less comes first, whatever order they come in") {
  const std::vector<Length> lengths{{7, Length::Is::longer}, {7, Length::Is::measured}, {7, Length::Is::shorter}};
  for (std::size_t begin = 0; begin < lengths.size(); ++begin) {
    LengthEstimate estimate;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      estimate.add(lengths[(begin + i) % lengths.size()]);
    }
    const std::vector<Length> found = estimate.quantiles({0.3, 0.6, 0.9});
    CHECK(found[0].is == Length::Is::shorter);
    CHECK(found[1].is == Length::Is::measured);
    CHECK(found[2].is == Length::Is::longer);
  }
}

TEST_CASE("quantiles of lengths: those of the whole ones if all are whole, unbent if a window cuts them") {
  LengthEstimate whole;
  for (int i = 100; i >= 1; --i) {
    whole.add({i});
  }
  const std::vector<Length> plain = whole.quantiles({0.5, 0.95, 0.99});
  REQUIRE(plain.size() == 3);
  CHECK((plain[0].ns == 50 && plain[1].ns == 95 && plain[2].ns == 99));
  CHECK(LengthEstimate().quantiles({0.5}).empty());

  // Nine of ten calls take 20 ms and one 120 ms; a window of 300 ms cuts many of the long ones.
  std::mt19937_64 random(4);
  LengthEstimate cut;
  LengthEstimate left_out;
  for (int i = 0; i < 20'000; ++i) {
    const auto begin = static_cast<std::int64_t>(random() % 300);
    const std::int64_t length = (random() % 100 < 12 ? 120 : 20) + static_cast<std::int64_t>(random() % 3);
    cut.add({std::min(length, 300 - begin), begin + length <= 300 ? Length::Is::measured : Length::Is::longer});
    if (begin + length <= 300) {
      left_out.add({length});
    }
  }
  const std::vector<Length> found = cut.quantiles({0.5, 0.89, 0.95});
  CHECK(found[0].ns / 3 * 3 <= 22);
  CHECK(found[1].ns >= 120);
  CHECK(found[2].ns >= 120);
  CHECK(left_out.quantiles({0.89})[0].ns <= 22); // what leaving cut calls out would yield
}
