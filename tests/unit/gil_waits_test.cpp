#include "awaitscope/report/gil_waits.hpp"

#include "awaitscope/export/gil.hpp"
#include "catch.hpp"
#include "common.hpp"
#include "synthetic.hpp"

using namespace awaitscope;
using namespace awaitscope::testing;

namespace {

constexpr std::int64_t k_gil_period = 10 * k_ms;

/// At 100 Hz, and its start is 0. The threads have the TIDs 1 to 3.
struct GilRecorder : MemoryRecorder {
  GilRecorder() : MemoryRecorder(info_at_100_hz()) {}

  void sample(ThreadId tid, const std::string &name, CodeId code, ThreadState state, const GilHolder &holder = {}) {
    Sample sample;
    sample.time_ns = now_ns;
    sample.tid = tid;
    sample.state = state;
    sample.stack = {{{entry, 1, FrameKind::python}, {code, 5, FrameKind::python}, {inner, 9, FrameKind::python}},
                    false};
    sample.gil_holder = holder;
    writer().add(sample, name);
  }

  GilWaits waits(const Filter &filter = {}) {
    writer().finish({});
    Result<RecordingReader> reader = RecordingReader::open(std::make_unique<MemorySource>(bytes()));
    REQUIRE(reader);
    Result<GilWaits> found = read_gil_waits(*reader, {}, filter);
    REQUIRE(found);
    const FrameNames names(codes, {}, FileNames::importable, Lines::definition);
    text = gil_text(*found, {}, names);
    json = gil_json(*found, codes);
    return *found;
  }

  CodeId entry = codes.add({"run", "/srv/app.py", 1});
  CodeId compute = codes.add({"compute", "/srv/app.py", 10});
  CodeId handle = codes.add({"handle", "/srv/app.py", 20});
  CodeId inner = codes.add({"dumps", "/usr/lib/python3.13/json/__init__.py", 183});
  std::int64_t now_ns = 0;
  std::string text;
  std::string json;
};

/// Ten ticks: `greedy` runs; at all of them Thread-1 waits for it, at five Thread-2 as well, at two for nobody that is known.
void record(GilRecorder &recorder) {
  for (int tick = 0; tick < 10; ++tick, recorder.now_ns += k_gil_period) {
    recorder.sample(1, "greedy", recorder.compute, ThreadState::running);
    recorder.sample(2, "Thread-1 (serve)", recorder.handle, ThreadState::gil, {1, "greedy"});
    if (tick < 7) {
      recorder.sample(3, "Thread-2 (serve)", recorder.handle, ThreadState::gil,
                      tick < 5 ? GilHolder{1, "greedy"} : GilHolder{});
    }
    recorder.sample(4, "asleep", recorder.handle, ThreadState::idle);
  }
}

} // namespace

TEST_CASE("who waits for the GIL, for whom, and in what that is") {
  GilRecorder recorder;
  record(recorder);
  const GilWaits waits = recorder.waits();
  CHECK(waits.samples == 17);
  CHECK(waits.all == 27); // idle threads are none
  CHECK(waits.period_ns == k_gil_period);
  REQUIRE(waits.waits.size() == 2); // equal work is one
  CHECK(waits.waits[0].waiter == "Thread (serve)");
  CHECK(waits.waits[0].holder == "greedy");
  CHECK(waits.waits[0].samples == 15);
  REQUIRE(waits.waits[0].held_in.size() == 1); // the project's function, not what that is in
  CHECK(waits.waits[0].held_in[0] == std::pair<CodeId, std::uint64_t>(recorder.compute, 15));
  CHECK(waits.waits[1].holder.empty());
  CHECK(waits.waits[1].samples == 2);
  CHECK(waits.waits[1].held_in.empty());
  CHECK(recorder.text == "Threads waited for the GIL for 170 ms, 63.0 % of the 270 ms that they were not\n"
                         "idle\n"
                         "   time   share  thread that waits  thread that holds the GIL\n"
                         " 150 ms  88.2 %  Thread (serve)     greedy\n"
                         "        held in compute 150 ms\n"
                         "20.0 ms  11.8 %  Thread (serve)     -\n"
                         "Times are of all threads together. - is a GIL that was on its way to the thread,\n"
                         "or was held by a thread that is not known.\n");
  CHECK(recorder.json.find(R"("holder": null)") != std::string::npos);
}

TEST_CASE("the filter's threads are those that wait for the GIL") {
  GilRecorder recorder;
  record(recorder);
  Filter filter;
  filter.threads = {"Thread-2 (serve)"};
  const GilWaits waits = recorder.waits(filter);
  CHECK(waits.all == 7);
  REQUIRE(waits.waits.size() == 2);
  CHECK(waits.waits[0].held_in[0].second == 5);
}

TEST_CASE("nobody waits for the GIL") {
  GilRecorder recorder;
  recorder.sample(1, "MainThread", recorder.compute, ThreadState::running);
  const GilWaits waits = recorder.waits();
  CHECK(waits.waits.empty());
  CHECK(recorder.text == "No thread waited for the GIL in the 10.0 ms that threads were not idle.\n");
}
