#include "awaitscope/report/latency.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "awaitscope/report/function_numbers.hpp"
#include "awaitscope/report/plain_calls.hpp"
#include "awaitscope/report/row_budget.hpp"
#include "task_frames.hpp"

namespace awaitscope {
namespace {

/// The innermost coroutine of a task, and the task that it awaits, as the stack of that one has them: in front of the last border
/// and behind it. Nothing if there is no such frame.
struct AwaitedTask {
  CodeId by = 0;
  CodeId task = 0;
};
std::optional<AwaitedTask> awaited_task(const RecordingTables &tables, StackId stack) {
  const std::vector<Frame> frames = tables.stacks.frames(stack);
  for (std::size_t i = frames.size(); i-- > 1;) {
    if (frames[i].kind != FrameKind::task_border) {
      continue;
    }
    std::size_t caller = i - 1;
    while (caller > 0 && is_inserted(frames[caller].kind)) {
      --caller;
    }
    const bool by_coroutine = frames[caller].kind == FrameKind::python;
    const bool in_task = std::any_of(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(i),
                                     [](const Frame &frame) { return frame.kind == FrameKind::task_border; });
    return by_coroutine && in_task ? std::optional(AwaitedTask{frames[caller].code, frames[i].code}) : std::nullopt;
  }
  return std::nullopt;
}

/// The calls of one function as they come in.
struct GatheredLatency {
  FunctionLatency latency;
  LengthEstimate lengths;
  std::uint64_t whole = 0;
  std::uint64_t entries = 0;
  std::uint64_t alike = 0; ///< calls that nothing tells from the one before
  std::int64_t sum_ns = 0;
  std::map<std::pair<std::size_t, WaitKind>, AwaitedTime> await_on;   ///< by the awaitable's number
  std::optional<CodeId> child;                                        ///< of a task that it awaited
  std::map<std::size_t, std::pair<CodeId, std::uint64_t>> blocked_in; ///< by the innermost function's number

  /// Its length is what it counts as.
  Length add(const CallSpan &call, FunctionNumbers &numbers) {
    const Length length = seen_length(call);
    latency.code = call.code;
    ++latency.calls;
    if (length.ns > latency.max_ns) {
      latency.max_ns = length.ns;
      latency.max_is = call.begun ? length.is : Length::Is::longer;
    }
    latency.await_ns += call.await_ns;
    const std::size_t self = numbers.number(call.code);
    for (const AwaitedTime &time : call.await_on) {
      if (const std::size_t number = numbers.number(time.code); number != self) { // not of one that calls itself
        AwaitedTime &entry = await_on[{number, time.kind}];
        entry = {time.code, time.kind, entry.ns + time.ns};
      }
    }
    latency.brief += length.is == Length::Is::shorter ? 1 : 0;
    if (call.begun) {
      lengths.add(length);
    }
    if (call.begun && call.ended) {
      ++whole;
      sum_ns += length.ns;
    } else {
      ++latency.cut;
    }
    latency.begun += call.begun ? 1 : 0;
    entries += call.entry ? 1 : 0;
    return length;
  }

