#include <algorithm>
#include <random>
#include <utility>

#include "awaitscope/cpython/stack_reader.hpp"
#include "catch.hpp"
#include "fake_memory.hpp"

using namespace awaitscope;
using awaitscope::test::FakeMemory;

namespace {

constexpr Address k_interpreter = 0x100000;
constexpr Address k_thread_state = 0x200000;
constexpr Address k_code_type = 0x300000;
constexpr Address k_codes = 0x400000;
constexpr Address k_frames = 0x7F0000000000;
constexpr Address k_nowhere = 0x900000;
constexpr Address k_c_stack = 0x7FF000000000;
constexpr std::size_t k_no_code = 100; ///< a place at which nothing is mapped
constexpr std::int32_t k_first_line = 10;
constexpr std::size_t k_instructions = 8; ///< each on the line behind the one before

struct ModelFrame {
  Address address = 0;
  std::size_t code = 0;
  std::size_t instruction = 0;
  bool of_generator = false;
  bool shim = false;
};

/// A thread in fake memory.
class FakeThread {
public:
  explicit FakeThread(int minor = 13) : layout(*layout_for({3, minor, 0}, Build::with_gil)) {
    put_text(k_code_type + 0x800, "code");
    remote.put<Address>(k_code_type + layout.tp_name, k_code_type + 0x800);
    remote.put<std::int64_t>(k_code_type + layout.tp_basicsize, 200);
    for (std::size_t code = 0; code < 6; ++code) {
      put_code(code, code);
    }
    made(100);
  }

  /// Makes the code at place `code` the function `f<name>`.
  void put_code(std::size_t code, std::size_t name) {
    const Address at = code_address(code);
    remote.put<Address>(at + layout.ob_type, k_code_type);
    remote.put<Address>(at + layout.co_filename, put_str(at + 0x800, "m.py"));
    remote.put<Address>(at + layout.co_qualname, put_str(at + 0x900 + 0x80 * name, "f" + std::to_string(name)));
    remote.put<Address>(at + layout.co_linetable, at + 0xF00);
    remote.put<std::int32_t>(at + layout.co_firstlineno, k_first_line);
    remote.put<std::uint32_t>(at + layout.co_version, static_cast<std::uint32_t>(code + 1));
    std::string lines;
    for (std::size_t i = 0; i < k_instructions; ++i) {
      lines += std::string("\xD8\0\0", 3); // Objects/locations.md: one instruction, one line further on
    }
    remote.put<std::uint64_t>(at + 0xF00 + layout.ob_size, lines.size());
    remote.put_bytes(at + 0xF00 + layout.bytes_value, lines.data(), lines.size());
  }

  /// How many code objects the interpreter has made.
  void made(std::uint32_t count) { remote.put<std::uint32_t>(k_interpreter + layout.is_next_code_version, count); }

  /// Root first. Below the root lies `below`.
  void put_stack(const std::vector<ModelFrame> &frames, Address below = 0) {
    for (const ModelFrame &frame : frames) {
      remote.put<Address>(frame.address + layout.if_previous, below);
      remote.put<Address>(frame.address + layout.if_code, code_address(frame.code));
      remote.put<Address>(frame.address + layout.if_instr,
                          code_address(frame.code) + layout.co_bytecode + 2 * frame.instruction);
      remote.put<std::uint8_t>(frame.address + layout.if_owner, frame.shim           ? layout.owner_first_shim
                                                                : frame.of_generator ? layout.owner_generator
                                                                                     : std::uint8_t{0});
      below = frame.address;
    }
    if (layout.ts_frame != k_absent) {
      remote.put<Address>(k_thread_state + layout.ts_frame, below);
    }
  }

  /// For each evaluation, root first, its frames. Where no marker of an entry can come first, the first is marked itself.
  void put_evaluations(const std::vector<std::vector<ModelFrame>> &evaluations) {
    Address below = 0;
    Address cframe = k_thread_state + layout.ts_size - 0x20; // the thread's own
    put_cframe(cframe, 0, 0);
    for (const std::vector<ModelFrame> &frames : evaluations) {
      put_stack(frames, below);
      if (layout.if_is_entry != k_absent) {
        for (const ModelFrame &frame : frames) {
          remote.put<std::uint8_t>(frame.address + layout.if_is_entry, &frame == &frames.front() ? 1 : 0);
        }
      }
      below = frames.back().address;
      const Address outer =
          std::exchange(cframe, k_c_stack - 0x100 * static_cast<Address>(&frames - evaluations.data()));
      put_cframe(cframe, below, outer);
    }
  }

