#include <algorithm>
#include <cstring>

#include "awaitscope/cpython/layout.hpp"
#include "awaitscope/cpython/line_table.hpp"
#include "awaitscope/cpython/objects.hpp"
#include "awaitscope/cpython/runtime.hpp"
#include "catch.hpp"
#include "cpython/unicode.hpp"
#include "fake_memory.hpp"

using namespace awaitscope;
using awaitscope::test::FakeMemory;

namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) {
    text += static_cast<char>(value);
  }
  return text;
}

/// A _Py_DebugOffsets as a 3.13 target shows it: cookie, version, free-threaded flag, then every field with this value.
std::string debug_table(std::uint64_t version, std::uint64_t free_threaded, std::uint64_t field) {
  std::string table("xdebugpy");
  for (std::size_t word = 1; word < 128; ++word) {
    const std::uint64_t value = word == 1 ? version : word == 2 ? free_threaded : field;
    table.append(reinterpret_cast<const char *>(&value), sizeof value);
  }
  return table;
}

} // namespace

TEST_CASE("the location table in each of its forms") {
  // short (line + 0), one-line (+1), no-column (-2, signed varint 5), long (+3), none.
  const std::string table = bytes({0x80 | (0 << 3) | 1, 0x00,                    // 2 units, same line
                                   0x80 | (11 << 3) | 0, 0x01, 0x02,             // 1 unit, line + 1
                                   0x80 | (13 << 3) | 0, 0x05,                   // 1 unit, line - 2
                                   0x80 | (14 << 3) | 2, 0x06, 0x00, 0x01, 0x02, // 3 units, line + 3
                                   0x80 | (15 << 3) | 0});                       // 1 unit without a line
  CodeLines code;
  code.first_line = 100;
  code.entries = decode_lines(LineTable::location_table, table, 100);
  CHECK(line_at(code, 0) == 100);
  CHECK(line_at(code, 3) == 100);
  CHECK(line_at(code, 4) == 101);
  CHECK(line_at(code, 6) == 99);
  CHECK(line_at(code, 8) == 102);
  CHECK(line_at(code, 13) == 102);
  CHECK(line_at(code, 14) == 0);
  CHECK(line_at(code, -2) == 100); // before the first instruction
}

TEST_CASE("a hostile location table ends, whatever it says") {
  CHECK(decode_lines(LineTable::location_table, "", 1).empty());
  CHECK(decode_lines(LineTable::location_table, bytes({0x00, 0x12}), 1).empty());
  for (int first = 0; first < 256; ++first) {
    const std::string table(64, static_cast<char>(first));
    CHECK(decode_lines(LineTable::location_table, table, 2147483647).size() <= 64);
  }
}

TEST_CASE("PY_VERSION among strings") {
  using namespace std::string_view_literals;
  CHECK(find_version_string("junk\0003.11.2\0more"sv).text() == "3.11.2");
  CHECK(find_version_string("2.7.18\0"sv).text() == "2.7.18");
  CHECK(find_version_string("x\0003.14.0rc1\0"sv).minor == 14);
  CHECK(find_version_string("3.11\0003.x.1\000v3.11.2\0003.11.2.4\0"sv).major == 0);
  CHECK(find_version_string(""sv).major == 0);
  CHECK(find_version_string("3.8.18\0002.7.18\0"sv).text() == "3.8.18");
  CHECK(find_version_string("a\0002.7.18\0003.8.18\0"sv).text() == "2.7.18");
  CHECK(find_version_string("3.8.1234567890123456\0003.9.1"sv).text() == "3.9.1");
  CHECK(find_version_string("3.8.18"sv).text() == "3.8.18");
}

TEST_CASE("PY_VERSION that the linker kept only as the end of another string") {
  using namespace std::string_view_literals;
  CHECK(find_version_string("a\0/usr/src/Python-3.8.18\0b"sv).text() == "3.8.18");
  CHECK(find_version_string("/opt/3.9.2\0003.10.13\0"sv).text() == "3.10.13");
  CHECK(find_version_string("/opt/lib1.3.9.2\0"sv).major == 0);
}

