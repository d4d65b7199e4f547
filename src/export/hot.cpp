#include "awaitscope/export/hot.hpp"

#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/support/text.hpp"
#include "awaitscope/support/units.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_rows = 40;

struct Column {
  Metric metric;
  const char *title;
};
constexpr std::array<Column, 4> k_columns{
    {{Metric::wall, "samples"}, {Metric::cpu, "CPU"}, {Metric::events, "events"}, {Metric::await, "await"}}};

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

std::string hot_text(const HotFunctions &hot, Metric metric, FrameNames &names) {
  std::string text;
  for (const Column &column : k_columns) {
    if (column.metric == metric || value_of(hot.sum, column.metric) > 0) {
      text += fmt::format("{:>12} {:>8} {:>12} {:>8}  ", fmt::format("{} own", column.title), "",
                          fmt::format("{} total", column.title), "");
    }
  }
  text += "function\n";
  std::size_t rows = 0;
  for (const FunctionCost &function : hot.functions) {
    if (rows == k_rows) {
      break;
    }
    ++rows;
    for (const Column &column : k_columns) {
      const std::uint64_t sum = value_of(hot.sum, column.metric);
      if (column.metric == metric || sum > 0) {
        const std::uint64_t own = value_of(function.own, column.metric);
        const std::uint64_t total = value_of(function.total, column.metric);
        text += fmt::format("{:>12} {:>8} {:>12} {:>8}  ", cell(own, column.metric), percent(own, sum),
                            cell(total, column.metric), percent(total, sum));
      }
    }
    text += one_line(names.name({function.code, 0, FrameKind::python})) + '\n';
  }
  if (hot.functions.size() > rows) {
    text += fmt::format("and {} functions more (--json has them all)\n", hot.functions.size() - rows);
  }
  return text;
}

std::string hot_json(const HotFunctions &hot, Metric metric, const CodeTable &codes) {
  Json functions = Json::array();
  for (const FunctionCost &function : hot.functions) {
    const CodeInfo &code = codes.at(function.code);
    functions.push_back({{"function", code.function},
                         {"file", code.file},
                         {"line", code.first_line},
                         {"own", cost_json(function.own)},
                         {"total", cost_json(function.total)}});
  }
  const Json document = {
      {"schema", 1}, {"metric", name_of(metric)}, {"sum", cost_json(hot.sum)}, {"functions", std::move(functions)}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace awaitscope
