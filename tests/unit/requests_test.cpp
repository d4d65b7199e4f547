#include "awaitscope/report/requests.hpp"

#include "awaitscope/sampler/request_ids.hpp"
#include "awaitscope/sampler/task_stacks.hpp"
#include "catch.hpp"
#include "common.hpp"
#include "synthetic.hpp"

using namespace awaitscope;
using namespace awaitscope::testing;

namespace {

std::shared_ptr<const RequestRoute> route(const std::string &name) {
  return std::make_shared<const RequestRoute>(RequestRoute{"GET", name, "shop.views.order", name != k_unresolved});
}

RequestSight sight(const std::shared_ptr<const RequestRoute> &of, std::uint64_t serial) {
  RequestSight sight;
  sight.object = 0x1000;
  sight.thread_state = 0x2000;
  sight.serial = serial;
  sight.route = of;
  return sight;
}

/// A recorder at 100 Hz whose start is 0.
struct RequestRecorder : MemoryRecorder {
  RequestRecorder() : MemoryRecorder(info_at_100_hz()) {}

  void sample(std::int64_t at_ms, std::uint64_t id, const std::shared_ptr<const RequestRoute> &of) {
    Sample sample;
    sample.time_ns = at_ms * k_ms;
    sample.tid = 7;
    sample.stack = {{{work, 5, FrameKind::python}}, false};
    sample.request = {id, false, of};
    writer().add(sample, "worker");
  }

  std::string whole() {
    writer().finish({});
    return bytes();
  }

  CodeId work = codes.add({"work", "/srv/app.py", 1});
};

RecordingReader open(const std::string &bytes) {
  Result<RecordingReader> reader = RecordingReader::open(std::make_unique<MemorySource>(bytes));
  REQUIRE(reader);
  return std::move(*reader);
}

} // namespace

TEST_CASE("a request at the address of the last one is another, where its serial is") {
  RequestIds ids;
  const auto orders = route("orders/");
  const std::uint64_t first = ids.of(sight(orders, 5)).id;
  CHECK(ids.of(sight(orders, 5)).id == first);
  CHECK(ids.of(sight(orders, 6)).id != first);
}

TEST_CASE("a request that becomes resolved stays the same only where a serial proves it") {
  const auto unresolved = route(std::string(k_unresolved));
  const auto orders = route("orders/");
  RequestIds proved;
  const std::uint64_t before = proved.of(sight(unresolved, 5)).id;
  CHECK(proved.of(sight(orders, 5)).id == before);
  CHECK(proved.of(sight(unresolved, 5)).id != before);
  RequestIds unproved;
  const std::uint64_t other = unproved.of(sight(unresolved, 0)).id;
  CHECK(unproved.of(sight(orders, 0)).id != other);
}

TEST_CASE("without a serial the call of the handler decides") {
  RequestIds ids;
  const auto orders = route("orders/");
  const std::uint64_t first = ids.of(sight(orders, 0)).id;
  CHECK(ids.of(sight(orders, 0)).id == first);
  CHECK(ids.of(sight(orders, 0), RequestIds::Call::is_new).id != first);
}

TEST_CASE("what is of no request has none") {
  RequestIds ids;
  CHECK(ids.of({}).id == 0);
  CHECK(ids.of(RequestSight{}).route == nullptr);
}

TEST_CASE("a task of a group works for a request only if that was handled where the group was entered") {
  TaskStacks stacks;
  WatchedTask &parent = stacks.tasks()[1];
  parent.look.task = 1;
  parent.look.request = sight(route("orders/"), 5);
  parent.look.request.depth = 1;
  parent.look.frames.resize(3);
  WatchedTask &child = stacks.tasks()[2];
  child.look.task = 2;
  child.look.awaited_by = 1;
  child.look.entered.emplace().depth = 1; // above the handler
  stacks.begin();
  TaskChange change;
  stacks.write(child, change);
  CHECK(stacks.request_of(child).object == 0);
  child.look.entered->depth = 2;
  stacks.write(child, change);
  CHECK(stacks.request_of(child).object == 0x1000);
}

TEST_CASE("a recording gives back requests, and what became known of them later") {
  RequestRecorder recorder;
  recorder.sample(10, 0, nullptr);
  recorder.sample(20, 1, route(std::string(k_unresolved)));
  recorder.sample(30, 1, route("orders/"));
  recorder.sample(40, 1, route("orders/"));
  recorder.sample(50, 2, route("items/"));
  recorder.sample(60, 0, nullptr);
  RecordingReader reader = open(recorder.whole());
  const Result<Requests> requests = read_requests(reader);
  REQUIRE(requests);
  const RecordingTables &tables = reader.tables();
  REQUIRE(tables.requests.size() >= 4);
  CHECK(tables.requests[2].first == 1);
  const RequestSpan &first = requests->spans[1];
  CHECK(first.seen);
  CHECK(tables.texts[tables.requests[first.last].route] == "orders/");
  REQUIRE(first.length());
  CHECK(first.length()->is == Length::Is::measured);
  CHECK(first.length()->ns == 30 * k_ms); // from 15 to 45
  std::size_t seen = 0;
  for (const RequestSpan &span : requests->spans) {
    seen += span.seen ? 1 : 0;
  }
  CHECK(seen == 2);
}

TEST_CASE("the table of routes has the samples of a request under its route, and the rest apart") {
  RequestRecorder recorder;
  const auto orders = route("orders/");
  recorder.sample(10, 0, nullptr);
  recorder.sample(20, 1, route(std::string(k_unresolved)));
  recorder.sample(30, 1, orders);
  recorder.sample(40, 2, orders);
  recorder.sample(50, 0, nullptr);
  RecordingReader reader = open(recorder.whole());
  const Result<RouteCosts> costs = read_route_costs(reader, {}, {});
  REQUIRE(costs);
  REQUIRE(costs->routes.size() == 1);
  CHECK(costs->routes[0].route == "orders/");
  CHECK(costs->routes[0].requests == 2);
  CHECK(costs->routes[0].cost.samples == 3);
  CHECK(costs->no_request.samples == 2);
}

TEST_CASE("what is of other requests is left out of costs") {
  RequestRecorder recorder;
  recorder.sample(10, 1, route("orders/"));
  recorder.sample(20, 2, route("items/"));
  recorder.sample(30, 2, route("items/"));
  RecordingReader reader = open(recorder.whole());
  reader.select_requests([](std::uint32_t row) { return row == 1; });
  const Result<StackCosts> costs = read_costs(reader, {});
  REQUIRE(costs);
  CHECK(costs->sum().samples == 1);
}
