#include "awaitscope/export/hot.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/support/text.hpp"
#include "awaitscope/support/text_width.hpp"
#include "awaitscope/support/units.hpp"
#include "cells.hpp"
#include "json_text.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

/// "4711 gunicorn: worker [app]"
std::string short_process(const std::string &recorded) {
  const ProcessName name = process_name(recorded);
  return one_line(recorded.empty() ? recorded : name.pid + " " + name.program);
}

Json process_json(const std::string &recorded) {
  const ProcessName name = process_name(recorded);
  std::int64_t pid = 0;
  std::from_chars(name.pid.data(), name.pid.data() + name.pid.size(), pid);
  return recorded.empty() ? Json(nullptr) : Json({{"pid", pid}, {"name", name.program}});
}

Json cost_json(const Cost &cost) {
  return {{"samples", cost.samples}, {"cpu_ns", cost.cpu_ns}, {"events", cost.events}, {"await_ns", cost.await_ns}};
}

std::string title_of(Metric metric, const RecordingInfo &info) {
  switch (metric) {
  case Metric::wall:
    return "Wall samples";
  case Metric::cpu:
    return "CPU time";
  case Metric::events:
    return info.event.empty() ? "Events" : one_line(valid_utf8(info.event));
  case Metric::await:
    break;
  }
  return "Time suspended";
}

/// The table, row by row.
class Rows {
public:
  Rows(const HotFunctions &hot, const HotTable &table, const RecordingInfo &info, const FrameNames &names)
      : hot_(hot), asked_(table), names_(names), whole_(value_of(hot.sum, table.metric)),
        in_time_(table.metric == Metric::cpu || table.metric == Metric::await ||
                 (table.metric == Metric::events && info.event_source == EventSource::cpu_time)),
        processes_(std::any_of(hot.functions.begin(), hot.functions.end(),
                               [](const FunctionCost &function) { return !function.process.empty(); })) {}

  void add(const FunctionCost &function) {
    rows_.push_back({function.own, function.total, short_process(function.process), names_.function(function.code),
                     names_.place(function.code)});
  }

  /// What is of no function.
  void add(std::string_view name, const Cost &cost) {
    if (value_of(cost, asked_.metric) > 0) {
      rows_.push_back({cost, cost, {}, std::string(name), {}});
    }
  }

  [[nodiscard]] std::string text() const {
    std::vector<TextTable::Column> columns{{"self"}, {"total"}};
    if (processes_) {
      columns.push_back({"process", TextTable::Kind::words});
    }
    columns.push_back({"function", TextTable::Kind::name});
    columns.push_back({"file:line", TextTable::Kind::name});
    std::size_t value_width = 0;
    for (const Row &row : rows_) {
      value_width = std::max({value_width, value(row.own).size(), value(row.total).size()});
    }
    TextTable table(asked_.layout.width, std::move(columns));
    for (const Row &row : rows_) {
      std::vector<std::string> cells{cell(row.own, value_width), cell(row.total, value_width)};
      if (processes_) {
        cells.push_back(row.process);
      }
      cells.push_back(row.function);
      cells.push_back(row.place);
      table.add_row(std::move(cells));
    }
    return table.text();
  }

private:
  struct Row {
    Cost own;
    Cost total;
    std::string process;
    std::string function;
    std::string place;
  };

  [[nodiscard]] std::string value(const Cost &cost) const {
    const std::uint64_t value = value_of(cost, asked_.metric);
    return in_time_ ? seconds_cell(value, whole_) : with_thousands(value);
  }

  [[nodiscard]] std::string cell(const Cost &cost, std::size_t value_width) const {
    return fmt::format("{}  {:>{}}", percent_cell(value_of(cost, asked_.metric), whole_), value(cost), value_width);
  }

  const HotFunctions &hot_;
  const HotTable &asked_;
  const FrameNames &names_;
  std::uint64_t whole_;
  bool in_time_;
  bool processes_;
  std::vector<Row> rows_;
};

/// "app.py 41, Python 3.13.0, 2.0 s, CPU 2.00 s (100 % of a core), 0.4 % not sampled"
std::vector<std::string> head(const HotTable &table, const HotFunctions &hot, const RecordingReader &reader) {
  const SamplingTotals &totals = reader.totals();
  const std::int64_t elapsed_ns = table.range.overlap(0, totals.elapsed_ns);
  const std::string others =
      totals.processes > 1 ? fmt::format(" and {} processes more", with_thousands(totals.processes - 1)) : "";
  const std::string whole = table.range.everything() ? "" : " of " + human_duration(totals.elapsed_ns);
  std::vector<std::string> parts{one_line(table.subject) + others,
                                 "Python " + one_line(valid_utf8(reader.info().python)),
                                 human_duration(elapsed_ns) + whole};
  const std::uint64_t cpu_ns = table.recorded.cpu_ns;
  if (cpu_ns > 0 && elapsed_ns > 0) {
    parts.push_back(fmt::format("CPU {} ({:.0f} % of a core)", duration_cell(cpu_ns),
                                100.0 * static_cast<double>(cpu_ns) / static_cast<double>(elapsed_ns)));
  }
  const std::uint64_t unsampled = value_of(hot.unsampled, table.metric);
  const std::string percent = percent_cell(unsampled, value_of(hot.sum, table.metric));
  if (unsampled > 0 && percent != percent_cell(0, 1)) {
    parts.push_back(percent + " not sampled");
  }
  return parts;
}

