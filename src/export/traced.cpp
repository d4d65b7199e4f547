#include "awaitscope/export/traced.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/support/text.hpp"
#include "awaitscope/support/units.hpp"
#include "json_text.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

std::string time(std::uint64_t nanoseconds) { return human_duration(static_cast<std::int64_t>(nanoseconds)); }

std::string cell(const std::optional<Length> &length) {
  return length ? (length->is == Length::Is::longer ? ">" : "") + human_duration(length->ns) : "-";
}

Json json(const std::optional<Length> &length) { return length ? Json(length->ns) : Json(nullptr); }

} // namespace

std::string traced_text(const std::vector<TracedFunction> &functions, FrameNames &names) {
  std::string text = fmt::format("{:>10} {:>8} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}  function\n", "calls",
                                 "raised", "own", "total", "CPU", "p50", "p95", "p99");
  for (const TracedFunction &function : functions) {
    text += fmt::format("{:>10} {:>8} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}  {}\n", with_thousands(function.calls),
                        with_thousands(function.raised), time(function.self_ns), time(function.total_ns),
                        time(function.cpu_ns), cell(function.p50), cell(function.p95), cell(function.p99),
                        one_line(names.name({function.code, 0, FrameKind::python})));
    if (function.lost > 0) {
      text += fmt::format("{:>10} calls more of it were counted, and are not in the recording\n",
                          with_thousands(function.lost));
    }
  }
  text += "Every call of these functions was counted. Their own time is without that of traced functions that they "
          "called; a call inside of a call of the same function counts once in its total.\n";
  return text;
}

std::string traced_json(const std::vector<TracedFunction> &functions, const CodeTable &codes) {
  Json rows = Json::array();
  for (const TracedFunction &function : functions) {
    const CodeInfo &code = codes.at(function.code);
    rows.push_back({{"function", code.function},
                    {"file", code.file},
                    {"line", code.first_line},
                    {"calls", function.calls},
                    {"raised", function.raised},
                    {"unfinished", function.unfinished},
                    {"lost", function.lost},
                    {"self_ns", function.self_ns},
                    {"total_ns", function.total_ns},
                    {"cpu_ns", function.cpu_ns},
                    {"p50_ns", json(function.p50)},
                    {"p95_ns", json(function.p95)},
                    {"p99_ns", json(function.p99)}});
  }
  const Json document = {{"schema", 1}, {"traced", true}, {"functions", std::move(rows)}};
  return json_text(document);
}

} // namespace awaitscope
