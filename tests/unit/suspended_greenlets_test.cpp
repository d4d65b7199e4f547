#include "awaitscope/asyncio/suspended_greenlets.hpp"

#include "awaitscope/integrations/greenlet.hpp"
#include "catch.hpp"
#include "fake_memory.hpp"

using namespace awaitscope;
using awaitscope::test::FakeMemory;

namespace {

constexpr Address k_greenlet_class = 0x100000;
constexpr Address k_own_class = 0x110000;
constexpr Address k_frame_class = 0x120000;
constexpr Address k_code_class = 0x130000;
constexpr Address k_greenlet = 0x200000;
constexpr Address k_pimpl = 0x210000;
constexpr Address k_frame_object = 0x220000;
constexpr Address k_code = 0x300000;
constexpr Address k_greenlet_frames = 0x400000;

/// A greenlet of a class that a program has derived, in fake memory. Its calls, `count` of them, are all of one function.
class FakeGreenlet {
public:
  FakeGreenlet() {
    put_class(k_greenlet_class, "greenlet.greenlet", 40, 0);
    put_class(k_own_class, "_AsyncIoGreenlet", 48, k_greenlet_class);
    put_class(k_frame_class, "frame", 72, 0);
    put_class(k_code_class, "code", 200, 0);
    remote.put<Address>(k_greenlet + layout.ob_type, k_own_class);
    remote.put<Address>(k_greenlet + layout.sizeof_object + k_greenlet_pimpl, k_pimpl);
    remote.put<Address>(k_frame_object + layout.ob_type, k_frame_class);
    remote.put<Address>(k_frame_object + layout.sizeof_object + 8, k_greenlet_frames);
    remote.put<Address>(k_code + layout.ob_type, k_code_class);
    remote.put<Address>(k_code + layout.co_filename, put_str(k_code + 0x800, "m.py"));
    remote.put<Address>(k_code + layout.co_qualname, put_str(k_code + 0x900, "f"));
    remote.put<Address>(k_code + layout.co_linetable, k_code + 0xF00);
    remote.put<std::uint64_t>(k_code + 0xF00 + layout.ob_size, 0);
  }

  /// It waits in so many calls, whose innermost frame object is `offset` bytes into the C++ object.
  void wait(std::uint32_t offset, std::size_t count) {
    remote.put<Address>(k_pimpl + offset, k_frame_object);
    for (std::size_t i = 0; i < count; ++i) {
      put_frame(i, i + 1 < count ? frame(i + 1) : 0);
    }
  }

  void put_frame(std::size_t index, Address previous) {
    remote.put<Address>(frame(index) + layout.if_previous, previous);
    remote.put<Address>(frame(index) + layout.if_code, k_code);
    remote.put<Address>(frame(index) + layout.if_instr, k_code + layout.co_bytecode);
  }

  static Address frame(std::size_t index) { return k_greenlet_frames + 0x100 * index; }

  /// How many calls were read, and whether some are missing towards the root.
  std::pair<std::size_t, bool> read(Address object = k_greenlet) {
    SnapshotMemory memory(remote);
    ObjectReader objects(memory, layout);
    CodeTable table;
    Address counter = 0;
    CodeCache codes(objects, table, counter);
    StackReader stacks(objects, codes);
    memory.begin();
    codes.begin(0);
    const auto calls = SuspendedGreenletReader(objects, codes, stacks).calls(object);
    const bool cut = !calls.empty() && calls.front().frame.kind == FrameKind::unreadable;
    return {calls.size() - (cut ? 1 : 0), cut};
  }

  const Layout layout = *layout_for({3, 13, 0}, Build::with_gil);
  FakeMemory remote;

private:
  void put_class(Address at, const std::string &name, std::int64_t size, Address base) {
    remote.put_bytes(at + 0x800, name.c_str(), name.size() + 1);
    remote.put<Address>(at + layout.tp_name, at + 0x800);
    remote.put<std::int64_t>(at + layout.tp_basicsize, size);
    remote.put<Address>(at + layout.tp_base, base);
  }

  Address put_str(Address at, const std::string &text) {
    remote.put<std::uint64_t>(at + layout.str_length, text.size());
    remote.put<std::uint32_t>(at + layout.str_state, 1U << layout.str_kind_shift | 3U << (layout.str_kind_shift + 3U));
    remote.put_bytes(at + layout.str_ascii, text.c_str(), text.size() + 1);
    return at;
  }
};

using Read = std::pair<std::size_t, bool>;

} // namespace

TEST_CASE("the calls of a greenlet that waits, wherever its version keeps the innermost") {
  for (const std::uint32_t offset : k_greenlet_top_frames) {
    FakeGreenlet greenlet;
    greenlet.wait(offset, 5);
    CHECK(greenlet.read() == Read(5, false));
  }
}

TEST_CASE("a greenlet that runs keeps no frame: its calls are missing, not none") {
  FakeGreenlet greenlet;
  greenlet.remote.put<Address>(k_pimpl + 104, 0);
  CHECK(greenlet.read() == Read(0, true));
}

TEST_CASE("an innermost frame that is cut off from its callers is not taken for the whole stack") {
  FakeGreenlet greenlet;
  greenlet.wait(104, 1);
  CHECK(greenlet.read() == Read(1, true));
}

TEST_CASE("a frame of a greenlet that cannot be read is missing with all above it") {
  FakeGreenlet greenlet;
  greenlet.wait(104, 5);
  greenlet.remote.put<Address>(FakeGreenlet::frame(3) + greenlet.layout.if_code, 0x900000);
  CHECK(greenlet.read() == Read(3, true));
}

TEST_CASE("a circle of a greenlet's frames ends") {
  FakeGreenlet greenlet;
  greenlet.wait(104, 3);
  greenlet.put_frame(2, FakeGreenlet::frame(0));
  CHECK(greenlet.read().second);
}

TEST_CASE("what is no greenlet has no calls") {
  FakeGreenlet greenlet;
  greenlet.wait(104, 3);
  CHECK(greenlet.read(0) == Read(0, false));
  CHECK(greenlet.read(k_frame_object) == Read(0, false));
}
