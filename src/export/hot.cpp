#include "awaitscope/export/hot.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/support/text.hpp"
#include "awaitscope/support/units.hpp"
#include "json_text.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_rows = 40;

struct Column {
  Metric metric;
  std::string title;
  std::size_t width; ///< of a number
  std::uint64_t whole;
};

/// Those that the recording has anything of, and that which was asked for. Events that are the CPU times stand there already.
std::vector<Column> columns(const Cost &sum, Metric asked, const RecordingInfo &info) {
  const std::string event = info.event.empty() ? "events" : one_line(valid_utf8(info.event));
  std::vector<Column> columns;
  const std::array<std::pair<Metric, std::string>, 4> titles{
      {{Metric::wall, "samples"}, {Metric::cpu, "CPU"}, {Metric::events, event}, {Metric::await, "await"}}};
  for (const auto &[metric, title] : titles) {
    const bool twice = metric == Metric::events && info.event_source == EventSource::cpu_time;
    if (metric == asked || (value_of(sum, metric) > 0 && !twice)) {
      constexpr std::size_t k_number = 12;
      constexpr std::size_t k_suffix = 6; // " total"
      columns.push_back({metric, title, std::max(k_number, title.size() + k_suffix), value_of(sum, metric)});
    }
  }
  return columns;
}

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

/// Of the column of processes, in characters; 0 if the recording does not tell any apart.
std::size_t process_width(const HotFunctions &hot) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < std::min(k_rows, hot.functions.size()); ++i) {
    width = std::max(width, short_process(hot.functions[i].process).size());
  }
  return width == 0 ? 0 : std::max(width, std::string_view("process").size());
}

std::string cell(std::uint64_t value, Metric metric) {
  const bool is_time = metric == Metric::cpu || metric == Metric::await;
  return is_time ? fmt::format("{:.3f} s", static_cast<double>(value) / 1e9) : with_thousands(value);
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? "-" : fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

Json cost_json(const Cost &cost) {
  return {{"samples", cost.samples}, {"cpu_ns", cost.cpu_ns}, {"events", cost.events}, {"await_ns", cost.await_ns}};
}

} // namespace

std::string hot_text(const HotFunctions &hot, Metric metric, const RecordingInfo &info, FrameNames &names) {
  const std::vector<Column> shown = columns(hot.sum, metric, info);
  std::string text;
  for (const Column &column : shown) {
    text += fmt::format("{:>{}} {:>8} {:>{}} {:>8}  ", column.title + " own", column.width, "", column.title + " total",
                        column.width, "");
  }
  const std::size_t width = process_width(hot);
  const auto process_cell = [&](const std::string &process) {
    return width == 0 ? std::string() : fmt::format("{:<{}}  ", process, width);
  };
  text += process_cell("process") + "function\n";
  std::size_t rows = 0;
  for (const FunctionCost &function : hot.functions) {
    if (rows == k_rows) {
      break;
    }
    ++rows;
    for (const Column &column : shown) {
      const std::uint64_t own = value_of(function.own, column.metric);
      const std::uint64_t total = value_of(function.total, column.metric);
      text +=
          fmt::format("{:>{}} {:>8} {:>{}} {:>8}  ", cell(own, column.metric), column.width, percent(own, column.whole),
                      cell(total, column.metric), column.width, percent(total, column.whole));
    }
    text += process_cell(short_process(function.process));
    text += one_line(names.name({function.code, 0, FrameKind::python})) + '\n';
  }
  if (value_of(hot.unsampled, metric) > 0) {
    for (const Column &column : shown) {
      const std::uint64_t value = value_of(hot.unsampled, column.metric);
      text += fmt::format("{:>{}} {:>8} {:>{}} {:>8}  ", cell(value, column.metric), column.width,
                          percent(value, column.whole), cell(value, column.metric), column.width,
                          percent(value, column.whole));
    }
    text += process_cell("") + std::string(k_not_sampled) + '\n';
  }
  if (hot.functions.size() > rows) {
    text += fmt::format("and {} functions more (--json has them all)\n", hot.functions.size() - rows);
  }
  return text;
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
  const Json document = {{"schema", 1},
                         {"metric", name_of(metric)},
                         {"event", info.event.empty() ? Json(nullptr) : Json(info.event)},
                         {"sum", cost_json(hot.sum)},
                         {"unsampled", cost_json(hot.unsampled)},
                         {"functions", std::move(functions)}};
  return json_text(document);
}

} // namespace awaitscope
