#include "synthetic.hpp"

#include <array>

#include <fmt/format.h>

#include "awaitscope/support/clock.hpp"

namespace awaitscope::testing {
namespace {

constexpr std::int64_t k_start = 1'000 * k_ns_per_second;
constexpr std::int64_t k_ms = 1'000'000;

/// The same numbers on every machine: distributions of <random> are not.
std::uint64_t below(std::mt19937_64 &random, std::uint64_t end) { return random() % end; }

Frame frame(CodeId code, std::int32_t line, FrameKind kind = FrameKind::python) { return {code, line, kind}; }

struct Program {
  CodeId run_once, main, handler, fetch, render, query, pool, wait, sleep;

  explicit Program(CodeTable &codes)
      : run_once(codes.add({"BaseEventLoop._run_once", "/usr/lib/python3.13/asyncio/base_events.py", 1970})),
        main(codes.add({"main", "/srv/shop/app.py", 10})),
        handler(codes.add({"Shop.handler", "/srv/shop/views.py", 20})),
        fetch(codes.add({"fetch", "/srv/shop/views.py", 40})),
        render(codes.add({"render.<locals>.part", "/srv/shop/templates.py", 7})),
        query(codes.add({"Запрос;x", "/srv/shop/db.py", 3})),
        pool(codes.add({"_worker", "/usr/lib/python3.13/concurrent/futures/thread.py", 69})),
        wait(codes.add({"Condition.wait", "/usr/lib/python3.13/threading.py", 337})), sleep(codes.add_name("sleep")) {}
};

Sample sample_at(std::int64_t time_ns, ThreadId tid, std::vector<Frame> frames, bool in_task) {
  Sample sample;
  sample.time_ns = time_ns;
  sample.tid = tid;
  sample.stack = {std::move(frames), in_task};
  return sample;
}

/// What the main thread does at a moment.
Sample main_sample(const Program &program, std::mt19937_64 &random, std::int64_t time_ns) {
  const auto line = static_cast<std::int32_t>(below(random, 5));
  Sample sample;
  switch (below(random, 8)) {
  case 0:
    sample = sample_at(time_ns, 41, {frame(program.main, 12), frame(program.run_once, 1990 + line)}, false);
    break;
  case 1:
    sample = sample_at(time_ns, 41,
                       {frame(program.main, 12), frame(program.run_once, 2000, FrameKind::loop), k_unreadable_frame,
                        frame(program.handler, 0, FrameKind::task_border), frame(program.handler, 21)},
                       true);
    sample.task = 0x1000;
    break;
  default:
    sample = sample_at(time_ns, 41,
                       {frame(program.main, 12, FrameKind::loop), frame(program.run_once, 2000, FrameKind::loop),
                        frame(program.handler, 0, FrameKind::task_border), frame(program.handler, 25),
                        frame(program.fetch, 0, FrameKind::task_border), frame(program.fetch, 41 + line),
                        frame(program.render, 8 + line), frame(program.query, 4)},
                       true);
    sample.task = 0x2000 + 0x100 * below(random, 2);
    sample.task_name = "checkout";
    break;
  }
  sample.cpu_ns = 700'000 + below(random, 400'000);
  sample.events = below(random, 3);
  return sample;
}

TaskChange change_at(const Program &program, std::int64_t time_ns, Address task, TaskState state) {
  TaskChange change;
  change.task = task;
  change.coroutine = program.fetch;
  change.state = state;
  change.at_ns = time_ns;
  change.before_ns = time_ns - k_ms;
  change.cpu_ns = state == TaskState::waiting ? 3 * k_ms : 0;
  change.frames = {frame(program.fetch, 44)};
  if (state == TaskState::waiting) {
    change.frames.push_back(frame(program.sleep, 0));
  }
  return change;
}

} // namespace

MemoryRecorder::MemoryRecorder(const RecordingInfo &info) : bytes_(recording_head()) {
  writer_ = std::make_unique<RecordingWriter>(info, codes, [this](std::string block) {
    bytes_ += encoder_.encode(block);
    blocks_.push_back(std::move(block));
  });
}

std::string recording_of(const std::vector<std::string> &blocks) {
  FrameEncoder encoder;
  std::string bytes = recording_head();
  for (const std::string &block : blocks) {
    bytes += encoder.encode(block);
  }
  return bytes;
}