  /// Makes it the thread's current one.
  void put_cframe(Address cframe, Address frame, Address previous) {
    remote.put<Address>(cframe + layout.cframe_frame, frame);
    remote.put<Address>(cframe + layout.cframe_previous, previous);
    remote.put<Address>(k_thread_state + layout.ts_cframe, cframe);
  }

  const Layout layout;
  FakeMemory remote;

private:
  static Address code_address(std::size_t code) { return k_codes + 0x1000 * code; }

  void put_text(Address at, const std::string &text) { remote.put_bytes(at, text.c_str(), text.size() + 1); }

  Address put_str(Address at, const std::string &text) {
    remote.put<std::uint64_t>(at + layout.str_length, text.size());
    remote.put<std::uint32_t>(at + layout.str_state, 1U << layout.str_kind_shift | 3U << (layout.str_kind_shift + 3U));
    put_text(at + layout.str_ascii, text);
    return at;
  }
};

/// What reads it, with what it remembers from look to look.
class Reader {
public:
  explicit Reader(FakeThread &thread)
      : memory_(thread.remote), objects_(memory_, thread.layout), codes_(objects_, table, counter_),
        stacks_(objects_, codes_) {}

  /// At `now_ns` without a count of code objects, if that is not 0.
  const PythonStack &read(bool counted = true, std::int64_t now_ns = 0) {
    memory_.begin();
    codes_.begin(counted ? k_interpreter : 0, now_ns);
    stacks_.read(k_thread_state, stack_);
    return stack_;
  }

  /// The names of what was trusted and was not what it seemed.
  std::vector<std::string> confirm() {
    std::vector<std::string> names;
    for (const CodeId id : codes_.confirm()) {
      names.push_back(table.at(id).function);
    }
    return names;
  }

  CodeTable table;

private:
  SnapshotMemory memory_;
  ObjectReader objects_;
  Address counter_ = 0;
  CodeCache codes_;
  StackReader stacks_;
  PythonStack stack_;
};

bool is_equal(const Reader &reader, const PythonFrame &frame, const ModelFrame &expected) {
  return frame.frame.kind == FrameKind::python &&
         reader.table.at(frame.frame.code).function == "f" + std::to_string(expected.code) &&
         frame.frame.line == k_first_line + 1 + static_cast<std::int32_t>(expected.instruction) &&
         frame.address == expected.address && frame.of_generator == expected.of_generator;
}

void check_equal(const Reader &reader, const PythonStack &stack, const std::vector<ModelFrame> &model) {
  std::size_t at = 0;
  for (const ModelFrame &expected : model) {
    if (expected.shim) {
      continue;
    }
    // Not a REQUIRE for each frame: they would take most of the time of these tests.
    if (at == stack.frames.size() || !is_equal(reader, stack.frames[at], expected)) {
      FAIL("frame " << at << " of " << stack.frames.size() << " is not f" << expected.code << " at instruction "
                    << expected.instruction);
    }
    ++at;
  }
  REQUIRE(at == stack.frames.size());
}

/// Returns from some calls, makes some others, moves some frames on: on a stack of frames, now and then in a coroutine elsewhere.
void run_on(std::vector<ModelFrame> &model, std::mt19937 &random) {
  const auto below = [&](std::size_t count) { return random() % count; };
  model.resize(model.size() - below(std::min<std::size_t>(model.size(), below(20) == 0 ? 200 : 4) + 1));
  for (std::size_t calls = below(below(20) == 0 ? 150 : 5); calls > 0; --calls) {
    const bool of_generator = below(6) == 0;
    const Address place = of_generator ? 0x10000000 + below(64) * 0x400 : k_frames + model.size() * 0x60;
    const auto there = [&](const ModelFrame &frame) { return frame.address == place; };
    if (std::none_of(model.begin(), model.end(), there)) {
      model.push_back({place, below(6), below(k_instructions), of_generator, !of_generator && below(8) == 0});
    }
  }
  for (std::size_t moved = below(3); moved > 0 && !model.empty(); --moved) {
    model[below(model.size())].instruction = below(k_instructions);
  }
}

} // namespace

TEST_CASE("a stack is what it is, whatever the stack before it was") {
  FakeThread thread;
  Reader reader(thread);
  std::mt19937 random(7);
  std::vector<ModelFrame> model;
  std::size_t deepest = 0;
  for (int look = 0; look < 1500; ++look) {
    run_on(model, random);
    deepest = std::max(deepest, model.size());
    thread.put_stack(model);
    check_equal(reader, reader.read(look % 50 != 0), model);
  }
  CHECK(deepest > 150);
}

