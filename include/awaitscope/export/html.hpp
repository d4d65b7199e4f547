#pragma once

#include <optional>
#include <string>
#include <vector>

#include "awaitscope/export/names.hpp"
#include "awaitscope/recording/reader.hpp"
#include "awaitscope/report/blockers.hpp"
#include "awaitscope/report/call_list.hpp"
#include "awaitscope/report/cost_history.hpp"
#include "awaitscope/report/latency.hpp"
#include "awaitscope/report/requests.hpp"

namespace awaitscope {

/// A file that functions are in.
struct SourceFile {
  std::string file; ///< as CodeInfo::file
  std::vector<std::string> lines;
  bool differs = false; ///< it is another version than the one that ran
};

/// What the page shows of a recording.
struct PageContents {
  CostHistory history;
  std::optional<Latencies> latencies; ///< none where no calls are known, or too many in too deep stacks
  CallList calls;
  LoopHolds holds;
  RouteCosts routes;
  std::vector<SourceFile> sources; ///< whose lines are shown; not read by read_page()
};

/// Reads the recording to its end. The metric of the options has no effect. Errors: those of reading.
Result<PageContents> read_page(RecordingReader &reader, const TimeRange &range, const ProfileOptions &options,
                               Lines lines);

struct PageOptions {
  Metric first = Metric::wall; ///< that it begins with
  NameOptions names;
  std::string subject; ///< what was recorded, to people
  std::string source;  ///< the recording
};

/// One self-contained page: flame graph, functions, calls, requests, held loops and time, by every metric that the recording has. It
/// loads nothing, and its Content-Security-Policy allows its own script and style alone. The reader has read to the end.
std::string html_page(const RecordingReader &reader, const PageContents &contents, const PageOptions &options);

} // namespace awaitscope
