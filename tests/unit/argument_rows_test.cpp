#include <map>
#include <string>
#include <vector>

#include "awaitscope/model/limits.hpp"
#include "awaitscope/recording/reader.hpp"
#include "catch.hpp"
#include "common.hpp"
#include "synthetic.hpp"

using namespace awaitscope;
using namespace awaitscope::testing;

namespace {

struct ReadCalls {
  std::unique_ptr<RecordingReader> reader;
  std::map<std::int64_t, std::vector<RecordedSeenCall>> seen; ///< by when the sample was taken
  std::vector<RecordedTracedCall> traced;
  std::map<CodeId, std::uint64_t> lost;
};

ReadCalls read_calls(const std::string &bytes) {
  ReadCalls back;
  back.reader =
      std::make_unique<RecordingReader>(std::move(*RecordingReader::open(std::make_unique<MemorySource>(bytes))));
  while (*back.reader->next()) {
    for (const RecordedSeenCall &call : back.reader->seen_calls()) {
      back.seen[back.reader->samples()[call.row].first_ns].push_back(call);
    }
    const auto &traced = back.reader->traced_calls();
    back.traced.insert(back.traced.end(), traced.begin(), traced.end());
    for (const RecordedLostCalls &lost : back.reader->lost_calls()) {
      back.lost[lost.code] += lost.calls;
    }
  }
  return back;
}

RecordingInfo info(Arguments arguments) {
  RecordingInfo info = invented_info();
  info.start_ns = 0;
  info.arguments = arguments;
  info.shows_arguments = true;
  return info;
}

} // namespace

TEST_CASE("what samples say of arguments is what is read back") {
  MemoryRecorder recorder(info(Arguments::sampled));
  const CodeId outer = recorder.codes.add({"outer", "/srv/shop/app.py", 1});
  const CodeId inner = recorder.codes.add({"inner", "/srv/shop/app.py", 10});
  const ArgumentKey first{outer, 0, 0x1111111111111111, 0, 0};
  const ArgumentKey second{inner, 0x2222222222222222, 0, 0x3333333333333333,
                           ValueTrait::identity | ValueTrait::overwritten};
  Sample sample;
  sample.tid = 7;
  sample.stack.frames = {{outer, 1, FrameKind::python}, {inner, 10, FrameKind::python}};
  for (int i = 0; i < 4; ++i) {
    sample.time_ns = i * 5 * k_ms;
    sample.calls = {true, 0, 2, i == 0 ? 0U : i == 2 ? 2U : 1U, 0, 0};
    sample.arguments.clear();
    if (i == 0) {
      sample.arguments.push_back({1, first, "outer(1)"});
    }
    if (i != 2) {
      sample.arguments.push_back({0, second, "inner(2)"});
    }
    recorder.writer().add(sample, "MainThread");
  }
  recorder.writer().add(FunctionFact{inner, FunctionFact::Kind::uses, "time.time"});
  recorder.writer().finish({});
  const ReadCalls back = read_calls(recorder.bytes());
  const RecordingTables &tables = back.reader->tables();
  CHECK(back.reader->info().arguments == Arguments::sampled);
  CHECK(back.reader->info().shows_arguments);
  REQUIRE(back.seen.size() == 3);
  REQUIRE(back.seen.at(0).size() == 2);
  CHECK(back.seen.at(0)[0].from_leaf == 1);
  CHECK(tables.keys[back.seen.at(0)[0].key].key == first);
  CHECK(tables.texts[tables.keys[back.seen.at(0)[0].key].shown] == "outer(1)");
  CHECK(tables.keys[back.seen.at(0)[1].key].key == second);
  CHECK(back.seen.at(15 * k_ms)[0].key == back.seen.at(0)[1].key);
  REQUIRE(tables.facts.size() == 1);
  CHECK(tables.facts[0].code == inner);
  CHECK(tables.texts[tables.facts[0].name] == "time.time");
}

TEST_CASE("traced calls are what is read back, and those that are missing are counted") {
  MemoryRecorder recorder(info(Arguments::traced));
  const CodeId code = recorder.codes.add({"price", "/srv/shop/app.py", 1});
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    TracedCall call;
    call.tid = 7;
    call.begin_ns = static_cast<std::int64_t>(i) * k_ms;
    call.duration_ns = i * 3;
    call.cpu_ns = i % 2 == 0 ? 0 : i;
    call.key = {code, 0, i % 10 + 1, 0, 0};
    call.returned = i % 10 + 100;
    call.return_traits = static_cast<std::uint8_t>(ValueTrait::identity);
    call.raised = i % 7 == 0;
    recorder.writer().add(call, "MainThread");
  }
  recorder.writer().add_lost_calls(code, 5);
  recorder.writer().add_lost_calls(code, 2);
  recorder.writer().finish({});
  const ReadCalls back = read_calls(recorder.bytes());
  const RecordingTables &tables = back.reader->tables();
  REQUIRE(back.traced.size() == 20'000);
  CHECK(tables.keys.size() == 11);
  for (std::uint64_t i = 0; i < back.traced.size(); i += 123) {
    const RecordedTracedCall &call = back.traced[i];
    CHECK(call.begin_ns == static_cast<std::int64_t>(i) * k_ms);
    CHECK(call.duration_ns == i * 3);
    CHECK(call.cpu_ns == (i % 2 == 0 ? 0 : i));
    CHECK(tables.keys[call.key].key.others == i % 10 + 1);
    CHECK(call.code == code);
    CHECK(call.returned == i % 10 + 100);
    CHECK(has(call.return_traits, ValueTrait::identity));
    CHECK(call.raised == (i % 7 == 0));
    CHECK(tables.threads[call.thread].tid == 7);
  }
  CHECK(back.lost.at(code) == 7);
}

TEST_CASE("beyond what a recording may hold arguments are not known, but their function is") {
  MemoryRecorder recorder(info(Arguments::traced));
  const CodeId code = recorder.codes.add({"price", "/srv/shop/app.py", 1});
  TracedCall call;
  for (std::size_t i = 0; i < limits::k_max_argument_keys + 10; ++i) {
    call.key = {code, 0, i + 1, 0, 0};
    recorder.writer().add(call, "MainThread");
  }
  recorder.writer().finish({});
  const ReadCalls back = read_calls(recorder.bytes());
  CHECK(back.reader->ending() == Ending::whole);
  CHECK(back.traced.back().key == 0);
  CHECK(back.traced.back().code == code);
}
