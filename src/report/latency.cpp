#include "awaitscope/report/latency.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "awaitscope/report/function_numbers.hpp"

namespace awaitscope {
namespace {

using Waits = std::vector<std::pair<CodeId, std::uint64_t>>;

void add_wait(Waits &waits, CodeId code, std::uint64_t nanoseconds) {
  const auto known = std::find_if(waits.begin(), waits.end(), [&](const auto &wait) { return wait.first == code; });
  if (known == waits.end()) {
    waits.emplace_back(code, nanoseconds);
  } else {
    known->second += nanoseconds;
  }
}

/// The Python frames that are the task's own: those behind the last border.
std::vector<Frame> own_frames(const RecordingTables &tables, StackId stack) {
  std::vector<Frame> frames = tables.stacks.frames(stack);
  const auto border = std::find_if(frames.rbegin(), frames.rend(),
                                   [](const Frame &frame) { return frame.kind == FrameKind::task_border; });
  frames.erase(frames.begin(), border.base());
  frames.erase(
      std::remove_if(frames.begin(), frames.end(), [](const Frame &frame) { return frame.kind != FrameKind::python; }),
      frames.end());
  return frames;
}

/// The calls of one function as they come in.
struct Gathered {
  FunctionLatency latency;
  LengthEstimate lengths;
  std::uint64_t whole = 0;
  std::int64_t sum_ns = 0;
  std::map<std::size_t, std::pair<CodeId, std::uint64_t>> await_on; ///< by the awaitable's number

  void add(const CallSpan &call, FunctionNumbers &numbers) {
    const std::int64_t length = call.to_ns - call.from_ns;
    latency.code = call.code;
    ++latency.calls;
    latency.max_ns = std::max(latency.max_ns, length);
    latency.await_ns += call.await_ns;
    for (const auto &[code, nanoseconds] : call.await_on) {
      auto &entry = await_on[numbers.number(code)];
      entry.first = code;
      entry.second += nanoseconds;
    }
    if (call.begun) {
      lengths.add(length, call.ended);
    }
    if (call.begun && call.ended) {
      ++whole;
      sum_ns += length;
    } else {
      ++latency.cut;
    }
  }