  FunctionLatency finish() {
    constexpr std::uint64_t k_few_alike = 50; // one of so many is not enough to make another percentile
    latency.merged = alike * k_few_alike > latency.calls;
    latency.entry = 2 * entries > latency.calls;
    std::vector<Length> found = lengths.quantiles({0.50, 0.95, 0.99});
    for (Length &length : found) {
      length.is = latency.merged && length.is == Length::Is::measured ? Length::Is::shorter : length.is;
    }
    if (!found.empty()) {
      latency.p50 = found[0];
      latency.p95 = found[1];
      latency.p99 = found[2];
    }
    if (whole > 0) {
      latency.mean_ns = sum_ns / static_cast<std::int64_t>(whole);
    }
    std::uint64_t rest_ns = latency.await_ns;
    for (const auto &[key, wait] : await_on) {
      rest_ns -= std::min(rest_ns, wait.ns);
      latency.await_on.push_back(wait);
    }
    if (child && rest_ns > 0) {
      add_wait(latency.await_on, {*child, WaitKind::task, rest_ns});
    }
    for (const auto &[number, wait] : blocked_in) {
      latency.blocked_in.push_back(wait);
    }
    std::stable_sort(latency.await_on.begin(), latency.await_on.end(),
                     [](const AwaitedTime &a, const AwaitedTime &b) { return a.ns > b.ns; });
    std::stable_sort(latency.blocked_in.begin(), latency.blocked_in.end(),
                     [](const auto &a, const auto &b) { return a.second > b.second; });
    return latency;
  }
};

/// Calls `visit` for each function that is among these frames, once.
template <typename Visit>
void visit_functions(std::vector<GatheredLatency> &functions, FunctionNumbers &numbers,
                     const std::vector<Frame> &frames, const Visit &visit) {
  std::vector<std::size_t> visited; // a function that calls itself counts once
  for (const Frame &frame : frames) {
    const std::size_t number = numbers.number(frame.code);
    if (number < functions.size() && std::find(visited.begin(), visited.end(), number) == visited.end()) {
      visited.push_back(number);
      visit(functions[number], number);
    }
  }
}

/// Changes are seen where a task is suspended, and say what it used between; which of its calls used it, samples tell.
void add_cpu(std::vector<GatheredLatency> &functions, FunctionNumbers &numbers, const RecordingTables &tables,
             const CpuEstimate &cpu, const std::map<std::pair<StackId, std::uint32_t>, std::uint64_t> &samples) {
  for (const auto &[place, count] : samples) {
    const std::uint64_t cpu_ns = cpu.cpu_ns(place.second, count);
    const std::vector<Frame> frames = own_frames(tables.stacks.frames(place.first)); // of a thread's stack: all
    visit_functions(functions, numbers, frames,
                    [&](GatheredLatency &function, std::size_t) { function.latency.cpu_ns += cpu_ns; });
  }
}

/// Likewise the time for which threads could not go on. `samples` by stack and state.
void add_waiting(std::vector<GatheredLatency> &functions, FunctionNumbers &numbers, const RecordingTables &tables,
                 std::int64_t period_ns, const std::map<std::pair<StackId, ThreadState>, std::uint64_t> &samples) {
  for (const auto &[place, count] : samples) {
    const std::uint64_t waited_ns = count * static_cast<std::uint64_t>(period_ns);
    const ThreadState state = place.second;
    const bool blocked = state == ThreadState::blocked;
    const std::vector<Frame> frames = own_frames(tables.stacks.frames(place.first));
    const std::size_t innermost = frames.empty() ? 0 : numbers.number(frames.back().code);
    visit_functions(functions, numbers, frames, [&](GatheredLatency &function, std::size_t number) {
      (blocked                     ? function.latency.blocked_ns
       : state == ThreadState::gil ? function.latency.gil_ns
                                   : function.latency.runnable_ns) += waited_ns;
      if (blocked && number != innermost) {
        auto &wait = function.blocked_in[innermost];
        wait.first = frames.back().code;
        wait.second += waited_ns;
      }
    });
  }
}

/// Of the ticks, the mean one if the rate was lowered.
std::int64_t period_of(const RecordingReader &reader) {
  const SamplingTotals &totals = reader.totals();
  return totals.slowest_millihertz != 0 && totals.ticks != 0
             ? totals.elapsed_ns / static_cast<std::int64_t>(totals.ticks)
             : reader.info().period_ns();
}

/// The 90th percentile of the gaps between the readings that found a change, and at least the period.
std::int64_t resolution_of(const RecordingReader &reader, std::vector<std::int64_t> &gaps_ns) {
  std::int64_t resolution_ns = period_of(reader);
  if (!gaps_ns.empty()) {
    const auto ninth = gaps_ns.begin() + static_cast<std::ptrdiff_t>((gaps_ns.size() - 1) * 9 / 10);
    std::nth_element(gaps_ns.begin(), ninth, gaps_ns.end());
    resolution_ns = std::max(resolution_ns, *ninth);
  }
  return resolution_ns;
}

/// What a table has at its top is greatest.
double weight_of(const FunctionLatency &function, TableOrder order) {
  switch (order) {
  case TableOrder::calls:
    return static_cast<double>(function.calls);
  case TableOrder::p50:
    return length_of(function.p50);
  case TableOrder::p95:
    return length_of(function.p95);
  case TableOrder::p99:
    return length_of(function.p99);
  case TableOrder::max:
    return static_cast<double>(function.max_ns);
  case TableOrder::usual:
  case TableOrder::self:
  case TableOrder::total:
    break;
  }
  // What a request waits for longest.
  return static_cast<double>(function.cpu_ns + function.runnable_ns + function.gil_ns + function.blocked_ns +
                             function.await_ns);
}

void sort(std::vector<FunctionLatency> &functions, const RecordingTables &tables, TableOrder order) {
  const auto rank = [&](const FunctionLatency &function) {
    const CodeInfo &code = tables.codes.at(function.code);
    return std::make_tuple(-weight_of(function, order), code.function, code.file, code.first_line);
  };
  std::sort(functions.begin(), functions.end(),
            [&](const FunctionLatency &a, const FunctionLatency &b) { return rank(a) < rank(b); });
}

/// A call whose beginning and end are known to the nanosecond.
CallSpan span_of(const RecordedTracedCall &call) {
  CallSpan span;
  span.code = call.code;
  span.from_ns = span.first_seen_ns = call.begin_ns;
  span.to_ns = span.last_seen_ns = call.begin_ns + static_cast<std::int64_t>(call.duration_ns);
  span.ended = !call.unfinished;
  return span;
}

/// What a view is of.
struct Scope {
  const RecordingTables &tables;
  const TimeRange &range;
  const Filter &filter;

