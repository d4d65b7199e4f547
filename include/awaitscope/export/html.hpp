#pragma once

#include <optional>
#include <string>

#include "awaitscope/export/names.hpp"
#include "awaitscope/recording/reader.hpp"
#include "awaitscope/report/call_list.hpp"
#include "awaitscope/report/cost_history.hpp"
#include "awaitscope/report/latency.hpp"

namespace awaitscope {

/// What the page shows of a recording.
struct PageContents {
  CostHistory history;
  std::optional<Latencies> latencies; ///< none where no calls are known, or too many in too deep stacks
  CallList calls;
};

/// Reads the recording to its end. The metric of the options has no effect. Errors: those of reading.
Result<PageContents> read_page(RecordingReader &reader, const TimeRange &range, const ProfileOptions &options);

struct PageOptions {
  Metric first = Metric::wall; ///< that it begins with
  NameOptions names;
  std::string subject; ///< what was recorded, to people
  std::string source;  ///< the recording
};

/// One self-contained page: flame graph, functions, calls and time, by every metric that the recording has. It loads nothing, and its
/// Content-Security-Policy allows its own script and style alone. The reader has read to the end.
std::string html_page(const RecordingReader &reader, const PageContents &contents, const PageOptions &options);

} // namespace awaitscope
