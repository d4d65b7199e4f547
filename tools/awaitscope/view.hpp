#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "awaitscope/export/names.hpp"
#include "awaitscope/export/text_table.hpp"
#include "awaitscope/recording/byte_source.hpp"
#include "awaitscope/report/blockers.hpp"
#include "awaitscope/report/profile.hpp"
#include "awaitscope/report/table_order.hpp"

namespace awaitscope::tools {

enum class Format : std::uint8_t {
  recording,
  folded,
  hot,
  info,
  speedscope,
  latency,
  html,
  svg,
  cache,
  requests,
  request,
  blockers,
  queries,
  gil
};

/// What a view is asked for on the command line.
struct ViewOptions {
  std::string metric; ///< empty: wall; of the table of functions, what suits the recording
  std::string since;
  std::string until;
  bool json = false;
  bool idle = false;
  bool lines = false;
  bool full_paths = false;
  bool loop_frames = false;
  bool task_frames = false;
  bool task_names = false;
  bool all_tasks = false;
  Filter filter;                    ///< but for the states
  std::vector<std::string> states;  ///< of threads
  std::optional<std::size_t> limit; ///< rows of a table; 0: all
  std::string sort;                 ///< what a table is ordered by
  bool hide_framework = false;      ///< hot: rows of packages and the standard library
  bool framework = false;           ///< latency: show these
  std::string slower;               ///< only requests that took longer
  std::string longer;               ///< blockers: only callbacks that took longer
  std::string request;              ///< of format request: which; empty: the slowest
  std::string source;               ///< html: where the source files are
};

/// The values that -f, --metric and --state know.
std::vector<std::string_view> format_names();
std::vector<std::string_view> metric_names();
std::vector<std::string_view> state_names();

/// As -f calls it.
std::string_view name_of(Format format);

/// Does a file of this name promise a recording, or a view of one?
bool is_ending_of_recordings(std::string_view output);

/// The format of that name; without a name, by the ending of the output; where that has none, `fallback`. An unknown name and
/// an ending that no format has are wrong usage.
Result<Format> format_of(const std::string &name, const std::string &output, Format fallback);

/// ViewOptions, parsed and checked.
struct ViewPlan {
  Format format = Format::folded;
  ProfileOptions profile;
  TimeRange range;
  NameOptions names;
  bool json = false;
  bool all_tasks = false;
  bool metric_chosen = false; ///< by the user
  TableLayout layout;
  TableOrder order = TableOrder::usual;
  bool hide_framework = false;
  bool framework = false;
  std::string request;                     ///< as ViewOptions::request
  std::int64_t longer_ns = k_long_hold_ns; ///< of format blockers
  std::string source;                      ///< a folder; empty: where the recording names its files
};

Result<ViewPlan> plan_view(Format format, const ViewOptions &options);

struct View {
  std::string text;
  std::string what;                  ///< "folded stacks, unit samples"
  std::vector<std::string> warnings; ///< of the recording, or of what was asked of it
  bool empty = false;                ///< it shows nothing that was recorded
};

/// Reads a recording to its end and shows it. Errors: those of reading; that it does not hold what was asked for, or that nothing in it
/// passes the filters.
Result<View> render(std::unique_ptr<ByteSource> source, const ViewPlan &asked);

} // namespace awaitscope::tools
