#include "awaitscope/recording/reader.hpp"

#include <chrono>
#include <future>

#include <xxhash.h>

#include "awaitscope/recording/block_queue.hpp"
#include "awaitscope/recording/bytes.hpp"
#include "awaitscope/recording/format.hpp"
#include "awaitscope/support/clock.hpp"
#include "catch.hpp"
#include "common.hpp"
#include "corrupt.hpp"
#include "synthetic.hpp"

using namespace awaitscope;
using namespace awaitscope::testing;

namespace {

struct ReadBack {
  RecordingInfo info;
  std::vector<SampleRun> samples;
  std::vector<RecordedTaskChange> changes;
  SamplingTotals totals;
  Ending ending = Ending::open;
};

/// Reads to the end; the reader's tables are checked by `visit`.
template <typename Visit> ReadBack read_back(const std::string &bytes, Visit visit) {
  Result<RecordingReader> reader = RecordingReader::open(std::make_unique<MemorySource>(bytes));
  REQUIRE(reader);
  ReadBack back;
  back.info = reader->info();
  while (*reader->next()) {
    back.samples.insert(back.samples.end(), reader->samples().begin(), reader->samples().end());
    back.changes.insert(back.changes.end(), reader->task_changes().begin(), reader->task_changes().end());
  }
  back.totals = reader->totals();
  back.ending = reader->ending();
  visit(reader->tables());
  return back;
}

ReadBack read_back(const std::string &bytes) {
  return read_back(bytes, [](const RecordingTables & /*tables*/) {});
}

Sample sample_of(std::int64_t time_ns, CodeId code, std::uint64_t cpu_ns = 0) {
  Sample sample;
  sample.time_ns = time_ns;
  sample.tid = 7;
  sample.stack = {{{code, 5, FrameKind::python}}, false};
  sample.cpu_ns = cpu_ns;
  return sample;
}

std::string error_of(const std::string &bytes) {
  const Result<RecordingReader> reader = RecordingReader::open(std::make_unique<MemorySource>(bytes));
  REQUIRE_FALSE(reader);
  CHECK(reader.error().status == ExitStatus::failed);
  CHECK_FALSE(reader.error().hint.empty());
  return reader.error().what;
}

} // namespace

