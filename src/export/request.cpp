#include "awaitscope/export/request.hpp"

#include <algorithm>

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

std::string_view name_of(RequestPart part) {
  switch (part) {
  case RequestPart::sql:
    return "SQL";
  case RequestPart::templates:
    return "template";
  case RequestPart::middleware:
    return "middleware";
  case RequestPart::view:
    break;
  }
  return "view";
}

std::string_view state_of(const RequestStep &step) { return step.suspended ? "suspended" : name_of(step.state); }

/// Where in the request the step is.
std::string bar_of(const RequestStep &step, const RequestSpan &span) {
  constexpr std::int64_t k_width = 20;
  const std::int64_t whole = std::max<std::int64_t>(1, span.to_ns - span.from_ns);
  const auto place = [&](std::int64_t time_ns) {
    const auto part = static_cast<double>(time_ns - span.from_ns) / static_cast<double>(whole);
    return static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * k_width);
  };
  const std::size_t from = std::min<std::size_t>(place(step.from_ns), k_width - 1);
  const std::size_t to = std::max(from + 1, place(step.to_ns));
  return std::string(from, '.') + std::string(to - from, '#') + std::string(k_width - to, '.');
}

/// "in burn (app.py:12): CursorWrapper.execute"
std::string function_of(const RequestStep &step, const FrameNames &names) {
  if (!step.own) {
    return step.leaf ? names.function(*step.leaf) : "?";
  }
  const std::string own = names.function(*step.own);
  return step.leaf == step.own || !step.leaf ? own : fmt::format("{}: {}", own, names.function(*step.leaf));
}

Json json(const std::optional<CodeId> &code, const RecordingTables &tables) {
  return code ? Json(tables.codes.at(*code).function) : Json(nullptr);
}

} // namespace

std::string request_text(const RequestHistory &history, const RecordingTables &tables, const TableLayout &layout,
                         const FrameNames &names) {
  const std::optional<Length> length = history.span.length();
  const std::string took =
      length ? (length->is == Length::Is::longer ? ", took at least " : ", took ") + short_duration(length->ns)
             : std::string();
  const std::string path = history.path.empty() ? std::string() : ", path " + history.path;
  const std::string id = history.id.empty() ? std::string() : ", id " + history.id;
  const std::string title =
      one_line(fmt::format("Request {}: {} {} ({}){}{}{}, from {} on", history.span.number, history.method,
                           history.route, history.view, path, id, took, human_duration(history.span.from_ns)));
  TextTable table(layout.width, {{"at"},
                                 {"for"},
                                 {""}, // never cut: each is as wide as the others
                                 {"state", TextTable::Kind::words},
                                 {"in", TextTable::Kind::words},
                                 {"function", TextTable::Kind::words},
                                 {"thread or task", TextTable::Kind::words}});
  std::size_t shown = 0;
  for (; shown < history.steps.size() && layout.has_room(shown); ++shown) {
    const RequestStep &step = history.steps[shown];
    const std::string where = step.suspended ? names.function(tables.tasks[step.task].coroutine)
                                             : one_line(tables.texts[tables.threads[step.thread].name]);
    table.add_row({short_duration(std::max<std::int64_t>(0, step.from_ns - history.span.from_ns)),
                   short_duration(step.to_ns - step.from_ns), bar_of(step, history.span), std::string(state_of(step)),
                   std::string(name_of(step.part)), function_of(step, names), where});
  }
  const std::string rest =
      shown == history.steps.size()
          ? std::string()
          : wrapped(fmt::format("The first {} of {} steps (--limit 0 shows all).", shown, history.steps.size()),
                    layout.width);
  return wrapped(title, layout.width) + table.text() + rest;
}

std::string request_json(const RequestHistory &history, const RecordingTables &tables) {
  Json steps = Json::array();
  for (const RequestStep &step : history.steps) {
    steps.push_back(
        {{"from_ns", step.from_ns},
         {"to_ns", step.to_ns},
         {"state", state_of(step)},
         {"in", name_of(step.part)},
         {"own", json(step.own, tables)},
         {"leaf", json(step.leaf, tables)},
         {"samples", step.samples},
         {"tid", step.suspended ? Json(nullptr) : Json(tables.threads[step.thread].tid)},
         {"task", step.suspended ? Json(tables.codes.at(tables.tasks[step.task].coroutine).function) : Json(nullptr)}});
  }
  const std::optional<Length> length = history.span.length();
  const Json document = {{"schema", 1},
                         {"id", history.span.number},
                         {"method", history.method},
                         {"route", history.route},
                         {"view", history.view},
                         {"path", history.path.empty() ? Json(nullptr) : Json(history.path)},
                         {"request_id", history.id.empty() ? Json(nullptr) : Json(history.id)},
                         {"from_ns", history.span.from_ns},
                         {"to_ns", history.span.to_ns},
                         {"length_ns", length ? Json(length->ns) : Json(nullptr)},
                         {"begun", history.span.begun},
                         {"ended", history.span.ended},
                         {"steps", std::move(steps)}};
  return json_text(document);
}

} // namespace awaitscope