  [[nodiscard]] bool has_task(std::uint32_t task) const {
    const RecordedTask &known = tables.tasks[task];
    return passes_process(tables.texts[known.process], filter) &&
           (filter.tasks.empty() || passes(tables.codes.at(known.coroutine).function, filter.tasks) ||
            passes(tables.texts[known.name], filter.tasks));
  }
  [[nodiscard]] bool has_thread(std::uint32_t thread, std::uint32_t task) const {
    return task != 0 ? has_task(task)
                     : filter.tasks.empty() && passes_process(tables.texts[tables.threads[thread].process], filter);
  }
  [[nodiscard]] bool has(const CallSpan &call) const {
    return call.to_ns >= range.since_ns && call.from_ns <= range.until_ns &&
           passes(tables.codes.at(call.code), filter.functions);
  }
};

} // namespace

class LatencyBuilder::Reading {
public:
  Reading(const RecordingReader &reader, const TimeRange &range, Filter filter, Visit visit)
      : visit_(std::move(visit)), reader_(reader), tables_(reader.tables()), range_(range),
        filter_(std::move(filter)), scope_{tables_, range_, filter_}, numbers_(tables_.codes),
        walked_(reader, RowBudget::k_walked), kept_(reader, RowBudget::k_kept),
        calls_(tables_, [this](std::uint32_t task, const CallSpan &call) { add_call(task, call); }),
        origins_(tables_.codes),
        plain_calls_(tables_, period_of(reader), [this](const PlainCallSpans::Call &call) { add_call(call); }),
        spans_([this](const TaskSpan &span) { calls_.add(span); }) {}

  /// The block that the reader is at.
  Result<void> add_block() {
    for (const SampleRun &run : reader_.samples()) {
      if (!spend(std::max<std::size_t>(tables_.stacks.depth(run.stack), run.calls.outer + run.calls.count))) {
        return RowBudget::exceeded();
      }
      add(run);
    }
    for (const RecordedTracedCall &call : reader_.traced_calls()) {
      add(call);
    }
    for (const RecordedTaskChange &change : reader_.task_changes()) {
      if (!spend(tables_.stacks.depth(change.stack))) {
        return RowBudget::exceeded();
      }
      add(change);
    }
    return {};
  }

  /// After the last block.
  Latencies finish(TableOrder order) {
    latencies_.traced = reader_.info().arguments == Arguments::traced;
    latencies_.resolution_ns = latencies_.traced ? 0 : resolution_of(reader_, gaps_ns_);
    spans_.finish(std::max(last_ns_, reader_.totals().elapsed_ns));
    calls_.finish();
    plain_calls_.finish(std::max(last_ns_, reader_.totals().elapsed_ns));
    latencies_.plain_calls = plain_calls_.any();
    cpu_.finish(reader_);
    add_cpu(functions_, numbers_, tables_, cpu_, on_cpu_);
    add_waiting(functions_, numbers_, tables_, reader_.info().period_ns(), off_cpu_); // rows count the ticks left out
    for (GatheredLatency &function : functions_) {
      if (function.latency.calls > 0) {
        const std::size_t number = numbers_.number(function.latency.code);
        const auto child = child_of_.find(number);
        if (child != child_of_.end() && numbers_.number(child->second) != number) { // not of one that calls itself
          function.child = child->second;
        }
        function.latency.project = origins_.is_project(function.latency.code);
        latencies_.functions.push_back(function.finish());
      }
    }
    sort(latencies_.functions, tables_, order);
    return std::move(latencies_);
  }

private:
  GatheredLatency &function_of(const CallSpan &call) {
    const std::size_t number = numbers_.number(call.code);
    functions_.resize(std::max(functions_.size(), number + 1));
    return functions_[number];
  }

