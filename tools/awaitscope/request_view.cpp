#include "request_view.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "awaitscope/export/blockers.hpp"
#include "awaitscope/export/queries.hpp"
#include "awaitscope/export/request.hpp"
#include "awaitscope/export/requests.hpp"
#include "awaitscope/support/text.hpp"

namespace awaitscope::tools {

bool needs_requests(const ViewPlan &plan) {
  return !plan.profile.filter.routes.empty() || plan.profile.filter.slower_ns > 0 || plan.format == Format::request;
}

Result<std::string> read_all(ByteSource &source) {
  constexpr std::size_t k_step = std::size_t{1} << 20U;
  std::string bytes;
  while (true) {
    const std::size_t at = bytes.size();
    bytes.resize(at + k_step);
    const Result<std::size_t> got = source.read(bytes.data() + at, k_step);
    if (!got) {
      return tl::unexpected(got.error());
    }
    bytes.resize(at + *got);
    if (*got < k_step) {
      return bytes;
    }
  }
}

Result<Requests> requests_of(const std::string &bytes, const std::string &name) {
  Result<RecordingReader> reader = RecordingReader::open(std::make_unique<MemorySource>(bytes, name));
  if (!reader) {
    return tl::unexpected(reader.error());
  }
  Result<Requests> requests = read_requests(*reader);
  if (!requests) {
    return requests;
  }
  if (reader->tables().requests.size() == 1) {
    return fail(ExitStatus::failed, "the recording contains no requests",
                "requests of Django are found; record while it serves some");
  }
  requests->routes.reserve(reader->tables().requests.size());
  for (const RecordedRequest &request : reader->tables().requests) {
    const std::uint32_t last =
        request.first < requests->spans.size() ? requests->spans[request.first].last : std::uint32_t{0};
    requests->routes.push_back(reader->tables().texts[reader->tables().requests[last].route]);
    requests->ids.push_back(reader->tables().texts[reader->tables().requests[last].id]);
  }
  return requests;
}

void select_requests(RecordingReader &reader, const ViewPlan &plan, const Requests &requests) {
  const Filter &filter = plan.profile.filter;
  if (filter.routes.empty() && filter.slower_ns == 0) {
    return;
  }
  std::vector<bool> wanted(requests.routes.size());
  for (const RequestSpan &span : requests.spans) {
    const std::optional<Length> length = span.seen ? span.length() : std::nullopt;
    wanted[span.number] = span.seen && passes(requests.routes[span.number], filter.routes) &&
                          (filter.slower_ns == 0 || (length && length->ns > filter.slower_ns));
  }
  reader.select_requests([wanted = std::move(wanted), &tables = reader.tables()](std::uint32_t row) {
    const std::uint32_t first = tables.requests[row].first;
    return first < wanted.size() && wanted[first];
  });
}

Result<View> by_route(RecordingReader &reader, const ViewPlan &plan) {
  const Result<RouteCosts> costs = read_route_costs(reader, plan.range, plan.profile, plan.order);
  if (!costs) {
    return tl::unexpected(costs.error());
  }
  if (reader.tables().requests.size() == 1) {
    return fail(ExitStatus::failed, "the recording contains no requests",
                "requests of Django are found; record while it serves some");
  }
  return View{plan.json ? requests_json(*costs) : requests_text(*costs, plan.layout),
              "requests by route",
              {},
              costs->routes.empty()};
}

namespace {

/// The one with this id, or else this number; of an empty text the slowest one. Null if there is none.
const RequestSpan *chosen(const Requests &requests, const Filter &filter, const std::string &text) {
  const auto is_named = [&](const RequestSpan &span) { return span.seen && requests.ids[span.number] == text; };
  const bool by_id = !text.empty() && std::any_of(requests.spans.begin(), requests.spans.end(), is_named);
  const auto is_wanted = [&](const RequestSpan &span) {
    return text.empty() ? passes(requests.routes[span.number], filter.routes)
           : by_id      ? is_named(span)
                        : std::to_string(span.number) == text;
  };
  const auto length_of = [](const RequestSpan &span) {
    const std::optional<Length> length = span.length();
    return length ? length->ns : -1;
  };
  const RequestSpan *found = nullptr;
  for (const RequestSpan &span : requests.spans) {
    if (span.seen && is_wanted(span) && (found == nullptr || length_of(span) > length_of(*found))) {
      found = &span;
    }
  }
  return found;
}

} // namespace

Result<View> of_request(RecordingReader &reader, const ViewPlan &plan, const Requests &requests) {
  const RequestSpan *const span = chosen(requests, plan.profile.filter, plan.request);
  if (span == nullptr) {
    return fail(ExitStatus::failed,
                plan.request.empty() ? std::string("no request passes the filters")
                                     : fmt::format("the recording has no request {}", one_line(plan.request)),
                "leave out --id for the slowest one, or take the number from -f requests --json");
  }
  const Result<RequestHistory> history = read_request_history(reader, *span);
  if (!history) {
    return tl::unexpected(history.error());
  }
  const RecordingTables &tables = reader.tables();
  const FrameNames names(tables.codes, reader.info().import_paths, plan.names.files, plan.names.lines);
  return View{plan.json ? request_json(*history, tables) : request_text(*history, tables, plan.layout, names),
              "one request",
              {},
              false};
}

Result<View> by_query(RecordingReader &reader, const ViewPlan &plan) {
  const Result<QueryCosts> costs = read_query_costs(reader, plan.range, plan.profile, plan.order);
  if (!costs) {
    return tl::unexpected(costs.error());
  }
  if (costs->queries.empty() && plan.profile.filter.everything() && plan.range.everything()) {
    return fail(ExitStatus::failed, "the recording contains no statements of SQL",
                "those of Django's database cursors are found; record while some run");
  }
  const RecordingTables &tables = reader.tables();
  const FrameNames names(tables.codes, reader.info().import_paths, plan.names.files, plan.names.lines);
  return View{plan.json ? queries_json(*costs, tables.codes) : queries_text(*costs, plan.layout, names),
              "statements of SQL",
              {},
              costs->queries.empty()};
}

Result<View> of_blockers(RecordingReader &reader, const ViewPlan &plan) {
  const Result<LoopHolds> holds = read_loop_holds(reader, plan.range, plan.profile, plan.longer_ns);
  if (!holds) {
    return tl::unexpected(holds.error());
  }
  if (holds->callbacks == 0 && plan.profile.filter.everything()) {
    return fail(ExitStatus::failed, "the recording saw no callback of an event loop",
                "those of asyncio and uvloop are found; a loop that only waits for work runs none");
  }
  if (!holds->knows_calls && holds->callbacks > 0) {
    return fail(ExitStatus::failed, "the recording does not say which calls go on from sample to sample",
                "record again, into a recording");
  }
  const RecordingTables &tables = reader.tables();
  const FrameNames names(tables.codes, reader.info().import_paths, plan.names.files, plan.names.lines);
  return View{plan.json ? blockers_json(*holds, tables) : blockers_text(*holds, tables, plan.layout, names),
              "what blocked event loops",
              {},
              holds->holds.empty() && !plan.profile.filter.everything()};
}

} // namespace awaitscope::tools
