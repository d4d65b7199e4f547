#include "awaitscope/report/traced.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "awaitscope/report/function_numbers.hpp"

namespace awaitscope {
namespace {

/// A call that has more calls of its own directly inside of it is rare, and then its oldest count twice.
constexpr std::size_t k_most_recent = 4096;

struct GatheredTrace {
  TracedFunction function;
  LengthEstimate lengths;
  std::map<std::uint32_t, OuterCalls> by_thread;

  void add(const RecordedTracedCall &call) {
    function.code = call.code;
    ++function.calls;
    function.raised += call.raised ? 1 : 0;
    function.unfinished += call.unfinished ? 1 : 0;
    function.self_ns += call.duration_ns - call.inner_ns;
    by_thread[call.thread].add({call.begin_ns, call.duration_ns, call.cpu_ns});
    lengths.add(
        {static_cast<std::int64_t>(call.duration_ns), call.unfinished ? Length::Is::longer : Length::Is::measured});
  }

  TracedFunction finish() {
    for (const auto &[thread, calls] : by_thread) {
      function.total_ns += calls.duration_ns();
      function.cpu_ns += calls.cpu_ns();
    }
    if (const std::vector<Length> found = lengths.quantiles({0.50, 0.95, 0.99}); !found.empty()) {
      function.p50 = found[0];
      function.p95 = found[1];
      function.p99 = found[2];
    }
    return function;
  }
};

} // namespace

void OuterCalls::add(const Call &call) {
  while (!recent_.empty() && recent_.back().begin_ns >= call.begin_ns) {
    duration_ns_ -= recent_.back().duration_ns;
    cpu_ns_ -= recent_.back().cpu_ns;
    recent_.pop_back();
  }
  if (recent_.size() == k_most_recent) {
    recent_.erase(recent_.begin(), recent_.begin() + k_most_recent / 2);
  }
  recent_.push_back(call);
  duration_ns_ += call.duration_ns;
  cpu_ns_ += call.cpu_ns;
}

Result<std::vector<TracedFunction>> read_traced(RecordingReader &reader, const TimeRange &range, const Filter &filter,
                                                TableOrder order) {
  const RecordingTables &tables = reader.tables();
  FunctionNumbers numbers(tables.codes);
  std::vector<GatheredTrace> functions;
  const auto function_of = [&](CodeId code) -> GatheredTrace & {
    const std::size_t number = numbers.number(code);
    functions.resize(std::max(functions.size(), number + 1));
    return functions[number];
  };
  const auto shown = [&](const RecordedTracedCall &call) {
    return call.begin_ns <= range.until_ns &&
           call.begin_ns + static_cast<std::int64_t>(call.duration_ns) >= range.since_ns &&
           passes(tables.codes.at(call.code), filter.functions) &&
           passes_process(tables.texts[tables.threads[call.thread].process], filter);
  };
  const Result<void> read = reader.each_block([&]() -> Result<void> {
    for (const RecordedTracedCall &call : reader.traced_calls()) {
      if (shown(call)) {
        function_of(call.code).add(call);
      }
    }
    for (const RecordedLostCalls &lost : reader.lost_calls()) {
      function_of(lost.code).function.lost += lost.calls;
    }
    return {};
  });
  if (!read) {
    return tl::unexpected(read.error());
  }
  std::vector<TracedFunction> traced;
  for (GatheredTrace &function : functions) {
    if (function.function.calls > 0) {
      traced.push_back(function.finish());
    }
  }
  const auto rank = [&](const TracedFunction &function) {
    const CodeInfo &code = tables.codes.at(function.code);
    const std::uint64_t weight = order == TableOrder::calls  ? function.calls
                                 : order == TableOrder::self ? function.self_ns
                                                             : function.total_ns;
    return std::make_tuple(-static_cast<double>(weight), code.function, code.file, code.first_line);
  };
  std::sort(traced.begin(), traced.end(),
            [&](const TracedFunction &a, const TracedFunction &b) { return rank(a) < rank(b); });
  return traced;
}

} // namespace awaitscope
