#pragma once

#include <optional>
#include <string>
#include <vector>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/process/inherited_state.hpp"
#include "awaitscope/support/error.hpp"
#include "view.hpp"

namespace awaitscope::tools {

enum class Verbosity : std::uint8_t { quiet, normal, verbose };

struct RecordOptions {
  std::optional<ThreadId> pid;
  std::vector<std::string> command;
  std::string duration;
  std::string rate = "100";
  std::string max_overhead; ///< empty: SamplerOptions::most_delay
  std::string output;
  std::string format;
  std::string engine = "auto";
  std::string event = "auto";
  bool subprocesses = false;
  bool arguments = false;                     ///< are read
  std::vector<std::string> argument_patterns; ///< of functions; none: the program's own
  bool show_arguments = false;
  bool native = false;             ///< native frames are recorded
  bool interpreter_frames = false; ///< and of these the interpreter's own
  bool kernel = false;             ///< frames of the kernel are recorded
  bool django_frames = false;      ///< statements of SQL and templates are frames
  bool request_paths = false;      ///< are recorded
  std::string request_id;          ///< the header whose value is recorded; empty: none
  ViewOptions view;
  std::vector<std::string> words; ///< the whole command line
  Verbosity verbosity = Verbosity::normal;
};

struct ReportOptions {
  std::string file;
  std::string output;
  std::string format;
  ViewOptions view;
  Verbosity verbosity = Verbosity::normal;
};

struct DumpOptions {
  std::optional<ThreadId> pid;
  bool tasks_only = false; ///< tasks: the tree of who awaits whom
  bool full = false;
  bool done = false; ///< show done tasks
  std::string text;
  std::string order = "innermost";
  bool full_paths = false;
  bool json = false;
  std::string output;
  std::string engine = "auto";
  bool native = false;             ///< show native frames
  bool interpreter_frames = false; ///< and of these the interpreter's own
  Verbosity verbosity = Verbosity::normal;
};

struct CachesOptions {
  std::optional<ThreadId> pid;
  std::string interval = "1";
  std::size_t limit = 40; ///< 0: all
  bool json = false;
  std::string output;
  Verbosity verbosity = Verbosity::normal;
};

struct TraceOptions {
  std::optional<ThreadId> pid;
  std::vector<std::string> command;
  std::vector<std::string> functions; ///< MODULE:FUNCTION
  std::string duration;
  std::string output;
  bool subprocesses = false;
  std::vector<std::string> words; ///< the whole command line
  Verbosity verbosity = Verbosity::normal;
};

/// Each returns the exit status of a run that did what it could; an Error is printed by main.
Result<int> record(const RecordOptions &options, const InheritedState &inherited);
Result<int> report(const ReportOptions &options);
Result<int> dump(const DumpOptions &options);
Result<int> caches(const CachesOptions &options);
Result<int> trace(const TraceOptions &options, const InheritedState &inherited);

} // namespace awaitscope::tools