TEST_CASE("line tables of older minors") {
  // Each of the same function, as 3.8.18 and 3.10.13 compiled it, with the lines that they name themselves.
  CodeLines code;
  code.entries =
      decode_lines(LineTable::lnotab, bytes({0, 2, 2, 1, 2, 255, 4, 2, 12, 1, 10, 2, 2, 1, 4, 2, 6, 1}), 100);
  for (const auto &[offset, line] : std::vector<std::pair<int, int>>{
           {0, 102}, {2, 103}, {3, 103}, {4, 102}, {8, 104}, {19, 104}, {20, 105}, {30, 107}, {36, 110}, {42, 111}}) {
    CHECK(line_at(code, offset) == line);
  }
  code.entries = decode_lines(LineTable::line_deltas,
                              bytes({2, 2, 2, 1, 4, 255, 12, 2, 10, 1, 2, 2, 2, 1, 4, 2, 4, 1, 6, 255}), 100);
  for (const auto &[offset, line] : std::vector<std::pair<int, int>>{
           {0, 102}, {2, 103}, {6, 102}, {8, 104}, {20, 105}, {30, 107}, {32, 108}, {34, 110}, {38, 111}, {42, 110}}) {
    CHECK(line_at(code, offset) == line);
  }
  code.entries = decode_lines(LineTable::line_deltas, bytes({2, 1, 2, 0x80, 2, 1}), 7);
  CHECK(line_at(code, 0) == 8);
  CHECK(line_at(code, 2) == 0); // no line
  CHECK(line_at(code, 4) == 9);
  for (int first = 0; first < 256; ++first) { // hostile: wraps, and never grows beyond the table
    CHECK(decode_lines(LineTable::lnotab, std::string(63, static_cast<char>(first)), 2147483647).size() <= 64);
    CHECK(decode_lines(LineTable::line_deltas, std::string(63, static_cast<char>(first)), 2147483647).size() <= 64);
  }
}

TEST_CASE("layouts exist for what is supported, and an error says what is") {
  for (int minor = 8; minor <= 15; ++minor) {
    const auto layout = layout_for({3, minor, 0}, Build::with_gil);
    REQUIRE(layout);
    CHECK_FALSE(layout->presumed);
    CHECK(layout->free_threaded == false);
    CHECK(bool(layout_for({3, minor, 0}, Build::free_threaded)) == (minor >= 13));
  }
  for (const PythonVersion &version : {PythonVersion{2, 7, 18}, PythonVersion{3, 7, 0}, PythonVersion{4, 11, 0}}) {
    const auto layout = layout_for(version, Build::with_gil);
    REQUIRE_FALSE(layout);
    CHECK(layout.error().status == ExitStatus::no_target);
    CHECK(layout.error().hint.find("3.8 to 3.15") != std::string::npos);
  }
}

TEST_CASE("a newer minor is read by its own table, if that keeps what no minor has moved") {
  struct Field {
    std::size_t word;
    Offset Layout::*field;
  };
  const std::vector<Field> fields{
#include "cpython/offsets/3_15_debug.inc"
  };
  Layout layout = *layout_for({3, 16, 0}, Build::with_gil);
  REQUIRE(layout.presumed);
  std::string table = debug_table(0x03100000, 0, 0);
  const auto set = [&](Offset Layout::*member, std::uint64_t value) {
    const auto at = std::find_if(fields.begin(), fields.end(), [&](const Field &one) { return one.field == member; });
    std::memcpy(table.data() + at->word * 8, &value, sizeof value);
  };
  for (const Field &field : fields) {
    set(field.field, layout.*field.field == k_absent ? 0 : layout.*field.field);
  }
  set(&Layout::ts_frame, 4242);
  REQUIRE(apply_debug_offsets(table, layout));
  CHECK(layout.ts_frame == 4242);
  CHECK(layout.if_tlbc_index == k_absent); // a build with a GIL has none, whatever the table says

  set(&Layout::tp_name, 4242);
  Layout moved = *layout_for({3, 16, 0}, Build::with_gil);
  CHECK_FALSE(apply_debug_offsets(table, moved));
  CHECK(moved.ts_frame != 4242);
}

