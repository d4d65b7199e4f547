#pragma once

#include <optional>

#include "awaitscope/sampler/process_follower.hpp"
#include "awaitscope/sampler/process_sampler.hpp"
#include "commands.hpp"
#include "events.hpp"
#include "output.hpp"

namespace awaitscope::tools {

/// What the command line asked for, parsed and checked.
struct RecordPlan {
  SamplerOptions sampling;
  EventPlan event;
  Format format = Format::recording;
  ViewPlan view;                ///< unless a recording is to be written
  std::optional<Output> output; ///< opened by open_output()
};

Children children_for(const RecordOptions &options);

/// Parses and checks all options; errors are wrong usage, and of the event, that it cannot be counted.
Result<RecordPlan> plan_of(const RecordOptions &options);

/// Opens the file that was named, or makes one whose name has the PID.
Result<void> open_output(const RecordOptions &options, ThreadId pid, RecordPlan &plan);

} // namespace awaitscope::tools
