#pragma once

#include <string>

#include "awaitscope/recording/reader.hpp"
#include "awaitscope/report/requests.hpp"
#include "view.hpp"

namespace awaitscope::tools {

/// Must the requests of the recording be known before it is shown?
bool needs_requests(const ViewPlan &plan);

/// All that is left of it.
Result<std::string> read_all(ByteSource &source);

/// Of a recording with these bytes.
Result<Requests> requests_of(const std::string &bytes, const std::string &name);

/// Has the reader leave out those that the plan's filters do.
void select_requests(RecordingReader &reader, const ViewPlan &plan, const Requests &requests);

/// The table of routes.
Result<View> by_route(RecordingReader &reader, const ViewPlan &plan);

/// What one request did when.
Result<View> of_request(RecordingReader &reader, const ViewPlan &plan, const Requests &requests);

/// The table of statements of SQL.
Result<View> by_query(RecordingReader &reader, const ViewPlan &plan);

/// What kept event loops from running anything else.
Result<View> of_blockers(RecordingReader &reader, const ViewPlan &plan);

} // namespace awaitscope::tools
