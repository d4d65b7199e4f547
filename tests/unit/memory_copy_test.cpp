#include "awaitscope/capture/memory_copy.hpp"

#include <cstring>

#include "awaitscope/capture/snapshot_memory.hpp"
#include "awaitscope/support/clock.hpp"
#include "catch.hpp"
#include "fake_memory.hpp"

using namespace awaitscope;

namespace {

constexpr Address k_here = 0x7f0000000000;
constexpr Address k_part = Address{1} << 18U;

std::int64_t later() { return monotonic_ns() + k_ns_per_second * 60; }

} // namespace
TEST_CASE("a copy stays what it was until it is refreshed, and says what it had not") {
  test::FakeMemory process;
  process.put<std::uint64_t>(k_here + 16, 1);
  process.put<std::uint64_t>(k_here + k_part, 7);
  MemoryCopy copy(process);
  SnapshotMemory memory(process);
  memory.read_from(&copy);
  memory.begin();
  CHECK(memory.get<std::uint64_t>(k_here + 16) == 1);
  CHECK(copy.grew());
  process.put<std::uint64_t>(k_here + 16, 2);
  memory.begin();
  CHECK(memory.get<std::uint64_t>(k_here + 16) == 1);
  REQUIRE(copy.refresh(later()));
  CHECK_FALSE(copy.grew());
  CHECK(memory.get<std::uint64_t>(k_here + 16) == 2);
  CHECK_FALSE(copy.grew());
  CHECK(memory.get<std::uint64_t>(k_here + k_part) == 7);
  CHECK(copy.grew());
  memory.read_from(nullptr);
  process.put<std::uint64_t>(k_here + 16, 3);
  memory.begin();
  CHECK(memory.get<std::uint64_t>(k_here + 16) == 3);
}

TEST_CASE("a copy has the pages that there are, also those that come and go") {
  test::FakeMemory process;
  process.put<std::uint64_t>(k_here, 1);
  process.put<std::uint64_t>(k_here + 3 * test::FakeMemory::k_page, 2);
  MemoryCopy copy(process);
  REQUIRE(copy.view(k_here, 8) != nullptr);
  CHECK(copy.view(k_here + test::FakeMemory::k_page, 8) == nullptr);
  CHECK(copy.view(k_here + test::FakeMemory::k_page - 4, 8) == nullptr);
  REQUIRE(copy.view(k_here + 3 * test::FakeMemory::k_page, 8) != nullptr);
  process.unmap(k_here + 3 * test::FakeMemory::k_page);
  process.put<std::uint64_t>(k_here + test::FakeMemory::k_page, 5);
  REQUIRE(copy.refresh(later()));
  CHECK(copy.view(k_here + 3 * test::FakeMemory::k_page, 8) == nullptr);
  CHECK(copy.view(k_here + test::FakeMemory::k_page, 8) != nullptr);
  CHECK(copy.view(k_here + test::FakeMemory::k_page - 4, 8) != nullptr);
  CHECK_FALSE(copy.grew());
}

TEST_CASE("a view across two parts of a copy, and addresses that no process has") {
  test::FakeMemory process;
  const std::uint64_t value = 0x0123456789ABCDEF;
  process.put(k_here + k_part - 3, value);
  MemoryCopy copy(process);
  std::uint64_t read = 0;
  REQUIRE(copy.view(k_here + k_part - 3, 8) != nullptr);
  std::memcpy(&read, copy.view(k_here + k_part - 3, 8), sizeof read);
  CHECK(read == value);
  read = 0;
  REQUIRE(copy.copy(k_here + k_part - 3, &read, sizeof read));
  CHECK(read == value);
  CHECK(copy.view(~Address{0} - 3, 8) == nullptr);
  CHECK(copy.view(Address{1} << 47U, 8) == nullptr);
  CHECK(copy.view(0, 8) == nullptr);
}

TEST_CASE("a copy of a process that is gone, and one for which there is no time") {
  test::FakeMemory process;
  process.put<std::uint64_t>(k_here, 1);
  MemoryCopy copy(process);
  REQUIRE(copy.view(k_here, 8) != nullptr);
  CHECK_FALSE(copy.refresh(0));
  process.answer = ReadStatus::gone;
  CHECK_FALSE(copy.refresh(later()));
  CHECK(copy.status() == ReadStatus::gone);
}
