#include "awaitscope/report/queries.hpp"

#include "awaitscope/report/blockers.hpp"
#include "catch.hpp"
#include "loop_site.hpp"

using namespace awaitscope;
using namespace awaitscope::testing;

namespace {

RecordingReader loop_site() {
  MemoryRecorder recorder(loop_site_info());
  record_loop_site(recorder);
  return std::move(*RecordingReader::open(std::make_unique<MemorySource>(recorder.bytes())));
}

} // namespace

TEST_CASE("a recording gives back statements, and what they cost") {
  RecordingReader reader = loop_site();
  const Result<QueryCosts> costs = read_query_costs(reader, {}, {});
  REQUIRE(costs);
  REQUIRE(costs->queries.size() == 7);
  const QueryCost &customer = costs->queries.front();
  CHECK(customer.statement.find("shop_customer") != std::string::npos);
  CHECK(customer.cost.samples == 38 * 6);
  CHECK(customer.calls == customer.cost.samples); // each sample saw another execution
  CHECK(customer.samples_in[static_cast<std::size_t>(ThreadState::blocked)] == 38 * 2);
  REQUIRE(customer.routes.size() == 1);
  CHECK(customer.routes.front().route == "orders/");
  CHECK(costs->sum.samples < costs->everything.samples);
}

TEST_CASE("a statement that one request executes again and again from one line is marked, and no other") {
  RecordingReader reader = loop_site();
  const Result<QueryCosts> costs = read_query_costs(reader, {}, {});
  REQUIRE(costs);
  for (const QueryCost &query : costs->queries) {
    if (&query == &costs->queries.front()) {
      REQUIRE(query.repeated.size() == 1);
      CHECK(query.repeated.front().most == 6);
      CHECK(query.repeated.front().requests == 38);
      CHECK(query.repeated.front().line == 24);
    } else {
      CHECK(query.repeated.empty());
    }
  }
}

TEST_CASE("steps of tasks in succession are told apart by their contexts") {
  RecordingReader reader = loop_site();
  const Result<LoopHolds> found = read_loop_holds(reader, {}, {}, 50'000'000);
  REQUIRE(found);
  CHECK(found->holds.size() == 6);
}
