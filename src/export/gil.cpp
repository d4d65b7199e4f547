#include "awaitscope/export/gil.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/support/text.hpp"
#include "awaitscope/support/text_width.hpp"
#include "awaitscope/support/units.hpp"
#include "cells.hpp"
#include "json_text.hpp"
#include "sample_cells.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

/// "thread worker", of several processes with theirs.
std::string thread_cell(const GilWait &wait, const std::string &name) {
  return one_line(wait.process.empty() ? name : fmt::format("{} in {}", name, wait.process));
}

/// "in compute 4.10 s, dumps 1.02 s": what the holder was in longest.
std::string held_in(const GilWaits &waits, const GilWait &wait, const FrameNames &names) {
  constexpr std::size_t k_named = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(k_named, wait.held_in.size()); ++i) {
    const auto &[code, samples] = wait.held_in[i];
    text += fmt::format("{}{} {}", i == 0 ? "held in " : ", ", names.function(code),
                        duration_cell(time_of(waits, samples)));
  }
  return text;
}

} // namespace

std::string gil_text(const GilWaits &waits, const TableLayout &layout, const FrameNames &names) {
  constexpr std::size_t k_indent = 8;
  if (waits.samples == 0) {
    return wrapped(fmt::format("No thread waited for the GIL in the {} that threads were not idle.",
                               duration_cell(time_of(waits, waits.all))),
                   layout.width);
  }
  TextTable table(layout.width, {{"time"},
                                 {"share"},
                                 {"thread that waits", TextTable::Kind::words},
                                 {"thread that holds the GIL", TextTable::Kind::words}});
  std::size_t shown = 0;
  for (; shown < waits.waits.size() && layout.has_room(shown); ++shown) {
    const GilWait &wait = waits.waits[shown];
    table.add_row({duration_cell(time_of(waits, wait.samples)), percent_cell(wait.samples, waits.samples),
                   thread_cell(wait, wait.waiter), wait.holder.empty() ? "-" : one_line(wait.holder)});
    if (const std::string functions = held_in(waits, wait, names); !functions.empty()) {
      table.add_text(functions, k_indent);
    }
  }
  const std::string head = fmt::format(
      "Threads waited for the GIL for {}, {} of the {} that they were not idle{}",
      duration_cell(time_of(waits, waits.samples)), percent_cell(waits.samples, waits.all),
      duration_cell(time_of(waits, waits.all)),
      shown < waits.waits.size() ? fmt::format("; the first {} of {} pairs of threads", shown, waits.waits.size())
                                 : "");
  const std::string notes = "Times are of all threads together. - is a GIL that was on its way to the thread, or was "
                            "held by a thread that is not known.";
  return wrapped(head, layout.width) + table.text() + wrapped(notes, layout.width);
}

std::string gil_json(const GilWaits &waits, const CodeTable &codes) {
  Json pairs = Json::array();
  for (const GilWait &wait : waits.waits) {
    Json functions = Json::array();
    for (const auto &[code, samples] : wait.held_in) {
      const CodeInfo &function = codes.at(code);
      functions.push_back({{"function", function.function},
                           {"file", function.file},
                           {"line", function.first_line},
                           {"samples", samples}});
    }
    pairs.push_back({{"process", wait.process},
                     {"waiter", wait.waiter},
                     {"holder", wait.holder.empty() ? Json(nullptr) : Json(wait.holder)},
                     {"samples", wait.samples},
                     {"ns", time_of(waits, wait.samples)},
                     {"held_in", std::move(functions)}});
  }
  const Json document = {{"schema", 1},
                         {"period_ns", waits.period_ns},
                         {"samples", waits.samples},
                         {"all_samples", waits.all},
                         {"waits", std::move(pairs)}};
  return json_text(document);
}

} // namespace awaitscope
