#include <array>
#include <utility>
#include <vector>

#include "awaitscope/capture/snapshot_memory.hpp"
#include "catch.hpp"
#include "fake_memory.hpp"

using namespace awaitscope;
using awaitscope::test::FakeMemory;

TEST_CASE("a snapshot sees each byte once, however the target changes it") {
  FakeMemory remote;
  remote.put<std::uint64_t>(0x10000, 1);
  SnapshotMemory memory(remote);
  memory.begin();
  CHECK(memory.get<std::uint64_t>(0x10000) == 1U);
  remote.put<std::uint64_t>(0x10000, 2);
  CHECK(memory.get<std::uint64_t>(0x10000) == 1U);
  memory.begin();
  CHECK(memory.get<std::uint64_t>(0x10000) == 2U);
}

TEST_CASE("what was read of a block stays when the rest of it is fetched") {
  FakeMemory remote;
  remote.put<std::uint64_t>(0x10000, 1);
  remote.put<std::uint64_t>(0x10300, 1);
  SnapshotMemory memory(remote);
  memory.begin();
  CHECK(memory.get<std::uint64_t>(0x10000) == 1U);
  remote.put<std::uint64_t>(0x10000, 2);
  remote.put<std::uint64_t>(0x10300, 2);
  CHECK(memory.get<std::uint64_t>(0x10300) == 2U); // too far from the first to have come along
  CHECK(memory.get<std::uint64_t>(0x10000) == 1U);
  const RemoteRange whole{0x10000, 1024};
  memory.prefetch(std::span(&whole, 1));
  CHECK(memory.get<std::uint64_t>(0x10000) == 1U);
}

TEST_CASE("what does not fit together is read again, in one call") {
  for (const auto changes : {SnapshotMemory::Changes::forget, SnapshotMemory::Changes::track}) {
    FakeMemory remote;
    remote.put<std::uint64_t>(0x10000, 1);
    remote.put<std::uint64_t>(0x20000, 1);
    SnapshotMemory memory(remote, changes);
    memory.begin();
    CHECK(memory.get<std::uint64_t>(0x10000) == 1U);
    CHECK(memory.get<std::uint64_t>(0x20000) == 1U);
    remote.put<std::uint64_t>(0x10000, 2);
    remote.put<std::uint64_t>(0x20000, 2);
    const std::array<RemoteRange, 2> both{{{0x10000, 8}, {0x20000, 8}}};
    remote.calls = 0;
    memory.refetch(both);
    CHECK(memory.get<std::uint64_t>(0x10000) == 2U);
    CHECK(memory.get<std::uint64_t>(0x20000) == 2U);
    CHECK(remote.calls == 1);
  }
}

TEST_CASE("what the last two snapshots used comes in one call") {
  FakeMemory remote;
  SnapshotMemory memory(remote);
  for (Address address = 0x10000; address < 0x90000; address += 0x2000) {
    remote.put<std::uint64_t>(address, address);
  }
  for (int snapshot = 0; snapshot < 4; ++snapshot) {
    remote.calls = 0;
    memory.begin();
    for (Address address = 0x10000; address < 0x90000; address += 0x2000) {
      REQUIRE(memory.get<std::uint64_t>(address) == address);
    }
    CHECK(remote.calls == (snapshot < 2 ? 64U : 1U));
  }
}

TEST_CASE("an object that lies in two blocks comes in one call, if its end is there") {
  FakeMemory remote;
  SnapshotMemory memory(remote);
  remote.put<std::uint64_t>(0x13f8, 1);
  remote.put<std::uint64_t>(0x1440, 2);
  remote.put<std::uint64_t>(0x4ff0, 3);
  memory.begin();
  CHECK(memory.get<std::uint64_t>(0x13f8) == 1U);
  CHECK(memory.get<std::uint64_t>(0x1440) == 2U);
  CHECK(remote.calls == 1);
  CHECK(memory.get<std::uint64_t>(0x4ff0) == 3U);
  CHECK_FALSE(memory.get<std::uint64_t>(0x5000));
  CHECK(remote.calls == 2);
  CHECK(memory.status() == ReadStatus::ok);
}

TEST_CASE("a page that goes away takes only itself along") {
  FakeMemory remote;
  SnapshotMemory memory(remote);
  for (Address address = 0x10000; address < 0x20000; address += 0x1000) {
    remote.put<std::uint64_t>(address, address);
  }
  for (int snapshot = 0; snapshot < 2; ++snapshot) {
    memory.begin();
    for (Address address = 0x10000; address < 0x20000; address += 0x1000) {
      memory.get<std::uint64_t>(address);
    }
  }
  remote.unmap(0x14000);
  memory.begin();
  CHECK_FALSE(memory.get<std::uint64_t>(0x14000));
  CHECK(memory.pointer(0x14000) == 0);
  CHECK(memory.get<std::uint64_t>(0x13000) == 0x13000U);
  CHECK(memory.get<std::uint64_t>(0x15000) == 0x15000U);
  CHECK(memory.status() == ReadStatus::ok);
}