/// Where it was spent, by whose code was the innermost.
std::vector<std::string> split(const HotFunctions &hot, Metric metric) {
  constexpr std::size_t k_named = 8; // packages
  const std::uint64_t whole = value_of(hot.sum, metric);
  std::vector<std::string> parts;
  const auto part = [&](const std::string &name, std::uint64_t value) {
    if (value > 0) {
      parts.push_back(fmt::format("{}{} {}", parts.empty() ? "Self: " : "", name, percent_cell(value, whole)));
    }
  };
  std::size_t named = 0;
  std::uint64_t rest = 0;
  std::size_t packages = 0;
  std::uint64_t standard = 0;
  for (const OriginCost &origin : hot.origins) {
    const std::uint64_t own = value_of(origin.own, metric);
    if (origin.kind == FileOrigin::Kind::project) {
      part("your code", own);
    } else if (origin.kind == FileOrigin::Kind::standard) {
      standard += own;
    } else if (own > 0 && ++named <= k_named) {
      part(one_line(origin.package), own);
    } else if (own > 0) {
      ++packages;
      rest += own;
    }
  }
  part(fmt::format("{} packages more", packages), rest);
  part("standard library", standard);
  part("native threads", value_of(hot.native, metric));
  part("unreadable", value_of(hot.unreadable, metric));
  part("not sampled", value_of(hot.unsampled, metric));
  return parts;
}

} // namespace

std::string hot_text(const HotFunctions &hot, const HotTable &table, const RecordingReader &reader,
                     const FrameNames &names) {
  const CodeTable &codes = reader.tables().codes;
  CodeOrigins origins(codes);
  Rows rows(hot, table, reader.info(), names);
  std::size_t shown = 0;
  std::size_t hidden = 0;
  for (const FunctionCost &function : hot.functions) {
    if (table.rows == ShownRows::project && !origins.is_project(function.code)) {
      ++hidden;
    } else if (table.layout.has_room(shown)) {
      ++shown;
      rows.add(function);
    }
  }
  rows.add("[native threads]", hot.native);
  rows.add("[unreadable]", hot.unreadable);
  rows.add(k_not_sampled, hot.unsampled);

  const std::string title = title_of(table.metric, reader.info());
  const bool project_only = table.rows == ShownRows::project;
  std::vector<std::string> what{
      fmt::format("{}{}, by {}: {}", title, table.reason.empty() ? "" : " (" + table.reason + ")",
                  table.order == TableOrder::total ? "total" : "self",
                  rows_of(shown, hot.functions.size() - hidden, project_only ? k_of_project : ""))};
  if (project_only) {
    what.push_back(fmt::format("{} hidden (--hide-framework)", with_thousands(hidden)));
  }
  const std::size_t width = table.layout.width;
  const std::vector<std::string> parts = split(hot, table.metric);
  return wrapped_list(head(table, hot, reader), width, 2) + wrapped_list(what, width, 2) + rows.text() +
         (parts.empty() ? "" : wrapped_list(parts, width, 2));
}

std::string hot_json(const HotFunctions &hot, Metric metric, const RecordingInfo &info, const CodeTable &codes) {
  Json functions = Json::array();
  for (const FunctionCost &function : hot.functions) {
    const CodeInfo &code = codes.at(function.code);
    functions.push_back({{"function", code.function},
                         {"file", code.file},
                         {"line", code.first_line},
                         {"process", process_json(function.process)},
                         {"own", cost_json(function.own)},
                         {"total", cost_json(function.total)}});
  }
  Json split = Json::array();
  for (const OriginCost &origin : hot.origins) {
    split.push_back({{"origin", name_of(origin.kind)},
                     {"package", origin.package.empty() ? Json(nullptr) : Json(origin.package)},
                     {"own", cost_json(origin.own)}});
  }
  const Json document = {{"schema", 1},
                         {"metric", name_of(metric)},
                         {"event", info.event.empty() ? Json(nullptr) : Json(info.event)},
                         {"sum", cost_json(hot.sum)},
                         {"unsampled", cost_json(hot.unsampled)},
                         {"native", cost_json(hot.native)},
                         {"unreadable", cost_json(hot.unreadable)},
                         {"split", std::move(split)},
                         {"functions", std::move(functions)}};
  return json_text(document);
}

} // namespace awaitscope