  bool spend(std::size_t frames) {
    within_ = within_ && walked_.spend(frames);
    return within_;
  }

  void add_call(std::uint32_t task, const CallSpan &call) {
    if (scope_.has_task(task) && scope_.has(call)) {
      within_ = within_ && kept_.spend(1);
      report(call, function_of(call).add(call, numbers_), task);
    }
  }

  void add_call(const PlainCallSpans::Call &call) {
    if (scope_.has_thread(call.thread, call.task) && scope_.has(call.span)) {
      within_ = within_ && kept_.spend(1);
      GatheredLatency &function = function_of(call.span);
      report(call.span, function.add(call.span, numbers_), std::nullopt);
      function.alike += call.alike ? 1 : 0;
    }
  }

  void add(const SampleRun &run) {
    last_ns_ = std::max(last_ns_, run.last_ns);
    cpu_.add(run);
    plain_calls_.add(run);
    if (run.calls.known && run.calls.before_ns >= 0) {
      gaps_ns_.push_back(run.first_ns - run.calls.before_ns);
    }
    if ((run.task == 0 && !run.calls.known) || !scope_.has_thread(run.thread, run.task)) {
      return;
    }
    const std::uint64_t samples = cost_within(run, range_).samples;
    if (run.state == ThreadState::running) {
      on_cpu_[{run.stack, run.thread}] += samples;
    } else if (run.state != ThreadState::idle) {
      off_cpu_[{run.stack, run.state}] += samples;
    }
  }

  void add(const RecordedTracedCall &call) {
    const CallSpan span = span_of(call);
    if (scope_.has_thread(call.thread, 0) && scope_.has(span)) {
      GatheredLatency &function = function_of(span);
      report(span, function.add(span, numbers_), std::nullopt);
      function.latency.cpu_ns += call.cpu_ns;
    }
  }

  void add(const RecordedTaskChange &change) {
    last_ns_ = std::max(last_ns_, change.at_ns);
    spans_.add(change);
    ++latencies_.task_changes;
    if (change.before_ns >= 0) {
      gaps_ns_.push_back(change.at_ns - change.before_ns);
    }
    if (const auto awaited = change.state == TaskState::done ? std::nullopt : awaited_task(tables_, change.stack)) {
      child_of_.emplace(numbers_.number(awaited->by), awaited->task);
    }
  }

  void report(const CallSpan &span, const Length &length, std::optional<std::uint32_t> task) {
    if (visit_) {
      visit_({span, length, task});
    }
  }

  Visit visit_;
  const RecordingReader &reader_;
  const RecordingTables &tables_;
  TimeRange range_;
  Filter filter_;
  Scope scope_;
  FunctionNumbers numbers_;
  std::vector<GatheredLatency> functions_;
  CpuEstimate cpu_;
  std::map<std::pair<StackId, std::uint32_t>, std::uint64_t> on_cpu_; ///< samples by stack and thread
  std::map<std::pair<StackId, ThreadState>, std::uint64_t> off_cpu_;  ///< of threads that are not idle
  RowBudget walked_;
  RowBudget kept_;
  bool within_ = true; ///< of both
  CallSpans calls_;
  CodeOrigins origins_;
  PlainCallSpans plain_calls_;
  TaskSpans spans_;
  std::vector<std::int64_t> gaps_ns_; ///< between the readings that found a change
  std::unordered_map<std::size_t, CodeId> child_of_;
  std::int64_t last_ns_ = 0;
  Latencies latencies_;
};

LatencyBuilder::LatencyBuilder(const RecordingReader &reader, const TimeRange &range, const Filter &filter, Visit visit)
    : reading_(std::make_unique<Reading>(reader, range, filter, std::move(visit))) {}
LatencyBuilder::~LatencyBuilder() = default;
Result<void> LatencyBuilder::add_block() { return reading_->add_block(); }
Latencies LatencyBuilder::finish(TableOrder order) { return reading_->finish(order); }

Result<Latencies> read_latencies(RecordingReader &reader, const TimeRange &range, const Filter &filter,
                                 TableOrder order) {
  LatencyBuilder builder(reader, range, filter, {});
  if (const Result<void> read = reader.each_block([&] { return builder.add_block(); }); !read) {
    return tl::unexpected(read.error());
  }
  return builder.finish(order);
}

} // namespace awaitscope
