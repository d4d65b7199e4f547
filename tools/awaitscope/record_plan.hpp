#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "awaitscope/sampler/process_follower.hpp"
#include "awaitscope/sampler/process_sampler.hpp"
#include "commands.hpp"
#include "events.hpp"
#include "output.hpp"

namespace awaitscope::tools {

/// Whether any function fits the patterns of --args, and if not, some of those that there are.
struct ArgumentMatches {
  bool any = false;
  std::set<std::string> others; ///< of the program's own: "price (prices.py)"
};

/// What the command line asked for, parsed and checked.
struct RecordPlan {
  SamplerOptions sampling;
  EventPlan event;
  Format format = Format::recording;
  ViewPlan view;                            ///< unless a recording is to be written
  std::shared_ptr<ArgumentMatches> matches; ///< none: --args has no patterns
  std::optional<Output> output;             ///< opened by open_output()
};

Children children_for(const RecordOptions &options);

/// Parses and checks all options; errors are wrong usage, and of the event, that it cannot be counted.
Result<RecordPlan> plan_of(const RecordOptions &options);

/// Opens the file that was named, or makes one whose name has the PID.
Result<void> open_output(const RecordOptions &options, ThreadId pid, RecordPlan &plan);

} // namespace awaitscope::tools
