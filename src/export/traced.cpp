#include "awaitscope/export/traced.hpp"

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

} // namespace

std::string traced_text(const std::vector<TracedFunction> &functions, const TableLayout &layout,
                        const FrameNames &names) {
  constexpr std::size_t k_indent = 8;
  TextTable table(layout.width, {{"calls"},
                                 {"self"},
                                 {"total"},
                                 {"CPU"},
                                 {"function", TextTable::Kind::name},
                                 {"file:line", TextTable::Kind::name}});
  std::size_t shown = 0;
  for (; shown < functions.size() && layout.has_room(shown); ++shown) {
    const TracedFunction &function = functions[shown];
    table.add_row({with_thousands(function.calls), duration_cell(function.self_ns), duration_cell(function.total_ns),
                   duration_cell(function.cpu_ns), names.function(function.code), names.place(function.code)});
    std::string more =
        fmt::format("p50 {}, p95 {}, p99 {}", percentile_cell(function.p50, function.calls, k_calls_for_p50),
                    percentile_cell(function.p95, function.calls, k_calls_for_p95),
                    percentile_cell(function.p99, function.calls, k_calls_for_p99));
    more += function.raised > 0 ? fmt::format(", {} raised", with_thousands(function.raised)) : "";
    more += function.lost > 0
                ? fmt::format(", {} more were counted, and are not in the recording", with_thousands(function.lost))
                : "";
    table.add_text(more, k_indent);
  }
  return wrapped("Calls of " + rows_of(shown, functions.size()), layout.width, 2) + table.text() +
         wrapped("Every call of these functions was counted. The time of self is without that of traced functions that "
                 "they called; a call inside of a call of the same function counts once in its total.",
                 layout.width);
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
                    {"p50_ns", length_json(function.p50)},
                    {"p95_ns", length_json(function.p95)},
                    {"p99_ns", length_json(function.p99)}});
  }
  const Json document = {{"schema", 1}, {"traced", true}, {"functions", std::move(rows)}};
  return json_text(document);
}

} // namespace awaitscope
