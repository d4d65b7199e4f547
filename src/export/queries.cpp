#include "awaitscope/export/queries.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/support/text.hpp"
#include "awaitscope/support/text_width.hpp"
#include "awaitscope/support/units.hpp"
#include "cells.hpp"
#include "json_text.hpp"
#include "sample_cells.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

std::string name_of(const QueryCost::Route &route) { return route_label(route.method, route.route); }

/// Besides the first one.
std::string other_routes(const QueryCost &query) {
  constexpr std::size_t k_most = 4;
  std::string text;
  for (std::size_t i = 1; i < std::min(k_most, query.routes.size()); ++i) {
    text += (i == 1 ? "also run by " : ", ") + name_of(query.routes[i]);
  }
  const std::size_t more = query.routes.size() - std::min(k_most, query.routes.size());
  return text + (more == 0 ? "" : fmt::format(" and {} more routes", more));
}

/// "repeated within one request (N+1?): GET orders/, by list_orders (shop/views.py, line 31), up to 12 seen in one, 40 requests"
std::string repetition(const QueryCost::Repeated &repeated, const FrameNames &names) {
  const std::string line = repeated.line == 0 ? "" : fmt::format(", line {}", repeated.line);
  return one_line(fmt::format("repeated within one request (N+1?): {} {}, by {} ({}){}: up to {} seen in one, in {} "
                              "request{}",
                              repeated.method, repeated.route, names.function(repeated.function),
                              names.place(repeated.function), line, repeated.most, with_thousands(repeated.requests),
                              repeated.requests == 1 ? "" : "s"));
}

Json route_json(const QueryCost::Route &route) {
  return {{"method", route.method}, {"route", route.route}, {"samples", route.samples}, {"calls", route.calls}};
}

Json repeated_json(const QueryCost::Repeated &repeated, const CodeTable &codes) {
  return {{"method", repeated.method},
          {"route", repeated.route},
          {"function", codes.at(repeated.function).function},
          {"file", codes.at(repeated.function).file},
          {"line", repeated.line == 0 ? Json(nullptr) : Json(repeated.line)},
          {"requests", repeated.requests},
          {"most_in_one_request", repeated.most}};
}

Json query_json(const QueryCosts &costs, const QueryCost &query, const CodeTable &codes) {
  Json routes = Json::array();
  for (const QueryCost::Route &route : query.routes) {
    routes.push_back(route_json(route));
  }
  Json repeated = Json::array();
  for (const QueryCost::Repeated &row : query.repeated) {
    repeated.push_back(repeated_json(row, codes));
  }
  return {{"statement", query.statement},
          {"samples", query.cost.samples},
          {"time_ns", time_of(costs, query.cost.samples)},
          {"cpu_ns", query.cost.cpu_ns},
          {"running_samples", in_state(query, ThreadState::running)},
          {"runnable_samples", in_state(query, ThreadState::runnable)},
          {"gil_samples", in_state(query, ThreadState::gil)},
          {"blocked_samples", in_state(query, ThreadState::blocked)},
          {"calls", query.calls},
          {"routes", std::move(routes)},
          {"repeated", std::move(repeated)}};
}

} // namespace

std::string queries_text(const QueryCosts &costs, const TableLayout &layout, const FrameNames &names) {
  constexpr std::size_t k_indent = 4;
  TextTable table(layout.width,
                  {{"time"}, {"of SQL"}, {"CPU"}, {"blocked"}, {"seen"}, {"route", TextTable::Kind::words}});
  std::size_t shown = 0;
  for (; shown < costs.queries.size() && layout.has_room(shown); ++shown) {
    const QueryCost &query = costs.queries[shown];
    table.add_row({duration_cell(time_of(costs, query.cost.samples)),
                   percent_cell(query.cost.samples, costs.sum.samples), duration_cell(query.cost.cpu_ns),
                   duration_cell(time_of(costs, in_state(query, ThreadState::blocked))), with_thousands(query.calls),
                   query.routes.empty() ? "-" : name_of(query.routes.front())});
    table.add_text(one_line(query.statement), k_indent);
    if (query.routes.size() > 1) {
      table.add_text(other_routes(query), k_indent);
    }
    for (const QueryCost::Repeated &repeated : query.repeated) {
      table.add_text(repetition(repeated, names), k_indent);
    }
  }
  const std::string head = fmt::format(
      "{}{} statement{}: {}, {} of all samples",
      shown == costs.queries.size() ? std::string() : fmt::format("The first {} of ", shown),
      with_thousands(costs.queries.size()), costs.queries.size() == 1 ? "" : "s",
      duration_cell(time_of(costs, costs.sum.samples)), percent_cell(costs.sum.samples, costs.everything.samples));
  return wrapped(head, layout.width) + table.text() +
         wrapped(
             "Times are of samples, running or not. Seen are executions that a sample saw: of those shorter than the "
             "sampling period most are not.",
             layout.width);
}

std::string queries_json(const QueryCosts &costs, const CodeTable &codes) {
  JsonWriter out;
  out.member("schema", 1);
  out.member("period_ns", costs.period_ns);
  out.member("sql_samples", costs.sum.samples);
  out.member("sql_cpu_ns", costs.sum.cpu_ns);
  out.member("samples", costs.everything.samples);
  out.list("queries", costs.queries, [&](const QueryCost &query) { return query_json(costs, query, codes); });
  return out.finish();
}

} // namespace awaitscope