  FunctionLatency finish() {
    const std::vector<std::int64_t> found = lengths.quantiles({0.50, 0.95, 0.99});
    latency.p50_ns = found.empty() ? latency.max_ns : found[0];
    latency.p95_ns = found.empty() ? latency.max_ns : found[1];
    latency.p99_ns = found.empty() ? latency.max_ns : found[2];
    latency.mean_ns = whole == 0 ? latency.max_ns : sum_ns / static_cast<std::int64_t>(whole);
    for (const auto &[number, wait] : await_on) {
      latency.await_on.push_back(wait);
    }
    std::stable_sort(latency.await_on.begin(), latency.await_on.end(),
                     [](const auto &a, const auto &b) { return a.second > b.second; });
    return latency;
  }
};

/// Changes are seen where a task is suspended, and say what it used between; which of its calls used it, samples tell.
void add_cpu(std::vector<Gathered> &functions, FunctionNumbers &numbers, const RecordingTables &tables,
             CpuEstimate &cpu, const std::map<std::pair<StackId, std::uint32_t>, std::uint64_t> &samples) {
  std::vector<std::size_t> counted; // of one stack: a function that calls itself counts once
  for (const auto &[place, count] : samples) {
    counted.clear();
    const std::uint64_t cpu_ns = cpu.take(place.second, count);
    for (const Frame &frame : own_frames(tables, place.first)) {
      const std::size_t number = numbers.number(frame.code);
      if (number < functions.size() && std::find(counted.begin(), counted.end(), number) == counted.end()) {
        counted.push_back(number);
        functions[number].latency.cpu_ns += cpu_ns;
      }
    }
  }
}

} // namespace

void CallSpans::close(Calls &calls, std::size_t from, bool ended) {
  for (std::size_t i = calls.size(); i > from; --i) { // innermost first, as they return
    calls[i - 1].ended = ended;
    const auto task = static_cast<std::uint32_t>(&calls - tasks_.data());
    visit_(task, calls[i - 1]);
  }
  calls.resize(std::min(calls.size(), from));
}

void CallSpans::add(const TaskSpan &span) {
  if (span.task >= tasks_.size()) {
    tasks_.resize(span.task + std::size_t{1});
  }
  Calls &calls = tasks_[span.task];
  const std::vector<Frame> frames = own_frames(tables_, span.stack);
  std::size_t same = 0;
  const std::size_t most = std::min({calls.size(), frames.size(), static_cast<std::size_t>(span.new_from)});
  while (same < most && calls[same].code == frames[same].code) {
    ++same;
  }
  close(calls, same, true); // each reached to this span's beginning
  for (std::size_t i = same; i < frames.size(); ++i) {
    CallSpan call;
    call.code = frames[i].code;
    call.from_ns = span.from_ns;
    call.begun = span.begun;
    calls.push_back(std::move(call));
  }
  const auto waited = static_cast<std::uint64_t>(span.state == TaskState::waiting ? span.to_ns - span.from_ns : 0);
  for (CallSpan &call : calls) {
    call.to_ns = span.to_ns;
    if (waited > 0) {
      call.await_ns += waited;
      add_wait(call.await_on, frames.back().code, waited);
    }
  }
  if (span.task_ended) {
    close(calls, 0, true);
  }
}

void CallSpans::finish() {
  for (Calls &calls : tasks_) {
    close(calls, 0, false);
  }
}

std::vector<std::int64_t> LengthEstimate::quantiles(const std::vector<double> &wanted) {
  // Of equal lengths, those that ended come first: one that was cut there lasted longer.
  std::sort(lengths_.begin(), lengths_.end(), [](const auto &a, const auto &b) {
    return a.first != b.first ? a.first < b.first : a.second && !b.second;
  });
  std::vector<std::int64_t> found;
  if (lengths_.empty()) {
    return found;
  }
  constexpr double k_rounding = 1e-9;
  double lasting = 1; // the part of calls that lasts longer than what was looked at
  auto next = wanted.begin();
  for (std::size_t i = 0; i < lengths_.size() && next != wanted.end(); ++i) {
    if (lengths_[i].second) {
      lasting *= 1 - 1 / static_cast<double>(lengths_.size() - i);
    }
    for (; next != wanted.end() && lasting <= 1 - *next + k_rounding; ++next) {
      found.push_back(lengths_[i].first);
    }
  }
  found.resize(wanted.size(), lengths_.back().first);
  return found;
}

Result<Latencies> read_latencies(RecordingReader &reader, const TimeRange &range, const Filter &filter) {
  const RecordingTables &tables = reader.tables();
  Latencies latencies;
  latencies.resolution_ns =
      1'000'000'000'000 / static_cast<std::int64_t>(std::max<std::uint64_t>(1, reader.info().rate_millihertz));
  FunctionNumbers numbers(tables.codes);
  std::vector<Gathered> functions;
  CpuEstimate cpu;
  std::map<std::pair<StackId, std::uint32_t>, std::uint64_t> on_cpu; ///< samples by stack and thread
  const auto of_task = [&](std::uint32_t task) {
    const RecordedTask &known = tables.tasks[task];
    return filter.tasks.empty() || passes(tables.codes.at(known.coroutine).function, filter.tasks) ||
           passes(tables.texts[known.name], filter.tasks);
  };
  CallSpans calls(tables, [&](std::uint32_t task, const CallSpan &call) {
    const bool inside = call.to_ns >= range.since_ns && call.from_ns <= range.until_ns;
    if (!of_task(task) || !inside || !passes(tables.codes.at(call.code), filter.functions)) {
      return;
    }
    const std::size_t number = numbers.number(call.code);
    functions.resize(std::max(functions.size(), number + 1));
    functions[number].add(call, numbers);
  });
  TaskSpans spans([&](const TaskSpan &span) { calls.add(span); });
  std::int64_t last_ns = 0;
  while (true) {
    const Result<bool> more = reader.next();
    if (!more) {
      return tl::unexpected(more.error());
    }
    if (!*more) {
      break;
    }
    for (const SampleRun &run : reader.samples()) {
      last_ns = std::max(last_ns, run.last_ns);
      cpu.add(run);
      if (run.task != 0 && run.state == ThreadState::running && of_task(run.task)) {
        on_cpu[{run.stack, run.thread}] += cost_within(run, range).samples;
      }
    }
    for (const RecordedTaskChange &change : reader.task_changes()) {
      last_ns = std::max(last_ns, change.at_ns);
      spans.add(change);
      ++latencies.task_changes;
    }
  }
  const SamplingTotals &totals = reader.totals();
  if (totals.slowest_millihertz != 0 && totals.ticks != 0) {
    latencies.resolution_ns = totals.elapsed_ns / static_cast<std::int64_t>(totals.ticks);
  }
  spans.finish(std::max(last_ns, totals.elapsed_ns));
  calls.finish();
  cpu.finish(reader);
  add_cpu(functions, numbers, tables, cpu, on_cpu);
  for (Gathered &function : functions) {
    if (function.latency.calls > 0) {
      latencies.functions.push_back(function.finish());
    }
  }
  // What a request waits for longest comes first: the calls that took most time together.
  const auto rank = [&](const FunctionLatency &function) {
    const CodeInfo &code = tables.codes.at(function.code);
    return std::make_tuple(-static_cast<double>(function.cpu_ns + function.await_ns), code.function, code.file,
                           code.first_line);
  };
  std::sort(latencies.functions.begin(), latencies.functions.end(),
            [&](const FunctionLatency &a, const FunctionLatency &b) { return rank(a) < rank(b); });
  return latencies;
}

} // namespace awaitscope