TEST_CASE("a range across blocks and pages is whole or nothing") {
  FakeMemory remote;
  std::vector<std::uint8_t> bytes(3000);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(i * 7);
  }
  remote.put_bytes(0x10F00, bytes.data(), bytes.size());
  SnapshotMemory memory(remote);
  memory.begin();
  std::vector<std::uint8_t> read(bytes.size());
  REQUIRE(memory.copy(0x10F00, read.data(), read.size()));
  CHECK(read == bytes);
  CHECK_FALSE(memory.copy(0x11F00, read.data(), 600)); // the next page is not there
  CHECK_FALSE(memory.copy(0xFFFFFFFFFFFFFF00, read.data(), 600));
}

TEST_CASE("the guard is read after all else, in the same call") {
  FakeMemory remote;
  remote.put<std::uint32_t>(0x50004, 7);
  remote.put<std::uint64_t>(0x10000, 42);
  SnapshotMemory memory(remote);
  for (int snapshot = 0; snapshot < 2; ++snapshot) {
    memory.begin();
    memory.pointer(0x10000);
  }
  SnapshotMemory::Guard guard{0x50004, 0};
  remote.calls = 0;
  CHECK(memory.begin(SnapshotMemory::Prefetch::likely, &guard) == ReadStatus::ok);
  CHECK(guard.value == 7);
  CHECK(memory.pointer(0x10000) == 42);
  CHECK(remote.calls == 1);
  CHECK_FALSE(memory.read_more());
  memory.pointer(0x50000);
  CHECK(memory.read_more());
}

TEST_CASE("a guard behind a block that has gone is read behind the rest") {
  FakeMemory remote;
  remote.put<std::uint32_t>(0x50004, 7);
  for (Address address = 0x10000; address < 0x13000; address += 0x1000) {
    remote.put<std::uint64_t>(address, address);
  }
  SnapshotMemory memory(remote);
  for (int snapshot = 0; snapshot < 2; ++snapshot) {
    memory.begin();
    for (Address address = 0x10000; address < 0x13000; address += 0x1000) {
      memory.pointer(address);
    }
  }
  remote.unmap(0x11000);
  remote.before_read = [&] { remote.put<std::uint32_t>(0x50004, static_cast<std::uint32_t>(remote.calls)); };
  remote.calls = 0;
  SnapshotMemory::Guard guard{0x50004, 0};
  CHECK(memory.begin(SnapshotMemory::Prefetch::likely, &guard) == ReadStatus::ok);
  CHECK(guard.value == 3);
  CHECK(memory.pointer(0x12000) == 0x12000);
  CHECK(memory.pointer(0x11000) == 0);
}

TEST_CASE("the end of the process is told apart from a bad address") {
  FakeMemory remote;
  remote.put<std::uint64_t>(0x10000, 1);
  SnapshotMemory memory(remote);
  memory.begin();
  memory.pointer(0x10000);
  remote.answer = ReadStatus::gone;
  memory.begin(SnapshotMemory::Prefetch::last_again);
  CHECK(memory.pointer(0x10000) == 0);
  CHECK(memory.status() == ReadStatus::gone);
}

TEST_CASE("thousands of blocks come and go without growing the set that is prefetched") {
  FakeMemory remote;
  SnapshotMemory memory(remote);
  for (int snapshot = 0; snapshot < 40; ++snapshot) {
    memory.begin();
    for (Address i = 0; i < 500; ++i) {
      const Address address = 0x100000 + (static_cast<Address>(snapshot) * 500 + i) * 0x1000;
      remote.put<std::uint64_t>(address, address);
      REQUIRE(memory.pointer(address) == address);
    }
  }
  for (int snapshot = 0; snapshot < 10; ++snapshot) {
    memory.begin();
  }
  remote.calls = 0;
  memory.begin();
  CHECK(memory.blocks() == 0);
}

TEST_CASE("a snapshot that is repeated has everything at once") {
  FakeMemory remote;
  remote.put<std::uint64_t>(0x10000, 1);
  remote.put<std::uint64_t>(0x70000, 2);
  SnapshotMemory memory(remote);
  memory.begin();
  memory.pointer(0x10000);
  memory.pointer(0x70000);
  remote.calls = 0;
  memory.begin(SnapshotMemory::Prefetch::last_again);
  CHECK(memory.pointer(0x10000) == 1);
  CHECK(memory.pointer(0x70000) == 2);
  CHECK(remote.calls == 1);
}