TEST_CASE("a recording gives back what was recorded") {
  MemoryRecorder recorder(info_at_100_hz());
  const CodeId main = recorder.codes.add({"main", "/srv/app/m.py", 3});
  const CodeId work = recorder.codes.add({"Wörk.<locals>;x", "/srv/app/m.py", 90});
  Sample sample;
  sample.time_ns = 5 * k_ms + 12'345;
  sample.tid = 12;
  sample.state = ThreadState::idle;
  sample.stack = {
      {{main, 0, FrameKind::loop}, {work, 0, FrameKind::task_border}, {work, 2, FrameKind::python}, k_unreadable_frame},
      true};
  sample.task = 0x7fff12345678;
  sample.task_name = "payments";
  sample.cpu_ns = 123'456;
  sample.events = 9;
  recorder.writer().add(sample, "schläfer");
  TaskChange change;
  change.task = sample.task;
  change.coroutine = work;
  change.name = "payments";
  change.state = TaskState::ready;
  change.at_ns = 8 * k_ms;
  change.before_ns = 7 * k_ms;
  change.cpu_ns = 70'000;
  change.frames = {{work, 2, FrameKind::python}};
  change.new_from = 0;
  change.root = {0x7fff00001000, main, "shop", 12, "schläfer"};
  recorder.writer().add(change);
  SamplingTotals totals;
  totals.ticks = 4;
  totals.samples = 1;
  totals.elapsed_ns = 40 * k_ms;
  totals.process_cpu_ns = 555;
  totals.process_events = EventCount{77, 3000, 2000};
  totals.lost = {1, 2, 3, 4};
  totals.task_looks = 5;
  totals.task_look_ns = 600;
  totals.longest_task_look_ns = 70;
  totals.busy_ns = 900;
  totals.longest_busy_ns = 90;
  recorder.writer().finish(totals);

  const ReadBack back = read_back(recorder.bytes(), [&](const RecordingTables &tables) {
    CHECK(tables.codes.at(work).function == "Wörk.<locals>;x");
    CHECK(tables.codes.at(work).file == "/srv/app/m.py");
    CHECK(tables.codes.at(work).first_line == 90);
    CHECK(tables.stacks.frames(4) == sample.stack.frames);
    REQUIRE(tables.threads.size() == 1);
    CHECK(tables.threads[0].tid == 12);
    CHECK(tables.texts[tables.threads[0].name] == "schläfer");
    REQUIRE(tables.tasks.size() == 3); // the sample's and the change's are one, and the first is none
    CHECK(tables.tasks[2].address == 0x7fff00001000);
    CHECK(tables.tasks[2].coroutine == main);
    CHECK(tables.texts[tables.tasks[2].name] == "shop");
    CHECK(tables.tasks[1].address == sample.task);
    CHECK(tables.tasks[1].coroutine == work);
    CHECK(tables.texts[tables.tasks[1].name] == "payments");
  });
  CHECK(back.info.command == invented_info().command);
  CHECK(back.info.host == "shop-1");
  CHECK(back.info.import_paths == invented_info().import_paths);
  CHECK(back.info.rate_millihertz == 100'000);
  REQUIRE(back.samples.size() == 1);
  CHECK(back.samples[0].first_ns == 5 * k_ms + 10'000);
  CHECK(back.samples[0].count == 1);
  CHECK(back.samples[0].cpu_ns == 120'000);
  CHECK(back.samples[0].events == 9);
  CHECK(back.samples[0].stack == 4);
  CHECK(back.samples[0].state == ThreadState::idle);
  CHECK(back.samples[0].task == 1);
  REQUIRE(back.changes.size() == 1);
  CHECK(back.changes[0].at_ns == 8 * k_ms);
  CHECK(back.changes[0].before_ns == 7 * k_ms);
  CHECK(back.changes[0].cpu_ns == 70'000);
  CHECK(back.changes[0].state == TaskState::ready);
  CHECK(back.changes[0].new_from == 0);
  CHECK(back.changes[0].root == 2);
  CHECK(back.changes[0].root_thread == 1);
  CHECK(back.totals.ticks == 4);
  CHECK(back.totals.task_looks == 5);
  CHECK(back.totals.task_look_ns == 600);
  CHECK(back.totals.longest_task_look_ns == 70);
  CHECK(back.totals.busy_ns == 900);
  CHECK(back.totals.longest_busy_ns == 90);
  CHECK(back.totals.lost == totals.lost);
  CHECK(back.totals.process_cpu_ns == 555);
  CHECK(back.info.event == "page-faults");
  CHECK(back.info.event_source == EventSource::counters);
  REQUIRE(back.totals.process_events);
  CHECK(back.totals.process_events->counted == 77);
  CHECK(back.totals.process_events->enabled_ns == 3000);
  CHECK(back.totals.process_events->running_ns == 2000);
  CHECK(back.ending == Ending::whole);
}

TEST_CASE("an event that the CPU times tell takes no room of its own") {
  RecordingInfo info = info_at_100_hz();
  info.event = "task-clock";
  info.event_source = EventSource::cpu_time;
  MemoryRecorder recorder(info);
  const CodeId a = recorder.codes.add_name("a");
  recorder.writer().add(sample_of(5 * k_ms, a, 4'560'000), "t");
  SamplingTotals totals;
  totals.process_cpu_ns = 5'000'000;
  recorder.writer().finish(totals);
  const ReadBack back = read_back(recorder.bytes());
  REQUIRE(back.samples.size() == 1);
  CHECK(back.samples[0].cpu_ns == 4'560'000);
  CHECK(back.samples[0].events == 0); // report makes them of the CPU times
  REQUIRE(back.totals.process_events);
  CHECK(back.totals.process_events->scaled() == 5'000'000);
}

TEST_CASE("events that are as frequent as time are written in units, and none is lost") {
  RecordingInfo info = info_at_100_hz();
  info.event = "instructions";
  info.events_as_time = true;
  MemoryRecorder recorder(info);
  const CodeId a = recorder.codes.add_name("a");
  const CodeId b = recorder.codes.add_name("b");
  constexpr std::uint64_t k_each = 12'345'678;
  constexpr int k_samples = 1000;
  for (int i = 0; i < k_samples; ++i) {
    Sample sample = sample_of(i * 10 * k_ms, i % 2 == 0 ? a : b);
    sample.events = k_each;
    recorder.writer().add(sample, "t");
  }
  recorder.writer().finish({});
  const ReadBack back = read_back(recorder.bytes());
  std::uint64_t sum = 0;
  for (const SampleRun &run : back.samples) {
    CHECK(run.events % static_cast<std::uint64_t>(back.info.unit_ns) == 0);
    sum += run.events;
  }
  CHECK(k_each * k_samples - sum < static_cast<std::uint64_t>(back.info.unit_ns));
}

TEST_CASE("CPU time below a unit is not lost") {
  MemoryRecorder recorder(info_at_100_hz());
  const CodeId a = recorder.codes.add_name("a");
  const CodeId b = recorder.codes.add_name("b");
  for (int i = 0; i < 1000; ++i) {
    recorder.writer().add(sample_of(i * k_ms, i % 2 == 0 ? a : b, 1999), "main");
  }
  recorder.writer().finish({});
  std::uint64_t sum = 0;
  for (const SampleRun &run : read_back(recorder.bytes()).samples) {
    sum += run.cpu_ns;
  }
  CHECK(sum == 1'990'000);
}

TEST_CASE("equal samples at successive ticks are one row, others are not") {
  MemoryRecorder recorder(info_at_100_hz());
  const CodeId a = recorder.codes.add_name("a");
  const CodeId b = recorder.codes.add_name("b");
  for (const std::int64_t time : {0, 10, 29, 40}) { // less than two periods apart
    recorder.writer().add(sample_of(time * k_ms, a, 10'000), "main");
  }
  recorder.writer().add(sample_of(100 * k_ms, a), "main"); // a gap
  recorder.writer().add(sample_of(110 * k_ms, b), "main"); // another stack
  Sample idle = sample_of(120 * k_ms, b);
  idle.state = ThreadState::idle;
  recorder.writer().add(idle, "main");
  recorder.writer().finish({});
  const std::vector<SampleRun> rows = read_back(recorder.bytes()).samples;
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].count == 4);
  CHECK(rows[0].cpu_ns == 40'000);
  CHECK(rows[0].first_ns == 0);
  CHECK(rows[0].last_ns == 40 * k_ms);
  CHECK(rows[1].count == 1);
  CHECK(rows[3].state == ThreadState::idle);
}

TEST_CASE("threads that wait cost nothing at a tick") {
  constexpr int k_threads = 50;
  constexpr int k_ticks = 10'000; // ten seconds
  RecordingInfo info = info_at_100_hz();
  info.rate_millihertz = 1'000'000;
  MemoryRecorder recorder(info);
  const CodeId wait = recorder.codes.add_name("wait");
  SamplingTotals totals;
  for (int tick = 0; tick < k_ticks; ++tick) {
    for (int thread = 0; thread < k_threads; ++thread) {
      Sample sample = sample_of(tick * k_ms, wait);
      sample.tid = thread;
      sample.state = ThreadState::idle;
      recorder.writer().add(sample, "waiting");
    }
    totals.ticks = static_cast<std::uint64_t>(tick);
    totals.samples = totals.ticks * k_threads;
    totals.elapsed_ns = tick * k_ms;
    if (tick % 250 == 0) {
      recorder.writer().keep_up(tick * k_ms, totals);
    }
  }
  recorder.writer().finish(totals);
  std::uint64_t samples = 0;
  for (const SampleRun &run : read_back(recorder.bytes()).samples) {
    samples += run.count;
  }
  CHECK(samples == std::uint64_t{k_threads} * k_ticks);
  CHECK(static_cast<double>(recorder.bytes().size()) / static_cast<double>(samples) < 0.02);
}

TEST_CASE("nothing waits for longer than three quarters of a second") {
  MemoryRecorder recorder(info_at_100_hz());
  const CodeId a = recorder.codes.add_name("a");
  std::size_t before = recorder.bytes().size();
  std::int64_t oldest = -1;
  for (std::int64_t now = 0; now < 20'000 * k_ms; now += 10 * k_ms) {
    if (now % (3000 * k_ms) < 1500 * k_ms) { // a second and a half of samples, then as long nothing
      recorder.writer().add(sample_of(now, a), "main");
      oldest = oldest < 0 ? now : oldest;
    }
    if (now % (250 * k_ms) == 0) {
      recorder.writer().keep_up(now, {});
    }
    if (recorder.bytes().size() != before) {
      before = recorder.bytes().size();
      oldest = -1;
    }
    REQUIRE((oldest < 0 || now - oldest <= 750 * k_ms));
  }
}

TEST_CASE("a recording cut at any byte is a recording up to its last whole frame") {
  MemoryRecorder recorder(invented_info());
  record_small(recorder, 3);
  const std::string &bytes = recorder.bytes();
  const Outcome whole = read_through(bytes);
  REQUIRE(whole.text == "whole");
  REQUIRE(whole.samples.size() > 1000);
  std::size_t longest = 0;
  constexpr std::size_t k_viewed = 32; // one in so many is shown as well: views are of whole frames, which are longer
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Outcome cut = (size % k_viewed == 0 ? read_through : read_samples)(bytes.substr(0, size));
    const bool none = cut.samples.empty() && cut.text.substr(0, 6) == "error:";
    REQUIRE((none || cut.text == "torn" || cut.text == "open"));
    REQUIRE(cut.is_beginning_of(whole));
    REQUIRE(cut.samples.size() >= longest); // more bytes never tell less
    longest = cut.samples.size();
  }
  CHECK(longest > whole.samples.size() / 2);
}

TEST_CASE("what is no recording, or one of a later revision, is refused with a reason") {
  MemoryRecorder recorder(invented_info());
  record_small(recorder, 1);
  CHECK(error_of("").find("is empty") != std::string::npos);
  CHECK(error_of(recorder.bytes().substr(0, 9)).find("is empty") != std::string::npos);
  CHECK(error_of(recorder.bytes().substr(0, 20)).find("first whole block") != std::string::npos);
  CHECK(error_of("thread MainThread;main (m.py:1) 5\n").find("is not an awaitscope recording") != std::string::npos);
  CHECK(error_of(std::string(100, '\0')).find("is not an awaitscope recording") != std::string::npos);
  CHECK(error_of(recording_of({"?"})).find("damaged") != std::string::npos);

  std::string flipped = recording_head();
  flipped[8] = 2; // the revision, and its checksum does not hold
  CHECK(error_of(flipped).find("is not an awaitscope recording") != std::string::npos);
  std::string newer(format::k_magic);
  put_fixed(newer, format::k_revision + 1);
  put_fixed(newer, static_cast<std::uint32_t>(XXH3_64bits(newer.data(), newer.size())));
  CHECK(error_of(newer + "whatever is behind it").find("newer awaitscope") != std::string::npos);
}

TEST_CASE("what a length claims is not allocated") {
  std::string frame;
  put_fixed(frame, static_cast<std::uint32_t>(format::k_max_frame));
  put_fixed(frame, static_cast<std::uint32_t>(format::k_max_block));
  put_fixed(frame, std::uint64_t{0});
  CHECK(error_of(recording_head() + frame).find("first whole block") != std::string::npos);
  std::string too_long;
  put_fixed(too_long, static_cast<std::uint32_t>(format::k_max_frame + 1));
  put_fixed(too_long, std::uint32_t{1});
  put_fixed(too_long, std::uint64_t{0});
  CHECK(error_of(recording_head() + too_long + std::string(100, 'x')).find("damaged") != std::string::npos);
}

TEST_CASE("a block of zeros that decompresses to more than it says is refused") {
  FrameEncoder encoder;
  const std::string frame = encoder.encode(std::string(format::k_max_block, '\0'));
  FrameHead head = FrameHead::parse(frame);
  const std::string_view data = std::string_view(frame).substr(format::k_frame_head_size);
  std::string block;
  CHECK(head.vouches_for(data));
  CHECK(FrameDecoder().decode(head, data, block));
  head.block_length = 1000;
  CHECK_FALSE(head.vouches_for(data));
  CHECK_FALSE(FrameDecoder().decode(head, data, block));
  CHECK(block.size() <= 1001);
}

TEST_CASE("large tables are spread over blocks that a reader takes") {
  MemoryRecorder recorder(info_at_100_hz());
  for (int i = 0; i < 30'000; ++i) {
    const CodeId code = recorder.codes.add_name(std::string(200, 'x') + std::to_string(i));
    recorder.writer().add(sample_of(i * k_ms, code), "thread " + std::to_string(i));
  }
  const CodeId huge = recorder.codes.add_name(std::string(300'000, 'y'));
  recorder.writer().add(sample_of(40'000 * k_ms, huge), "main");
  recorder.writer().finish({});
  for (const std::string &block : recorder.blocks()) {
    CHECK(block.size() <= format::k_max_block);
  }
  const ReadBack back = read_back(recorder.bytes(), [&](const RecordingTables &tables) {
    CHECK(tables.codes.at(29'999).function == recorder.codes.at(29'999).function);
    CHECK(tables.codes.at(huge).function.size() <= format::k_max_text);
  });
  CHECK(back.samples.size() == 30'001);
  CHECK(back.ending == Ending::whole);
}

TEST_CASE("a TID that is used again is another thread") {
  MemoryRecorder recorder(info_at_100_hz());
  const CodeId a = recorder.codes.add_name("a");
  recorder.writer().add(sample_of(0, a), "first");
  recorder.writer().add(sample_of(10 * k_ms, a), "second");
  recorder.writer().finish({});
  const ReadBack back = read_back(recorder.bytes(), [&](const RecordingTables &tables) {
    CHECK(tables.texts[tables.threads[1].name] == "second");
  });
  REQUIRE(back.samples.size() == 2);
  CHECK(back.samples[1].thread == 1);
}

TEST_CASE("the queue writes blocks in order, and stops at the first that cannot be written") {
  std::string written;
  {
    BlockQueue queue([&](std::string_view bytes) {
      written += bytes;
      return Result<void>();
    });
    MemoryRecorder recorder(invented_info());
    record_small(recorder, 5);
    for (const std::string &block : recorder.blocks()) {
      queue.put(block);
    }
    CHECK(queue.close());
    CHECK(written == recorder.bytes());
  }
  std::size_t writes = 0;
  BlockQueue queue([&](std::string_view /*bytes*/) -> Result<void> {
    return ++writes < 3 ? Result<void>() : fail(ExitStatus::failed, "full", "free some");
  });
  for (int i = 0; i < 100; ++i) {
    queue.put("block");
  }
  const Result<void> closed = queue.close();
  REQUIRE_FALSE(closed);
  CHECK(closed.error().what == "full");
  CHECK(queue.failed());
  CHECK(writes == 3);
}

TEST_CASE("the queue says when more waits than may, and when all is written") {
  std::promise<void> may_write;
  const std::shared_future<void> allowed = may_write.get_future().share();
  BlockQueue queue([&](std::string_view /*bytes*/) {
    allowed.wait();
    return Result<void>();
  });
  CHECK_FALSE(queue.full());
  constexpr std::size_t k_block = std::size_t{1} << 20U;
  std::size_t put = 0;
  while (!queue.full() && put < 1000) {
    queue.put(std::string(k_block, 'x'));
    ++put;
  }
  CHECK(put == BlockQueue::k_most_waiting / k_block + 1);
  CHECK_FALSE(queue.is_written_within(std::chrono::milliseconds(1)));
  may_write.set_value();
  CHECK(queue.is_written_within(std::chrono::minutes(1)));
  CHECK_FALSE(queue.full());
  CHECK(queue.close());
}

TEST_CASE("corrupted recordings are read or refused, and never tell what was not written") {
  MemoryRecorder recorder(invented_info());
  record_small(recorder, 9);
  const Outcome whole = read_through(recorder.bytes());
  std::mt19937_64 random(9);
  for (int i = 0; i < 300; ++i) {
    CHECK(read_through(corrupt(recorder.bytes(), random)).is_beginning_of(whole));
    read_through(recording_of(corrupt_blocks(recorder.blocks(), random)));
  }
}