RecordingInfo invented_info() {
  RecordingInfo info;
  info.tool_version = "0.1.0";
  info.tool_command = {"awaitscope", "record", "-p", "41", "--idle"};
  info.host = "shop-1";
  info.pid = 41;
  info.executable = "/usr/bin/python3.13";
  info.command = {"python3", "app.py", "--name", "a b"};
  info.python = "3.13.0";
  info.engine = "preempt";
  info.rate_millihertz = 1'000'000;
  info.event = "page-faults";
  info.start_ns = k_start;
  info.start_realtime_ns = 1'700'000'000 * k_ns_per_second;
  info.idle_threads = true;
  info.task_names = true;
  info.import_paths = {"/srv/shop", "/usr/lib/python3.13"};
  return info;
}

RecordingInfo info_at_100_hz() {
  RecordingInfo info = invented_info();
  info.rate_millihertz = 100'000;
  info.start_ns = 0;
  return info;
}

void record_small(MemoryRecorder &recorder, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const Program program(recorder.codes);
  RecordingWriter &writer = recorder.writer();
  SamplingTotals totals;
  for (int tick = 0; tick < 2000; ++tick) {
    const std::int64_t now = k_start + tick * k_ms + static_cast<std::int64_t>(below(random, k_ms));
    ++totals.ticks;
    writer.add(main_sample(program, random, now), "MainThread");
    Sample waiting = sample_at(now, 42, {frame(program.pool, 80), frame(program.wait, 355)}, false);
    waiting.state = ThreadState::idle;
    writer.add(waiting, "ThreadPoolExecutor-3_0");
    totals.samples += 2;
    if (tick % 400 == 100) {
      Sample busy = sample_at(now, 50 + tick, {frame(program.pool, 92), frame(program.query, 5)}, false);
      busy.cpu_ns = 2 * k_ms + 345;
      writer.add(busy, fmt::format("Thread-{} (poll)", tick));
      ++totals.samples;
    }
    if (tick % 100 == 20) {
      writer.add(change_at(program, now, 0x2000, TaskState::waiting));
    } else if (tick % 100 == 80) {
      writer.add(change_at(program, now, 0x2000, tick % 200 == 80 ? TaskState::running : TaskState::done));
    }
    totals.elapsed_ns = now - k_start;
    totals.process_cpu_ns = static_cast<std::uint64_t>(tick) * k_ms;
    totals.lost[0] = static_cast<std::uint64_t>(tick) / 500;
    if (tick % 250 == 249) {
      writer.keep_up(now, totals);
    }
  }
  totals.partial = 250;
  totals.read_ns = 30 * k_ms;
  totals.longest_read_ns = 200'000;
  totals.busy_ns = 50 * k_ms;
  totals.longest_busy_ns = 300'000;
  writer.finish(totals);
}

void record_processes(MemoryRecorder &recorder, std::uint64_t seed) {
  constexpr ThreadId k_processes = 5;
  constexpr std::array k_states{ThreadState::running, ThreadState::runnable, ThreadState::blocked, ThreadState::idle};
  std::mt19937_64 random(seed);
  const Program program(recorder.codes);
  RecordingWriter &writer = recorder.writer();
  SamplingTotals totals;
  for (int tick = 0; tick < 500; ++tick) {
    const std::int64_t now = k_start + tick * k_ms + static_cast<std::int64_t>(below(random, k_ms));
    const ThreadId met = 100 + tick / 100;
    if (tick % 100 == 0) {
      writer.name_process(met, fmt::format("process {} gunicorn: worker [shop {}]", met, tick));
      writer.add_import_paths({fmt::format("/srv/worker-{}", met)});
      totals.process_cpu.push_back({met, 0});
    }
    ++totals.ticks;
    Sample sample = sample_at(now, met, {frame(program.main, 80), frame(program.query, 5)}, false);
    sample.process = 100 + static_cast<ThreadId>(below(random, k_processes));
    sample.state = k_states[below(random, k_states.size())];
    sample.cpu_ns = sample.state == ThreadState::running ? k_ms : 0;
    writer.add(sample, fmt::format("worker-{}", tick % 7));
    ++totals.samples;
    totals.process_cpu[below(random, totals.process_cpu.size())].cpu_ns += k_ms;
    totals.elapsed_ns = now - k_start;
    totals.process_cpu_ns = static_cast<std::uint64_t>(tick) * k_ms;
    totals.processes = totals.process_cpu.size();
    if (tick % 125 == 124) {
      writer.name_engine(tick < 300 ? "preempt" : "bpf");
      writer.keep_up(now, totals);
    }
  }
  writer.finish(totals);
}