TEST_CASE("of a snapshot that tracks changes it is known which words are what they were") {
  FakeMemory remote;
  remote.put<std::uint64_t>(0x10000, 1);
  remote.put<std::uint64_t>(0x10008, 2);
  remote.put<std::uint64_t>(0x103F8, 3);
  remote.put<std::uint64_t>(0x20000, 4);
  SnapshotMemory memory(remote, SnapshotMemory::Changes::track);
  std::vector<SnapshotMemory::Use> low;
  std::vector<SnapshotMemory::Use> across;
  memory.begin();
  memory.note_uses(&low);
  CHECK(memory.get<std::uint64_t>(0x10000) == 1U);
  memory.note_uses(&across);
  std::array<std::uint64_t, 2> both{};
  CHECK(memory.copy(0x103F8, both.data(), sizeof both));
  CHECK(memory.get<std::uint64_t>(0x20000) == 4U);
  memory.note_uses(nullptr);
  CHECK(memory.uses_whole());
  memory.keep();

  const auto snapshot = [&](bool keep) {
    memory.begin();
    const std::pair<bool, bool> same{memory.unchanged(low), memory.unchanged(across)};
    if (keep) {
      memory.keep();
    }
    return same;
  };
  remote.calls = 0;
  CHECK(snapshot(true) == std::pair(true, true));
  CHECK(remote.calls == 1);
  remote.put<std::uint64_t>(0x10008, 9); // next to what was used
  CHECK(snapshot(true) == std::pair(true, true));
  remote.put<std::uint64_t>(0x10400, 9);
  CHECK(snapshot(false) == std::pair(true, false));
  CHECK(snapshot(false) == std::pair(true, false)); // since the last keep()
  remote.put<std::uint64_t>(0x10400, 0);
  CHECK(snapshot(false) == std::pair(true, false)); // as it was again, but it was another in between
  CHECK(snapshot(true) == std::pair(true, false));
  CHECK(snapshot(true) == std::pair(true, true));
  remote.put<std::uint64_t>(0x10000, 7);
  CHECK(snapshot(false) == std::pair(false, true));
  CHECK(memory.get<std::uint64_t>(0x10000) == 7U);
  memory.keep();
  remote.unmap(0x20000);
  CHECK(snapshot(false) == std::pair(true, false));
}

TEST_CASE("what could not be read is never what it was; snapshots change places whole") {
  FakeMemory remote;
  remote.put<std::uint64_t>(0x10000, 1);
  SnapshotMemory tracked(remote, SnapshotMemory::Changes::track);
  SnapshotMemory plain(remote);
  std::vector<SnapshotMemory::Use> uses;
  plain.swap(tracked);
  plain.begin();
  plain.note_uses(&uses);
  CHECK_FALSE(plain.get<std::uint64_t>(0x30000));
  CHECK_FALSE(plain.uses_whole());
  plain.note_uses(&uses);
  CHECK(plain.uses_whole());
  CHECK(plain.get<std::uint64_t>(0x10000) == 1U);
  plain.note_uses(nullptr);
  plain.keep();
  plain.swap(tracked);
  plain.begin();
  CHECK(plain.get<std::uint64_t>(0x10000) == 1U);
  tracked.begin();
  CHECK(tracked.unchanged(uses));
}

namespace {

/// Two records of 16 bytes that were copied: one at 0x20010, one at 0x20100.
struct CopiedRecords {
  std::array<Address, 2> addresses{0x20010, 0x20100};
  std::array<std::array<std::uint64_t, Copies::k_record_stride / 8>, 2> words{{{11, 12}, {21, 22}}};

  [[nodiscard]] Copies copies() const {
    Copies copies;
    copies.records = addresses;
    copies.record_bytes = reinterpret_cast<const std::byte *>(words.data()); // NOLINT: as bytes
    copies.record_size = 16;
    return copies;
  }
};

} // namespace

TEST_CASE("records that were copied are not read again, and end where they end") {
  FakeMemory remote;
  remote.put<std::uint64_t>(0x20008, 5);
  remote.put<std::uint64_t>(0x20010, 6); // as it is by now
  remote.put<std::uint64_t>(0x20020, 7);
  SnapshotMemory memory(remote);
  const CopiedRecords records;
  memory.begin(records.copies());
  CHECK(memory.has_records());
  CHECK(memory.get<std::uint64_t>(0x20010) == 11U);
  CHECK(memory.get<std::uint64_t>(0x20108) == 22U);
  CHECK(memory.get<std::uint64_t>(0x20018) == 12U); // back again
  CHECK_FALSE(memory.read_more());
  CHECK(memory.get<std::uint64_t>(0x20008) == 5U);
  CHECK(memory.get<std::uint64_t>(0x20020) == 7U);
  CHECK(memory.read_more());
  CHECK(memory.get<std::uint64_t>(0x20010) == 11U);
  memory.begin();
  CHECK_FALSE(memory.has_records());
  CHECK(memory.get<std::uint64_t>(0x20010) == 6U);
}

TEST_CASE("a snapshot that may not fetch anything has all that was copied, or nothing more") {
  FakeMemory remote;
  remote.put<std::uint64_t>(0x20020, 7);
  SnapshotMemory memory(remote);
  const CopiedRecords records;
  memory.begin(records.copies(), SnapshotMemory::Beyond::refuse);
  CHECK(memory.get<std::uint64_t>(0x20010) == 11U);
  CHECK_FALSE(memory.refused());
  CHECK_FALSE(memory.get<std::uint64_t>(0x20020));
  CHECK(memory.refused());
  CHECK_FALSE(memory.get<std::uint64_t>(0x20010)); // nothing is made of a part
  CHECK(remote.calls == 0);
  memory.begin(); // what was refused is no other than before
  CHECK_FALSE(memory.refused());
  CHECK(memory.get<std::uint64_t>(0x20020) == 7U);
}
