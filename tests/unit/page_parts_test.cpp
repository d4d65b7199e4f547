#include <numeric>

#include "awaitscope/report/call_list.hpp"
#include "awaitscope/report/hot_files.hpp"
#include "awaitscope/report/time_grid.hpp"
#include "catch.hpp"
#include "common.hpp"

using namespace awaitscope;

namespace {

std::uint64_t sum(const std::vector<std::uint64_t> &slots) {
  return std::accumulate(slots.begin(), slots.end(), std::uint64_t{0});
}

CallSpan span(CodeId code, std::int64_t from_ns, std::int64_t to_ns, bool entry = false) {
  CallSpan span;
  span.code = code;
  span.from_ns = from_ns;
  span.to_ns = to_ns;
  span.entry = entry;
  return span;
}

} // namespace

TEST_CASE("a grid's columns are seconds until there are too many") {
  TimeGrid grid;
  grid.add(Metric::wall, 0, 3);
  grid.add(Metric::wall, k_second - 1, 4);
  grid.add(Metric::wall, k_second, 5);
  CHECK(grid.column_ns() == k_second);
  REQUIRE(grid.slots(Metric::wall).size() == TimeGrid::k_rows + 1);
  CHECK(grid.slots(Metric::wall)[0] == 3);
  CHECK(grid.slots(Metric::wall)[TimeGrid::k_rows - 1] == 4);
  CHECK(grid.slots(Metric::wall)[TimeGrid::k_rows] == 5);

  grid.add(Metric::wall, TimeGrid::k_most_columns * k_second, 6); // one more than there may be
  CHECK(grid.column_ns() == 2 * k_second);
  CHECK(sum(grid.slots(Metric::wall)) == 18);
  CHECK(grid.slots(Metric::wall)[TimeGrid::k_rows / 2] == 9);
  CHECK(grid.slots(Metric::wall).back() == 6);
}

TEST_CASE("a grid has each nanosecond of waiting where it was") {
  TimeGrid grid;
  constexpr std::int64_t k_slot = k_second / TimeGrid::k_rows;
  grid.add_await(k_slot / 2, 3 * k_slot + 7);
  const std::vector<std::uint64_t> expected{k_slot / 2, k_slot, k_slot, 7};
  CHECK(grid.slots(Metric::await) == expected);
}

TEST_CASE("the slowest calls have what they called, callers first") {
  CodeTable codes;
  const CodeId view = codes.add({"view", "/srv/shop/views.py", 1});
  const CodeId fetch = codes.add({"fetch", "/srv/shop/views.py", 9});
  const CodeId sleep = codes.add({"sleep", "/usr/lib/python3.13/asyncio/tasks.py", 700});
  CallCollector collector(codes);
  const auto add = [&](const CallSpan &call, std::uint32_t task) {
    collector.add({call, {call.to_ns - call.from_ns, Length::Is::measured}, task});
  };
  for (std::int64_t i = 1; i <= 12; ++i) { // each is longer than the one before, in a task that goes on
    add(span(sleep, 1000 * i, 1000 * i + i), 0);
    add(span(fetch, 1000 * i, 1000 * i + i), 0); // as long as what it awaited
    add(span(view, 1000 * i, 1000 * i + 2 * i, true), 0);
  }
  CallSpan cut = span(view, 0, 99'000, true);
  cut.begun = false;
  add(cut, 1);

  const CallList list = collector.finish();
  CHECK(list.complete);
  CHECK(list.calls.size() == 25); // none of the standard library's
  REQUIRE(list.slowest.size() == CallCollector::k_slowest);
  CHECK(list.slowest.front().to_ns - list.slowest.front().from_ns == 24);
  CHECK(list.slowest.back().to_ns - list.slowest.back().from_ns == 6);
  for (const CallList::Slow &slow : list.slowest) {
    CHECK(slow.code == view);
    CHECK_FALSE(slow.more);
    REQUIRE(slow.parts.size() == 2);
    CHECK(slow.parts[0].code == fetch);
    CHECK(slow.parts[0].depth == 0);
    CHECK(slow.parts[1].code == sleep);
    CHECK(slow.parts[1].depth == 1);
    CHECK(slow.parts[0].from_ns == slow.from_ns);
  }
}

TEST_CASE("calls are listed one by one only while they are not too many") {
  CodeTable codes;
  const CodeId view = codes.add({"view", "/srv/shop/views.py", 1});
  CallCollector collector(codes);
  for (std::size_t i = 0; i <= CallCollector::k_most_calls; ++i) {
    collector.add({span(view, 0, 5, true), {5, Length::Is::measured}, 0});
  }
  const CallList list = collector.finish();
  CHECK_FALSE(list.complete);
  CHECK(list.calls.empty());
  CHECK(list.slowest.size() == CallCollector::k_slowest);
}

TEST_CASE("a text is the version that ran if its functions are where they were") {
  CodeTable codes;
  codes.add({"<module>", "/srv/a.py", 1});
  codes.add({"first", "/srv/a.py", 1});
  codes.add({"Shop.<locals>.second", "/srv/a.py", 3}); // at its decorator
  codes.add({"<lambda>", "/srv/a.py", 9});
  codes.add({"other", "/srv/b.py", 77});
  const std::vector<std::string> lines{"def first():", "    pass", "    @cached",
                                       "    async def second(self):", "        pass"};
  CHECK(defines_functions(lines, "/srv/a.py", codes));
  const std::vector<std::string> later{"", "", "", "", "", "def first():", "    async def second(self): pass"};
  CHECK_FALSE(defines_functions(later, "/srv/a.py", codes)); // lines are others
  CHECK_FALSE(defines_functions({"def first():", "    pass"}, "/srv/a.py", codes));
  CHECK_FALSE(defines_functions({}, "/srv/a.py", codes));
  CHECK(defines_functions({}, "/srv/without.py", codes)); // of which nothing is known
}
