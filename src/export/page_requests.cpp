#include "page_requests.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cells.hpp"
#include "page_json.hpp"
#include "sample_cells.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_most_rows = 300;
constexpr std::size_t k_most_requests = 50'000;

Json row(const RouteCosts &costs, const RouteCost &route) {
  Json states = Json::array();
  for (const std::uint64_t samples : route.samples_in) {
    states.push_back(time_of(costs, samples));
  }
  return {{"route", page_text(route_label(route.method, route.route))},
          {"view", page_text(route.view)},
          {"requests", route.requests},
          {"begun", route.begun},
          {"p50", page_length(route.p50)},
          {"p95", page_length(route.p95)},
          {"p99", page_length(route.p99)},
          {"max_ns", route.max_ns},
          {"cpu_ns", route.cost.cpu_ns},
          {"await_ns", route.cost.await_ns},
          {"states_ns", std::move(states)}};
}

/// (number of a request, row), by the requests' ends.
std::vector<std::pair<std::uint32_t, std::size_t>> by_end(const RouteCosts &costs, std::size_t rows) {
  std::vector<std::pair<std::uint32_t, std::size_t>> all;
  for (std::size_t i = 0; i < rows; ++i) {
    for (const std::uint32_t number : costs.routes[i].timed) {
      all.emplace_back(number, i);
    }
  }
  const std::vector<RequestSpan> &spans = costs.requests.spans;
  std::sort(all.begin(), all.end(), [&](const auto &a, const auto &b) {
    return std::pair(spans[a.first].to_ns, a.first) < std::pair(spans[b.first].to_ns, b.first);
  });
  return all;
}

std::string requests(const RouteCosts &costs, std::size_t rows) {
  const auto all = by_end(costs, rows);
  if (all.size() > k_most_requests) {
    return "null";
  }
  std::string text;
  std::int64_t before_ns = 0;
  for (const auto &[number, place] : all) {
    const RequestSpan &span = costs.requests.spans[number];
    const Length length = *span.length();
    fmt::format_to(std::back_inserter(text), "{}{},{},{},{},{}", text.empty() ? "" : ",", place, span.to_ns - before_ns,
                   length.ns, static_cast<int>(length.is), span.begun ? 0 : 1);
    before_ns = span.to_ns;
  }
  return "[" + text + "]";
}

} // namespace

std::string page_requests(const PageContents &contents) {
  const RouteCosts &costs = contents.routes;
  if (costs.routes.empty()) {
    return "null";
  }
  const std::size_t rows = std::min(k_most_rows, costs.routes.size());
  Json list = Json::array();
  for (std::size_t i = 0; i < rows; ++i) {
    list.push_back(row(costs, costs.routes[i]));
  }
  return fmt::format("{{\"least\":[{},{},{}],\n\"rows\":{},\n\"requests\":{}}}", k_calls_for_p50, k_calls_for_p95,
                     k_calls_for_p99, page_json(list), requests(costs, rows));
}

} // namespace awaitscope
