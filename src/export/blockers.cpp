#include "awaitscope/export/blockers.hpp"

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

std::uint64_t held_ns(const LoopHolds &holds) {
  std::uint64_t sum = 0;
  for (const LoopHold &hold : holds.holds) {
    sum += static_cast<std::uint64_t>(hold.length_ns());
  }
  return sum;
}

std::string length_of(const LoopHold &hold) {
  const bool cut = !hold.begun || !hold.ended;
  return (cut ? ">" : "") + short_duration(hold.length_ns());
}

/// "in Popen.wait (subprocess.py:1264), task serve, GET orders/, MainThread"
std::string details(const LoopHold &hold, const RecordingTables &tables, const FrameNames &names) {
  std::string text;
  const auto part = [&](const std::string &what) { text += (text.empty() ? "" : ", ") + what; };
  if (hold.own && hold.leaf && hold.own != hold.leaf) {
    part(fmt::format("in {} ({})", names.function(*hold.leaf), names.place(*hold.leaf)));
  }
  if (hold.task != 0 && !tables.tasks[hold.task].unknown) {
    part("task " + names.function(tables.tasks[hold.task].coroutine));
  }
  if (hold.ready > 0) {
    part(fmt::format("{} task{} ready meanwhile", with_thousands(hold.ready), hold.ready == 1 ? "" : "s"));
  }
  if (hold.request != 0) {
    const RecordedRequest &request = tables.requests[hold.request];
    part(route_label(tables.texts[request.method], tables.texts[request.route]));
  }
  const RecordedThread &thread = tables.threads[hold.thread];
  part(one_line(tables.texts[thread.name]));
  if (thread.process != 0) {
    part(one_line(tables.texts[thread.process]));
  }
  return text;
}

Json frame_json(const Frame &frame, const CodeTable &codes) {
  const CodeInfo &code = codes.at(frame.code);
  return {
      {"function", code.function}, {"file", code.file}, {"line", frame.line == 0 ? Json(nullptr) : Json(frame.line)}};
}

Json hold_json(const LoopHolds &holds, const LoopHold &hold, const RecordingTables &tables) {
  Json frames = Json::array();
  for (const Frame &frame : tables.stacks.frames(hold.stack)) {
    if (frame.kind == FrameKind::python) {
      frames.push_back(frame_json(frame, tables.codes));
    }
  }
  const RecordedThread &thread = tables.threads[hold.thread];
  const RecordedRequest &request = tables.requests[hold.request];
  const RecordedTask &task = tables.tasks[hold.task];
  return {{"from_ns", hold.from_ns},
          {"length_ns", hold.length_ns()},
          {"begun", hold.begun},
          {"ended", hold.ended},
          {"state", name_of(hold.state())},
          {"running_samples", in_state(hold, ThreadState::running)},
          {"runnable_samples", in_state(hold, ThreadState::runnable)},
          {"gil_samples", in_state(hold, ThreadState::gil)},
          {"blocked_samples", in_state(hold, ThreadState::blocked)},
          {"own", hold.own ? frame_json({*hold.own, hold.own_line, FrameKind::python}, tables.codes) : Json(nullptr)},
          {"frames", std::move(frames)},
          {"task", hold.task == 0 || task.unknown ? Json(nullptr) : Json(tables.codes.at(task.coroutine).function)},
          {"method", hold.request == 0 ? Json(nullptr) : Json(tables.texts[request.method])},
          {"route", hold.request == 0 ? Json(nullptr) : Json(tables.texts[request.route])},
          {"request", hold.request == 0 ? Json(nullptr) : Json(request.first)},
          {"ready_tasks", holds.knows_tasks ? Json(hold.ready) : Json(nullptr)},
          {"tid", thread.tid},
          {"thread", tables.texts[thread.name]},
          {"process", tables.texts[thread.process]}};
}

} // namespace

std::string blockers_text(const LoopHolds &holds, const RecordingTables &tables, const TableLayout &layout,
                          const FrameNames &names) {
  constexpr std::size_t k_indent = 8;
  if (holds.holds.empty()) {
    return wrapped(fmt::format("No callback of an event loop took longer than {} in {}.",
                               human_duration(holds.longer_ns),
                               duration_cell(static_cast<std::uint64_t>(holds.elapsed_ns))),
                   layout.width);
  }
  TextTable table(layout.width, {{"at"},
                                 {"for"},
                                 {"state", TextTable::Kind::words},
                                 {"function", TextTable::Kind::words},
                                 {"defined at", TextTable::Kind::name}});
  std::size_t shown = 0;
  for (; shown < holds.holds.size() && layout.has_room(shown); ++shown) {
    const LoopHold &hold = holds.holds[shown];
    const std::optional<CodeId> function = hold.own ? hold.own : hold.leaf;
    table.add_row({seconds_cell(static_cast<std::uint64_t>(std::max<std::int64_t>(0, hold.from_ns)),
                                static_cast<std::uint64_t>(holds.elapsed_ns)),
                   length_of(hold), std::string(name_of(hold.state())), function ? names.function(*function) : "?",
                   function ? names.place(*function) : ""});
    table.add_text(details(hold, tables, names), k_indent);
  }
  const std::uint64_t sum = held_ns(holds);
  const std::string head = fmt::format(
      "{} longer than {}: {} of {} ({}){}",
      holds.holds.size() == 1 ? "1 callback took"
                              : fmt::format("{} callbacks took", with_thousands(holds.holds.size())),
      human_duration(holds.longer_ns), duration_cell(sum), duration_cell(static_cast<std::uint64_t>(holds.elapsed_ns)),
      percent_cell(sum, static_cast<std::uint64_t>(holds.elapsed_ns)),
      shown == holds.holds.size() ? std::string() : fmt::format("; the longest {} (--limit 0 shows all)", shown));
  return wrapped(head, layout.width) + table.text() +
         wrapped("Meanwhile the loop ran nothing else. Times are to within a sampling period or two; > of one that the "
                 "recording cuts.",
                 layout.width);
}

std::string blockers_json(const LoopHolds &holds, const RecordingTables &tables) {
  std::vector<const LoopHold *> in_order;
  for (const LoopHold &hold : holds.holds) {
    in_order.push_back(&hold);
  }
  std::sort(in_order.begin(), in_order.end(),
            [](const LoopHold *a, const LoopHold *b) { return a->from_ns < b->from_ns; });
  JsonWriter out;
  out.member("schema", 1);
  out.member("period_ns", holds.period_ns);
  out.member("elapsed_ns", holds.elapsed_ns);
  out.member("longer_ns", holds.longer_ns);
  out.member("callback_samples", holds.callbacks);
  out.list("blockers", in_order, [&](const LoopHold *hold) { return hold_json(holds, *hold, tables); });
  return out.finish();
}

} // namespace awaitscope