TEST_CASE("a part that cannot be read is missing at its place, and not remembered") {
  FakeThread thread;
  Reader reader(thread);
  std::vector<ModelFrame> model;
  for (std::size_t i = 0; i < 10; ++i) {
    model.push_back({k_frames + i * 0x60, i % 6, 0, false, false});
  }
  thread.put_stack(model);
  check_equal(reader, reader.read(), model);
  std::vector<ModelFrame> upper(model.begin() + 4, model.end());
  thread.put_stack(upper, k_nowhere);
  PythonStack stack = reader.read();
  REQUIRE(stack.frames.size() == 7);
  CHECK(stack.frames.front().frame == k_unreadable_frame);
  stack.frames.erase(stack.frames.begin());
  check_equal(reader, stack, upper);
  thread.put_stack(upper);
  check_equal(reader, reader.read(), upper);
  thread.put_stack(model);
  check_equal(reader, reader.read(), model);
}

TEST_CASE("before an evaluation has its frame, a stack that an earlier one has left is not taken for the thread's") {
  const int minor = GENERATE(11, 12);
  FakeThread thread(minor);
  Reader reader(thread);
  const bool has_shims = minor > 11;
  const auto evaluation = [&](std::vector<ModelFrame> frames, Address marker) {
    if (has_shims) {
      frames.insert(frames.begin(), {marker, 0, 0, false, true});
    }
    return frames;
  };
  const auto outer =
      evaluation({{k_frames, 0, 3, false, false}, {k_frames + 0x60, 1, 2, false, false}}, k_c_stack + 0x800);
  const auto inner =
      evaluation({{0x10000000, 2, 1, true, false}, {k_frames + 0xC0, 3, 0, false, false}}, k_c_stack + 0x400);
  std::vector<ModelFrame> whole = outer;
  whole.insert(whole.end(), inner.begin(), inner.end());
  thread.put_evaluations({outer});
  check_equal(reader, reader.read(), outer);
  thread.put_evaluations({outer, inner});
  check_equal(reader, reader.read(), whole);
  const Address leaf = inner.back().address;
  const Address callers = k_c_stack;
  const Address entering = k_c_stack - 0x80;
  const auto check_unreadable = [&](Address frame, Address previous) {
    thread.put_cframe(entering, frame, previous);
    const PythonStack &stack = reader.read();
    REQUIRE(stack.frames.size() == 1);
    CHECK(stack.frames.front().frame == k_unreadable_frame);
  };
  check_unreadable(leaf, 0);
  check_unreadable(leaf, k_nowhere);
  // The coroutine has come to its end, and what it was called by has called something else from C.
  thread.remote.put<Address>(callers + thread.layout.cframe_frame, k_frames);
  check_unreadable(leaf, callers);
  // Or it is suspended: it has no caller any more.
  thread.remote.put<Address>(inner[has_shims ? 1 : 0].address + thread.layout.if_previous, 0);
  check_unreadable(inner[has_shims ? 1 : 0].address, callers);
  thread.put_evaluations({outer, inner});
  check_equal(reader, reader.read(), whole);
}

TEST_CASE("a circle of frames ends, and is no longer at the next look") {
  FakeThread thread;
  Reader reader(thread);
  const std::vector<ModelFrame> circle{{k_frames, 0, 0, false, false}, {k_frames + 0x60, 1, 0, false, false}};
  thread.put_stack(circle, circle.back().address);
  for (int look = 0; look < 3; ++look) {
    const PythonStack &stack = reader.read();
    CHECK(stack.frames.front().frame == k_unreadable_frame);
    CHECK(stack.frames.size() == StackReader::k_max_frames + 1);
  }
}

TEST_CASE("a frame whose code cannot be read is missing with all below it") {
  for (const bool met_before : {false, true}) {
    FakeThread thread;
    Reader reader(thread);
    std::vector<ModelFrame> model;
    for (std::size_t i = 0; i < 6; ++i) {
      model.push_back({k_frames + i * 0x60, i, 0, false, false});
    }
    if (met_before) {
      thread.put_stack(model);
      check_equal(reader, reader.read(), model);
    }
    model[2].code = k_no_code;
    thread.put_stack(model);
    PythonStack stack = reader.read();
    REQUIRE(stack.frames.size() == 4);
    CHECK(stack.frames.front().frame == k_unreadable_frame);
    stack.frames.erase(stack.frames.begin());
    check_equal(reader, stack, {model.begin() + 3, model.end()});
  }
}

