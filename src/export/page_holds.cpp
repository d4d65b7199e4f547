#include "page_holds.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "page_json.hpp"
#include "sample_cells.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_most_holds = 500;

Json row(const RecordingTables &tables, const LoopHold &hold, PageLabels &labels) {
  const std::optional<CodeId> function = hold.own ? hold.own : hold.leaf;
  const RecordedTask &task = tables.tasks[hold.task];
  const RecordedRequest &request = tables.requests[hold.request];
  return {{"label", function ? Json(labels.number(*function)) : Json(nullptr)},
          {"from", hold.from_ns},
          {"to", hold.to_ns},
          {"begun", hold.begun},
          {"ended", hold.ended},
          {"state", static_cast<int>(hold.state())},
          {"task", hold.task == 0 || task.unknown ? "" : page_text(tables.codes.at(task.coroutine).function)},
          {"route",
           hold.request == 0 ? "" : page_text(route_label(tables.texts[request.method], tables.texts[request.route]))},
          {"thread", page_text(tables.texts[tables.threads[hold.thread].name])}};
}

} // namespace

std::string page_holds(const RecordingReader &reader, const PageContents &contents, PageLabels &labels) {
  const std::vector<LoopHold> &holds = contents.holds.holds;
  Json rows = Json::array();
  for (std::size_t i = 0; i < std::min(k_most_holds, holds.size()); ++i) {
    rows.push_back(row(reader.tables(), holds[i], labels));
  }
  return page_json({{"longer_ns", contents.holds.longer_ns}, {"count", holds.size()}, {"rows", std::move(rows)}});
}

} // namespace awaitscope
