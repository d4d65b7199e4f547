#include "page_calls.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "cells.hpp"
#include "page_json.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_most_rows = 300;
constexpr std::size_t k_most_awaited = 3;

Json row(const FunctionLatency &function, PageLabels &labels) {
  Json await_on = Json::array();
  for (std::size_t i = 0; i < std::min(k_most_awaited, function.await_on.size()); ++i) {
    await_on.push_back({labels.number(function.await_on[i].code), function.await_on[i].ns});
  }
  return {{"label", labels.number(function.code)},
          {"calls", function.calls},
          {"begun", function.begun},
          {"cut", function.cut},
          {"entry", function.entry},
          {"merged", function.merged},
          {"p50", page_length(function.p50)},
          {"p95", page_length(function.p95)},
          {"p99", page_length(function.p99)},
          {"max_ns", function.max_ns},
          {"cpu_ns", function.cpu_ns},
          {"await_ns", function.await_ns},
          {"await_on", std::move(await_on)}};
}

/// The project's functions, entry points first; all where none is the project's.
Json rows(const Latencies &latencies, PageLabels &labels) {
  std::vector<const FunctionLatency *> shown;
  for (const FunctionLatency &function : latencies.functions) {
    if (function.project) {
      shown.push_back(&function);
    }
  }
  if (shown.empty()) {
    for (const FunctionLatency &function : latencies.functions) {
      shown.push_back(&function);
    }
  }
  std::stable_partition(shown.begin(), shown.end(), [](const auto *function) { return function->entry; });
  shown.resize(std::min(shown.size(), k_most_rows));
  Json list = Json::array();
  for (const FunctionLatency *function : shown) {
    list.push_back(row(*function, labels));
  }
  return list;
}

/// [label, end less that of the call before, length, what is known of that, whether it had begun before, await, …].
std::string calls(const CallList &list, PageLabels &labels) {
  std::string text;
  std::int64_t before_ns = 0;
  for (const CallList::Call &call : list.calls) {
    fmt::format_to(std::back_inserter(text), "{}{},{},{},{},{},{}", text.empty() ? "" : ",", labels.number(call.code),
                   call.to_ns - before_ns, call.length.ns, static_cast<int>(call.length.is), call.begun ? 0 : 1,
                   call.await_ns);
    before_ns = call.to_ns;
  }
  return list.complete ? "[" + text + "]" : "null";
}

Json slowest(const CallList &list, PageLabels &labels) {
  Json all = Json::array();
  for (const CallList::Slow &call : list.slowest) {
    Json parts = Json::array();
    for (const CallList::Part &part : call.parts) {
      parts.push_back({{"label", labels.number(part.code)},
                       {"from", part.from_ns},
                       {"to", part.to_ns},
                       {"await_ns", part.await_ns},
                       {"depth", part.depth + 1}});
    }
    all.push_back({{"label", labels.number(call.code)},
                   {"from", call.from_ns},
                   {"to", call.to_ns},
                   {"await_ns", call.await_ns},
                   {"ended", call.ended},
                   {"parts", std::move(parts)},
                   {"more", call.more}});
  }
  return all;
}

} // namespace

std::string page_calls(const PageContents &contents, PageLabels &labels) {
  if (!contents.latencies) {
    return "null";
  }
  const std::string listed = calls(contents.calls, labels);
  return fmt::format(
      "{{\"resolution_ns\":{},\"for_p95\":{},\"for_p99\":{},\n\"rows\":{},\n\"calls\":{},\n\"slowest\":{}}}",
      contents.latencies->resolution_ns, k_calls_for_p95, k_calls_for_p99, page_json(rows(*contents.latencies, labels)),
      listed, page_json(slowest(contents.calls, labels)));
}

} // namespace awaitscope
