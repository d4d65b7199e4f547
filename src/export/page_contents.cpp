#include <utility>

#include "awaitscope/export/html.hpp"

namespace awaitscope {

Result<PageContents> read_page(RecordingReader &reader, const TimeRange &range, const ProfileOptions &options,
                               Lines lines) {
  const CallerLines callers = lines == Lines::executing ? CallerLines::kept : CallerLines::dropped;
  CostHistoryBuilder history(reader, range, options, callers);
  CallCollector calls(reader.tables().codes);
  HoldFinder holds(reader, range, options, k_long_hold_ns);
  RouteCostBuilder routes(reader, range, options);
  LatencyBuilder latencies(reader, range, options.filter, [&](const MeasuredCall &call) { calls.add(call); });
  bool too_large = false;
  const Result<void> read = reader.each_block([&]() -> Result<void> {
    history.add_block();
    routes.add_block();
    holds.add_block();
    too_large = too_large || !latencies.add_block();
    return {};
  });
  if (!read) {
    return tl::unexpected(read.error());
  }
  PageContents contents;
  contents.history = history.finish();
  contents.holds = holds.finish();
  contents.routes = routes.finish(TableOrder::usual);
  Latencies found = latencies.finish();
  if (!too_large && !found.functions.empty()) {
    contents.latencies = std::move(found);
    contents.calls = calls.finish();
  }
  return contents;
}

} // namespace awaitscope