TEST_CASE("the target's own table is untrusted input") {
  constexpr std::uint64_t k_3_13_1 = 0x030D01F0;
  CHECK(debug_offsets_version(debug_table(k_3_13_1, 0, 0)).text() == "3.13.1");
  CHECK(debug_offsets_version("xdebugpx").major == 0);
  const Layout original = *layout_for({3, 13, 1}, Build::with_gil);
  Layout layout = original;
  CHECK(apply_debug_offsets(debug_table(k_3_13_1, 0, 64), layout));
  CHECK(layout.ts_frame == 64);
  for (const std::string &bad :
       {debug_table(k_3_13_1, 1, 64), debug_table(0x030C01F0, 0, 64), debug_table(k_3_13_1, 0, 1ULL << 40U),
        debug_table(k_3_13_1, 0, 64).substr(0, 200), std::string()}) {
    layout = original;
    CHECK_FALSE(apply_debug_offsets(bad, layout));
    CHECK(layout.ts_frame == original.ts_frame);
  }
}

TEST_CASE("strings of every width become UTF-8") {
  CHECK(utf8_from_units("abc", 1) == "abc");
  CHECK(utf8_from_units("\xE9", 1) == "é");
  CHECK(utf8_from_units(bytes({0x16, 0x04}), 2) == "Ж");
  CHECK(utf8_from_units(bytes({0x0D, 0xF4, 0x01, 0x00}), 4) == "\xF0\x9F\x90\x8D");
  CHECK(utf8_from_units(bytes({0x00, 0xD8}), 2) == "\xEF\xBF\xBD");
  CHECK(utf8_from_units(bytes({0xFF, 0xFF, 0xFF, 0x7F}), 4) == "\xEF\xBF\xBD");
}

TEST_CASE("objects that lie about their size read as nothing") {
  const Layout layout = *layout_for({3, 12, 1}, Build::with_gil);
  FakeMemory remote;
  SnapshotMemory memory(remote);
  ObjectReader objects(memory, layout);
  constexpr Address k_str = 0x20000;
  constexpr Address k_type = 0x30000;
  constexpr Address k_dict = 0x40000;
  constexpr Address k_keys = 0x50000;
  remote.put<Address>(k_type + layout.tp_name, 0x31000);
  remote.put<std::int64_t>(k_type + layout.tp_basicsize, 48);
  remote.put_bytes(0x31000, "dict", 5);
  remote.put<Address>(k_dict + layout.ob_type, k_type);
  remote.put<Address>(k_dict + layout.dict_keys, k_keys);
  remote.put<std::uint8_t>(k_keys + layout.keys_log2_size, 3);
  remote.put<std::uint8_t>(k_keys + layout.keys_log2_index, 3);
  remote.put<std::uint8_t>(k_keys + layout.keys_kind, 1);
  remote.put<std::uint64_t>(k_keys + layout.keys_nentries, 0);
  memory.begin();
  REQUIRE(objects.dict_entries(k_dict));
  CHECK(objects.dict_entries(k_dict)->empty());

  remote.put<std::uint64_t>(k_keys + layout.keys_nentries, ~std::uint64_t{0});
  memory.begin();
  CHECK_FALSE(objects.dict_entries(k_dict));
  CHECK(objects.dict_value(k_dict, "anything") == 0);

  remote.put<std::uint64_t>(k_str + layout.str_length, ~std::uint64_t{0} / 2);
  remote.put<std::uint32_t>(k_str + layout.str_state, (1U << 2U) | (1U << 5U) | (1U << 6U));
  memory.begin();
  CHECK_FALSE(objects.text(k_str)); // longer than what is mapped
  remote.put<std::uint32_t>(k_str + layout.str_state, (3U << 2U) | (1U << 5U));
  memory.begin();
  CHECK_FALSE(objects.text(k_str)); // no such kind
}

TEST_CASE("a chain of base types that is a circle ends") {
  const Layout layout = *layout_for({3, 12, 1}, Build::with_gil);
  FakeMemory remote;
  SnapshotMemory memory(remote);
  ObjectReader objects(memory, layout);
  constexpr Address k_type = 0x30000;
  remote.put<Address>(k_type + layout.tp_name, 0x31000);
  remote.put<std::int64_t>(k_type + layout.tp_basicsize, 48);
  remote.put_bytes(0x31000, "loop", 5);
  remote.put<Address>(k_type + layout.tp_base, k_type);
  memory.begin();
  CHECK_FALSE(objects.is_kind(k_type, "_asyncio.Task"));
  CHECK(objects.is_kind(k_type, "loop"));
}
