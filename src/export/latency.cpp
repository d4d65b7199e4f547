#include "awaitscope/export/latency.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/support/text_width.hpp"
#include "awaitscope/support/units.hpp"
#include "cells.hpp"
#include "json_text.hpp"
#include "length_json.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

/// Of a table with sections.
enum class Group : std::uint8_t { entries, project, others };

Group group_of(const FunctionLatency &function) {
  return !function.project ? Group::others : function.entry ? Group::entries : Group::project;
}

std::string_view title_of(Group group) {
  switch (group) {
  case Group::entries:
    return "Entry points of your code";
  case Group::project:
    return "Other functions of your code";
  case Group::others:
    break;
  }
  return "Packages and the standard library";
}

constexpr std::size_t k_waits_named = 3;

/// "query", or of another function with the same name as the row's "query of db.py:7".
std::string name_beside(CodeId code, CodeId self, const FrameNames &names) {
  const std::string name = names.function(code);
  return name == names.function(self) ? name + " of " + names.place(code) : name;
}

/// " (recv 1.20 s, query of db.py:7 0.10 s)": the longest of what these calls were blocked in.
std::string blocked_in(const FunctionLatency &function, const FrameNames &names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(k_waits_named, function.blocked_in.size()); ++i) {
    const auto &[code, nanoseconds] = function.blocked_in[i];
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name_beside(code, function.code, names),
                        duration_cell(nanoseconds));
  }
  return text.empty() ? text : fmt::format(" ({})", text);
}

/// " (timer 1.20 s in sleep, query 0.10 s)": the longest of what these calls awaited.
std::string awaited(const FunctionLatency &function, const FrameNames &names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(k_waits_named, function.await_on.size()); ++i) {
    const AwaitedTime &time = function.await_on[i];
    const std::string name = name_beside(time.code, function.code, names);
    text += text.empty() ? "" : ", ";
    text += time.kind == WaitKind::unknown
                ? fmt::format("{} {}", name, duration_cell(time.ns))
                : fmt::format("{} {} in {}", name_of(time.kind), duration_cell(time.ns), name);
  }
  return text.empty() ? text : fmt::format(" ({})", text);
}

/// "CPU 1.51 s, blocked 0.20 s, await 1.20 s (timer 1.20 s in sleep), 1 cut": where the time of its calls went. Nothing if nothing is known of that.
std::string spent(const FunctionLatency &function, const FrameNames &names) {
  std::string text;
  const auto part = [&](const std::string &what) { text += (text.empty() ? "" : ", ") + what; };
  if (function.cpu_ns > 0) {
    part("CPU " + duration_cell(function.cpu_ns));
  }
  if (function.runnable_ns > 0) {
    part("runnable " + duration_cell(function.runnable_ns));
  }
  if (function.gil_ns > 0) {
    part("waiting for the GIL " + duration_cell(function.gil_ns));
  }
  if (function.blocked_ns > 0) {
    part("blocked " + duration_cell(function.blocked_ns) + blocked_in(function, names));
  }
  if (function.await_ns > 0) {
    part("await " + duration_cell(function.await_ns) + awaited(function, names));
  }
  if (function.cut > 0) {
    part(fmt::format("{} cut", with_thousands(function.cut)));
  }
  return text;
}

void add_row(TextTable &table, const FunctionLatency &function, const FrameNames &names) {
  constexpr std::size_t k_indent = 8;
  table.add_row({with_thousands(function.calls), percentile_cell(function.p50, function.begun, k_calls_for_p50),
                 percentile_cell(function.p95, function.begun, k_calls_for_p95),
                 percentile_cell(function.p99, function.begun, k_calls_for_p99),
                 length_cell({function.max_ns, function.max_is}), names.function(function.code),
                 names.place(function.code)});
  if (const std::string where = spent(function, names); !where.empty()) {
    table.add_text(where, k_indent);
  }
}

/// What the numbers mean.
std::string notes(const Latencies &latencies, std::size_t width) {
  if (latencies.traced) {
    return wrapped("Every call of these functions was counted, to the nanosecond.", width);
  }
  std::string text = wrapped(
      fmt::format("Calls shorter than {} are mostly not seen, and those that are have < before the time between two "
                  "readings. Below a function stands where the time of all its calls went. A call that is cut by the "
                  "recording's end counts as longer than what was seen of it (>); "
                  "one that had begun before the recording is left out of p50 to p99. p95 takes {} calls, p99 {}.",
                  human_duration(latencies.resolution_ns), k_calls_for_p95, k_calls_for_p99),
      width);
  if (latencies.plain_calls) {
    text +=
        wrapped("A plain function is in the same call in two samples of a thread if its callers have not moved, and "
                "it cannot have got there otherwise; where several calls may count as one, p50 to p99 have <.",
                width);
  }
  return text;
}

} // namespace

