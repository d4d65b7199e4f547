// Lists of tasks that the target changes while they are read.
#include <initializer_list>

#include "awaitscope/asyncio/task_ring.hpp"
#include "awaitscope/cpython/layout.hpp"
#include "awaitscope/cpython/objects.hpp"
#include "catch.hpp"
#include "fake_memory.hpp"

using namespace awaitscope;
using awaitscope::test::FakeMemory;

namespace {

constexpr Address k_head = 0x10000;
constexpr Address k_set = 0x40000;
constexpr std::size_t k_all = 1000;

Address node(unsigned number) { return 0x20000 + Address{number} * 0x2000; }

/// Links these nodes, in this order, and unlinks nothing: what is left of others stays as the target leaves it.
void link(FakeMemory &remote, std::initializer_list<unsigned> numbers) {
  Address last = k_head;
  for (const unsigned number : numbers) {
    remote.put<Address>(last, node(number));
    remote.put<Address>(node(number) + 8, last);
    last = node(number);
  }
  remote.put<Address>(last, k_head);
  remote.put<Address>(k_head + 8, last);
}

void unlink(FakeMemory &remote, unsigned number) {
  remote.put<Address>(node(number), 0);
  remote.put<Address>(node(number) + 8, 0);
}

/// A set of so many elements in a table of eight entries.
void put_set(FakeMemory &remote, const Layout &layout, Address table, unsigned elements, unsigned of_which_written) {
  remote.put<std::uint64_t>(k_set + layout.set_used, elements);
  remote.put<std::uint64_t>(k_set + layout.set_mask, 7);
  remote.put<Address>(k_set + layout.set_table, table);
  for (unsigned i = 0; i < 8; ++i) {
    remote.put<Address>(table + Address{16} * i, i < of_which_written ? 0x70000 + i : 0);
    remote.put<Address>(table + Address{16} * i + 8, i);
  }
}

} // namespace

TEST_CASE("a ring of tasks is read whole though it changes meanwhile") {
  FakeMemory remote;
  SnapshotMemory memory(remote);
  remote.put<Address>(k_head, 0);
  memory.begin();
  CHECK(read_task_ring(memory, k_head, k_all).nodes.empty());
  CHECK(read_task_ring(memory, k_head, k_all).whole);

  link(remote, {1, 2, 3, 4});
  memory.begin();
  for (unsigned number = 1; number <= 4; ++number) { // as a scan that fetches what the last one used
    memory.pointer(node(number));
    if (number == 2) {
      unlink(remote, 2); // a task that ends
      unlink(remote, 3);
      link(remote, {1, 4, 5}); // and one that is new
    }
  }
  const TaskRing ring = read_task_ring(memory, k_head, k_all);
  CHECK(ring.whole);
  CHECK(ring.nodes == std::vector<Address>{node(1), node(4), node(5)});
}

TEST_CASE("a ring that is never in order ends, and is not whole") {
  FakeMemory remote;
  SnapshotMemory memory(remote);
  link(remote, {1, 2, 3});
  remote.put<Address>(node(3), node(2)); // back into the ring
  memory.begin();
  CHECK_FALSE(read_task_ring(memory, k_head, k_all).whole);
  link(remote, {1, 2, 3});
  memory.begin();
  CHECK_FALSE(read_task_ring(memory, k_head, 2).whole);
}

TEST_CASE("a set whose table and count were read at different times is read again") {
  const Layout layout = *layout_for({3, 13, 0}, Build::with_gil);
  FakeMemory remote;
  SnapshotMemory memory(remote);
  ObjectReader objects(memory, layout);
  constexpr Address k_type = 0x30000;
  constexpr Address k_table = 0x50000;
  constexpr Address k_larger = 0x60000;
  remote.put<Address>(k_type + layout.tp_name, 0x31000);
  remote.put<std::int64_t>(k_type + layout.tp_basicsize, 200);
  remote.put_bytes(0x31000, "set", 4);
  remote.put<Address>(k_set + layout.ob_type, k_type);

  put_set(remote, layout, k_table, 3, 3);
  memory.begin();
  CHECK(memory.pointer(k_set + layout.set_table) == k_table);
  put_set(remote, layout, k_table, 5, 5);
  REQUIRE(objects.set_elements(k_set));
  CHECK(objects.set_elements(k_set)->size() == 5);

  memory.begin();
  CHECK(memory.pointer(k_set + layout.set_table) == k_table);
  put_set(remote, layout, k_larger, 6, 6);
  put_set(remote, layout, k_table, 6, 0); // it has gone to another one
  remote.put<Address>(k_set + layout.set_table, k_larger);
  REQUIRE(objects.set_elements(k_set));
  CHECK(objects.set_elements(k_set)->size() == 6);

  put_set(remote, layout, k_table, 6, 2); // being filled, for longer than anybody waits
  memory.begin();
  CHECK_FALSE(objects.set_elements(k_set));
}