TEST_CASE("another code object at the address of one that was freed is another function") {
  FakeThread thread;
  Reader reader(thread);
  const std::vector<ModelFrame> model{{k_frames, 1, 0, false, false}, {k_frames + 0x60, 2, 3, false, false}};
  thread.put_stack(model);
  check_equal(reader, reader.read(), model);
  thread.put_code(1, 5);
  thread.made(101);
  const PythonStack &stack = reader.read();
  REQUIRE(stack.frames.size() == 2);
  CHECK(reader.table.at(stack.frames[0].frame.code).function == "f5");
  CHECK(reader.table.at(stack.frames[1].frame.code).function == "f2");
}

TEST_CASE("a name that is confirmed later: what was trusted and had been replaced is told") {
  FakeThread thread;
  Reader reader(thread);
  const std::vector<ModelFrame> model{{k_frames, 1, 0, false, false}, {k_frames + 0x60, 2, 3, false, false}};
  thread.put_stack(model);
  constexpr std::int64_t k_tick = 100'000'000;
  std::int64_t now = k_tick;
  for (int look = 0; look < 30; ++look, now += k_tick) {
    check_equal(reader, reader.read(false, now), model);
    if (look % 5 == 4) {
      REQUIRE(reader.confirm().empty());
    }
  }
  thread.put_code(1, 5);
  CHECK(reader.table.at(reader.read(false, now).frames[0].frame.code).function == "f1"); // trusted, for a while
  CHECK(reader.confirm() == std::vector<std::string>{"f1"});
  // From now on this address is looked at each time, however long it stays the same.
  for (int look = 0; look < 30; ++look, now += k_tick) {
    CHECK(reader.table.at(reader.read(false, now).frames[0].frame.code).function == "f5");
    CHECK(reader.confirm().empty());
  }
  thread.put_code(1, 3);
  CHECK(reader.table.at(reader.read(false, now).frames[0].frame.code).function == "f3");
  CHECK(reader.confirm().empty());
}

TEST_CASE("code that is new, or was not looked at for long, is never trusted") {
  FakeThread thread;
  Reader reader(thread);
  const std::vector<ModelFrame> model{{k_frames, 1, 0, false, false}};
  thread.put_stack(model);
  std::int64_t now = 1;
  check_equal(reader, reader.read(false, now), model);
  thread.put_code(1, 4);
  CHECK(reader.table.at(reader.read(false, now += 500'000'000).frames[0].frame.code).function == "f4");

  const std::vector<ModelFrame> other{{k_frames, 2, 0, false, false}};
  thread.put_stack(other);
  for (int look = 0; look < 30; ++look) {
    check_equal(reader, reader.read(false, now += 100'000'000), other);
    REQUIRE(reader.confirm().empty());
  }
  thread.put_code(2, 5);
  CHECK(reader.table.at(reader.read(false, now += 5'000'000'000).frames[0].frame.code).function == "f5");
  CHECK(reader.confirm().empty());
}

TEST_CASE("whatever is replaced when: a name that was not taken back is right") {
  FakeThread thread;
  Reader reader(thread);
  std::mt19937 random(11);
  std::vector<std::size_t> name_of{0, 1, 2, 3, 4, 5};
  std::vector<ModelFrame> model;
  for (std::size_t i = 0; i < 6; ++i) {
    model.push_back({k_frames + i * 0x60, i, 0, false, false});
  }
  thread.put_stack(model);
  std::vector<std::pair<std::string, std::string>> told; // what was said, and what was so
  std::size_t taken_back = 0;
  for (int look = 0; look < 4000; ++look) {
    const PythonStack &stack = reader.read(false, (look + 1) * 50'000'000LL);
    REQUIRE(stack.frames.size() == model.size());
    for (std::size_t i = 0; i < model.size(); ++i) {
      told.emplace_back(reader.table.at(stack.frames[i].frame.code).function, "f" + std::to_string(name_of[i]));
    }
    // Each code is replaced by one of its own names only now and then: most become trusted in between.
    if (look % 100 == 60 && look / 100 < 6) {
      const auto at = static_cast<std::size_t>(look / 100);
      name_of[at] = (name_of[at] + 1 + random() % 5) % 6;
      thread.put_code(at, name_of[at]);
    }
    if (look % 8 == 7) {
      const std::vector<std::string> wrong = reader.confirm();
      for (const auto &[said, was] : told) {
        if (said != was && std::find(wrong.begin(), wrong.end(), said) == wrong.end()) {
          FAIL("look " << look << ": " << said << ", and it was " << was);
        }
      }
      taken_back += wrong.size();
      told.clear();
    }
  }
  CHECK(taken_back > 0);
}