std::string latency_text(const Latencies &latencies, LatencyRows rows, const TableLayout &layout,
                         const FrameNames &names) {
  std::vector<const FunctionLatency *> functions;
  for (const FunctionLatency &function : latencies.functions) {
    functions.push_back(&function);
  }
  std::stable_sort(functions.begin(), functions.end(),
                   [](const auto *a, const auto *b) { return group_of(*a) < group_of(*b); });
  const auto others = std::find_if(functions.begin(), functions.end(),
                                   [](const auto *function) { return group_of(*function) == Group::others; });
  const bool only_others = others == functions.begin() && !functions.empty();
  std::size_t hidden = 0;
  if (rows == LatencyRows::project && !only_others) {
    hidden = static_cast<std::size_t>(functions.end() - others);
    functions.erase(others, functions.end());
  }
  const bool in_sections = !functions.empty() && group_of(*functions.front()) != group_of(*functions.back());
  TextTable table(layout.width, {{"calls"},
                                 {"p50"},
                                 {"p95"},
                                 {"p99"},
                                 {"max"},
                                 {"function", TextTable::Kind::name},
                                 {"file:line", TextTable::Kind::name}});
  std::size_t shown = 0;
  for (; shown < functions.size() && layout.has_room(shown); ++shown) {
    const Group group = group_of(*functions[shown]);
    if (in_sections && (shown == 0 || group != group_of(*functions[shown - 1]))) {
      table.add_text(fmt::format("{}:", title_of(group)));
    }
    add_row(table, *functions[shown], names);
  }
  std::vector<std::string> what{"Calls of " + rows_of(shown, functions.size(), hidden > 0 ? k_of_project : "")};
  if (hidden > 0) {
    what.push_back(fmt::format("{} hidden (--framework shows them)", with_thousands(hidden)));
  } else if (only_others) {
    what.emplace_back("none of your own code");
  }
  return wrapped_list(what, layout.width, 2) + table.text() + notes(latencies, layout.width);
}

std::string latency_json(const Latencies &latencies, const CodeTable &codes) {
  Json functions = Json::array();
  for (const FunctionLatency &function : latencies.functions) {
    const CodeInfo &code = codes.at(function.code);
    Json await_on = Json::array();
    for (const AwaitedTime &time : function.await_on) {
      await_on.push_back(
          {{"function", codes.at(time.code).function}, {"waits_for", name_of(time.kind)}, {"ns", time.ns}});
    }
    Json blocked_in = Json::array();
    for (const auto &[blocked, nanoseconds] : function.blocked_in) {
      blocked_in.push_back({{"function", codes.at(blocked).function}, {"ns", nanoseconds}});
    }
    functions.push_back({{"function", code.function},
                         {"file", code.file},
                         {"line", code.first_line},
                         {"calls", function.calls},
                         {"cut", function.cut},
                         {"begun", function.begun},
                         {"project", function.project},
                         {"entry", function.entry},
                         {"brief", function.brief},
                         {"merged", function.merged},
                         {"mean_ns", function.mean_ns ? Json(*function.mean_ns) : Json(nullptr)},
                         {"p50_ns", length_json(function.p50)},
                         {"p95_ns", length_json(function.p95)},
                         {"p99_ns", length_json(function.p99)},
                         {"p50_is", bound_json(function.p50)},
                         {"p95_is", bound_json(function.p95)},
                         {"p99_is", bound_json(function.p99)},
                         {"max_ns", function.max_ns},
                         {"max_is", bound_json(Length{function.max_ns, function.max_is})},
                         {"cpu_ns", function.cpu_ns},
                         {"runnable_ns", function.runnable_ns},
                         {"gil_ns", function.gil_ns},
                         {"blocked_ns", function.blocked_ns},
                         {"blocked_in", std::move(blocked_in)},
                         {"await_ns", function.await_ns},
                         {"await_on", std::move(await_on)}});
  }
  const Json document = {
      {"schema", 1}, {"resolution_ns", latencies.resolution_ns}, {"functions", std::move(functions)}};
  return json_text(document);
}

} // namespace awaitscope