void record_arguments(MemoryRecorder &recorder, std::uint64_t seed) {
  constexpr std::uint64_t k_values = 20;
  std::mt19937_64 random(seed);
  const Program program(recorder.codes);
  RecordingWriter &writer = recorder.writer();
  const auto key = [&](CodeId code, std::uint64_t value) {
    return ArgumentKey{code, code == program.query ? 0 : value % 3 + 1, value + 1, 0,
                       value == 0 ? ValueTrait::unhashable | ValueTrait::identity : std::uint8_t{0}};
  };
  SamplingTotals totals;
  for (int tick = 0; tick < 500; ++tick) {
    const std::int64_t now = k_start + tick * k_ms + static_cast<std::int64_t>(below(random, k_ms));
    Sample sample = sample_at(now, 41, {frame(program.main, 80), frame(program.query, 5)}, false);
    sample.calls = {true, 0, 2, static_cast<std::uint32_t>(below(random, 3)), 0, now - k_ms};
    for (std::uint32_t i = sample.calls.same; i < 2; ++i) {
      sample.arguments.push_back({1 - i, key(i == 0 ? program.main : program.query, below(random, k_values))});
    }
    sample.cpu_ns = k_ms;
    writer.add(sample, "MainThread");
    TracedCall call;
    call.tid = 41;
    call.begin_ns = now;
    call.duration_ns = below(random, k_ms);
    call.cpu_ns = tick % 2 == 0 ? call.duration_ns / 2 : 0;
    call.key = key(program.render, below(random, k_values));
    call.returned = call.key.others * 7;
    call.raised = tick % 50 == 0;
    writer.add(call, "MainThread");
    ++totals.ticks;
    ++totals.samples;
    totals.elapsed_ns = now - k_start;
    totals.process_cpu_ns = static_cast<std::uint64_t>(tick) * k_ms;
    if (tick % 100 == 0) {
      writer.add(FunctionFact{program.query, FunctionFact::Kind::uses, fmt::format("time.time_{}", tick)});
      writer.add_lost_calls(program.render, 3);
    }
    if (tick % 125 == 124) {
      writer.keep_up(now, totals);
    }
  }
  writer.finish(totals);
}

void record_big(MemoryRecorder &recorder, std::uint64_t samples, std::uint32_t stacks) {
  constexpr std::uint32_t k_depth = 30;
  std::mt19937_64 random(1);
  constexpr int k_functions = 500;
  std::vector<CodeId> functions;
  functions.reserve(k_functions);
  for (int i = 0; i < k_functions; ++i) {
    functions.push_back(
        recorder.codes.add({fmt::format("function_{}", i), fmt::format("/srv/shop/module_{}.py", i % 40), 10 + i}));
  }
  std::vector<Sample> kinds(stacks);
  for (std::uint32_t i = 0; i < stacks; ++i) {
    for (std::uint32_t depth = 0; depth < k_depth; ++depth) {
      // Siblings share most of their stack.
      const std::uint64_t choice = depth < k_depth - 6 ? depth + i % 4 : random();
      kinds[i].stack.frames.push_back(frame(functions[choice % functions.size()], static_cast<std::int32_t>(depth)));
    }
    kinds[i].stack.frames.push_back(frame(functions[i % functions.size()], static_cast<std::int32_t>(i)));
  }
  RecordingWriter &writer = recorder.writer();
  SamplingTotals totals;
  std::uint64_t kind = 0;
  std::int64_t now = k_start;
  for (std::uint64_t i = 0; i < samples; ++i) {
    now += k_ms / 2 + static_cast<std::int64_t>(below(random, k_ms));
    kind = (kind + 1 + below(random, stacks - 1)) % stacks;
    Sample &sample = kinds[kind];
    sample.time_ns = now;
    sample.tid = 41;
    sample.cpu_ns = 900'000 + below(random, 200'000);
    writer.add(sample, "MainThread");
    totals.ticks = totals.samples = i + 1;
    totals.elapsed_ns = now - k_start;
    if (i % 256 == 0) {
      writer.keep_up(now, totals);
    }
  }
  writer.finish(totals);
}

} // namespace awaitscope::testing
