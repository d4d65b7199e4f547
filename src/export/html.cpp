#include "awaitscope/export/html.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "compressed.hpp"
#include "page_assets.hpp"
#include "page_calls.hpp"
#include "page_facts.hpp"
#include "page_holds.hpp"
#include "page_json.hpp"
#include "page_requests.hpp"
#include "page_sources.hpp"
#include "page_stacks.hpp"

namespace awaitscope {

std::string html_page(const RecordingReader &reader, const PageContents &contents, const PageOptions &options) {
  const CostHistory &history = contents.history;
  PageLabels labels(reader, history, options.names);
  const std::string nodes = page_nodes(history, labels);
  const std::string calls = page_calls(contents, labels);
  const std::string holds = page_holds(reader, contents, labels);
  const std::string title = "awaitscope: " + page_text(options.subject);
  const std::string data =
      fmt::format("{{\"schema\":3,\n\"title\":{},\n\"facts\":{},\n\"quality\":{},\n\"metric\":\"{}\",\n\"bin_ns\":{},\n"
                  "\"column_ns\":{},\n\"rows\":{},\n\"labels\":[{}],\n\"nodes\":[{}],\n\"metrics\":[{}],\n\"calls\":{},"
                  "\n\"states\":{},\n\"holds\":{},\n\"requests\":{},\n\"sources\":{}}}",
                  page_json(title), page_json(page_facts(reader, options.source)), page_json(page_quality(reader)),
                  name_of(options.first), history.bin_ns, history.grid.column_ns(), TimeGrid::k_rows, labels.list(),
                  nodes, page_metrics(reader, history), calls, page_states(history), holds, page_requests(contents),
                  page_sources(reader, contents, options.names));
  std::string page;
  std::string_view rest = k_page;
  const std::array<std::pair<std::string_view, std::string>, 4> parts{{{"@TITLE@", markup_text(title)},
                                                                       {"@STYLE@", std::string(k_page_style)},
                                                                       {"@DATA@", compressed_base64(data)},
                                                                       {"@SCRIPT@", std::string(k_page_script)}}};
  for (const auto &[mark, content] : parts) { // in the order of the page
    const std::size_t at = rest.find(mark);
    page += rest.substr(0, at);
    page += content;
    rest.remove_prefix(at + mark.size());
  }
  page += rest;
  return page;
}

} // namespace awaitscope
