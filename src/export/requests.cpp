#include "awaitscope/export/requests.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/support/text.hpp"
#include "awaitscope/support/text_width.hpp"
#include "awaitscope/support/units.hpp"
#include "cells.hpp"
#include "json_text.hpp"
#include "length_json.hpp"
#include "sample_cells.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

std::uint64_t in_part(const RouteCost &route, RequestPart part) {
  return route.samples_of[static_cast<std::size_t>(part)];
}

double per_second(const RouteCosts &costs, std::uint64_t count) {
  return costs.elapsed_ns == 0 ? 0 : static_cast<double>(count) * 1e9 / static_cast<double>(costs.elapsed_ns);
}

/// "blocked 1.20 s, in SQL 0.90 s, suspended 3.10 s": where the time of its requests went besides.
std::string spent(const RouteCosts &costs, const RouteCost &route) {
  std::string text;
  const auto part = [&](std::string_view what, std::uint64_t nanoseconds) {
    if (nanoseconds > 0) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", what, duration_cell(nanoseconds));
    }
  };
  part("waiting for a CPU", time_of(costs, in_state(route, ThreadState::runnable)));
  part("waiting for the GIL", time_of(costs, in_state(route, ThreadState::gil)));
  part("blocked", time_of(costs, in_state(route, ThreadState::blocked)));
  part("in SQL", time_of(costs, in_part(route, RequestPart::sql)));
  part("in templates", time_of(costs, in_part(route, RequestPart::templates)));
  part("in middleware", time_of(costs, in_part(route, RequestPart::middleware)));
  part("tasks suspended", route.cost.await_ns);
  return text;
}

/// Numbers of the slowest few.
Json slowest_of(const RouteCost &route) {
  constexpr std::ptrdiff_t k_most = 10;
  const auto count = std::min(k_most, std::ssize(route.timed));
  return std::vector<std::uint32_t>(route.timed.begin(), route.timed.begin() + count);
}

std::string name_of(const RouteCost &route) { return route_label(route.method, route.route); }

std::string notes(const RouteCosts &costs, std::size_t width) {
  std::string text =
      wrapped("Requests are those that a sample or a reading of tasks has seen: of those shorter than the sampling "
              "period most are not. < and > as in -f latency. Times of parts are of samples, running or not.",
              width);
  if (costs.lacks_lengths) {
    text += wrapped("How long requests of tasks took is not known: record with --all-tasks.", width);
  }
  return text;
}

} // namespace

std::string requests_text(const RouteCosts &costs, const TableLayout &layout) {
  constexpr std::size_t k_indent = 8;
  TextTable table(
      layout.width,
      {{"requests"}, {"CPU"}, {"share"}, {"p50"}, {"p95"}, {"p99"}, {"max"}, {"route", TextTable::Kind::words}});
  std::size_t shown = 0;
  std::uint64_t requests = 0;
  for (const RouteCost &route : costs.routes) {
    requests += route.requests;
  }
  for (; shown < costs.routes.size() && layout.has_room(shown); ++shown) {
    const RouteCost &route = costs.routes[shown];
    table.add_row({with_thousands(route.requests), duration_cell(route.cost.cpu_ns),
                   percent_cell(route.cost.cpu_ns, costs.sum.cpu_ns),
                   percentile_cell(route.p50, route.begun, k_calls_for_p50),
                   percentile_cell(route.p95, route.begun, k_calls_for_p95),
                   percentile_cell(route.p99, route.begun, k_calls_for_p99),
                   route.max_ns == 0 ? "-" : short_duration(route.max_ns), name_of(route)});
    if (const std::string more = spent(costs, route); !more.empty()) {
      table.add_text(more, k_indent);
    }
  }
  const std::string head =
      fmt::format("{} of {}: {} seen, {:.1f}/s; CPU outside of requests: {} ({})",
                  shown == costs.routes.size() ? "All routes" : fmt::format("The first {} routes", shown),
                  costs.routes.size(), with_thousands(requests), per_second(costs, requests),
                  duration_cell(costs.no_request.cpu_ns), percent_cell(costs.no_request.cpu_ns, costs.sum.cpu_ns));
  return wrapped(head, layout.width) + table.text() + notes(costs, layout.width);
}

std::string requests_json(const RouteCosts &costs) {
  Json routes = Json::array();
  for (const RouteCost &route : costs.routes) {
    routes.push_back({{"method", route.method},
                      {"route", route.route},
                      {"view", route.view},
                      {"process", route.process},
                      {"requests", route.requests},
                      {"requests_per_second", per_second(costs, route.requests)},
                      {"samples", route.cost.samples},
                      {"cpu_ns", route.cost.cpu_ns},
                      {"events", route.cost.events},
                      {"running_samples", in_state(route, ThreadState::running)},
                      {"runnable_samples", in_state(route, ThreadState::runnable)},
                      {"gil_samples", in_state(route, ThreadState::gil)},
                      {"blocked_samples", in_state(route, ThreadState::blocked)},
                      {"sql_samples", in_part(route, RequestPart::sql)},
                      {"template_samples", in_part(route, RequestPart::templates)},
                      {"middleware_samples", in_part(route, RequestPart::middleware)},
                      {"await_ns", route.cost.await_ns},
                      {"begun", route.begun},
                      {"p50_ns", length_json(route.p50)},
                      {"p95_ns", length_json(route.p95)},
                      {"p99_ns", length_json(route.p99)},
                      {"p50_is", bound_json(route.p50)},
                      {"p95_is", bound_json(route.p95)},
                      {"p99_is", bound_json(route.p99)},
                      {"max_ns", route.max_ns},
                      {"slowest", slowest_of(route)}});
  }
  const auto cost = [](const Cost &of) {
    return Json{{"samples", of.samples}, {"cpu_ns", of.cpu_ns}, {"events", of.events}, {"await_ns", of.await_ns}};
  };
  const Json document = {{"schema", 1},
                         {"period_ns", costs.period_ns},
                         {"elapsed_ns", costs.elapsed_ns},
                         {"no_request", cost(costs.no_request)},
                         {"sum", cost(costs.sum)},
                         {"routes", std::move(routes)}};
  return json_text(document);
}

} // namespace awaitscope
