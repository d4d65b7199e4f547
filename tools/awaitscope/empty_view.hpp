#pragma once

#include <optional>
#include <string>

#include "awaitscope/recording/reader.hpp"
#include "awaitscope/support/error.hpp"
#include "view.hpp"

namespace awaitscope::tools {

/// Why what was asked of a recording, which has been read to its end, shows nothing of it: with the names that it has where a filter
/// matches none of them. None if everything was asked for.
std::optional<Error> nothing_passes(const RecordingReader &reader, const ViewPlan &plan);

/// Why a view of everything shows nothing: a warning, since a process that did nothing is an answer too.
std::string why_empty(const RecordingReader &reader, const ViewPlan &plan);

} // namespace awaitscope::tools
