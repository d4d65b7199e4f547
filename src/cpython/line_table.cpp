#include "awaitscope/cpython/line_table.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace awaitscope {
namespace {

/// A cursor over the bytes behind an entry's first byte; past the end it yields zeros and says so.
class Cursor {
public:
  explicit Cursor(std::string_view table) : table_(table) {}

  [[nodiscard]] bool at_end() const { return at_ >= table_.size(); }
  void skip(std::size_t count) { at_ += count; }

  std::uint8_t byte() { return at_end() ? 0 : static_cast<std::uint8_t>(table_[at_++]); }

  std::uint32_t varint() {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 32; shift += 6) {
      const std::uint8_t part = byte();
      value |= static_cast<std::uint32_t>(part & 0x3FU) << shift;
      if ((part & 0x40U) == 0) {
        break;
      }
    }
    return value;
  }

  std::int32_t signed_varint() {
    const std::uint32_t value = varint();
    const auto magnitude = static_cast<std::int32_t>(value >> 1U);
    return (value & 1U) != 0 ? -magnitude : magnitude;
  }

private:
  std::string_view table_;
  std::size_t at_ = 0;
};

enum Form : std::uint8_t { k_one_line_0 = 10, k_no_column = 13, k_long = 14, k_none = 15 };

/// Reads the rest of an entry of this form: the change of line.
std::int32_t read_line_delta(std::uint8_t form, Cursor &cursor) {
  if (form < k_one_line_0) {
    cursor.skip(1);
    return 0;
  }
  if (form < k_no_column) {
    cursor.skip(2);
    return form - k_one_line_0;
  }
  if (form == k_none) {
    return 0;
  }
  const std::int32_t delta = cursor.signed_varint();
  if (form == k_long) {
    cursor.varint(); // end line
    cursor.varint(); // column
    cursor.varint(); // end column
  }
  return delta;
}

/// Collects what holds from an offset on. Lines are unsigned, so that a hostile table wraps instead of overflowing.
class Lines {
public:
  void add(std::uint32_t offset, std::uint32_t line) {
    const auto here = static_cast<std::int32_t>(line);
    if (!entries_.empty() && entries_.back().offset == offset) {
      entries_.pop_back();
    }
    if (entries_.empty() || entries_.back().line != here) {
      entries_.push_back({offset, here});
    }
  }
  std::vector<LineEntry> take() { return std::move(entries_); }

private:
  std::vector<LineEntry> entries_;
};

/// A pair of Objects/lnotab_notes.txt: how far it moves the offset, and the line.
std::uint32_t signed_byte(std::uint8_t byte) { return static_cast<std::uint32_t>(static_cast<std::int8_t>(byte)); }

std::vector<LineEntry> decode_lnotab(std::string_view table, std::uint32_t line) {
  Lines lines;
  Cursor cursor(table);
  std::uint32_t offset = 0;
  lines.add(offset, line);
  while (!cursor.at_end()) {
    offset += cursor.byte();
    line += signed_byte(cursor.byte());
    lines.add(offset, line);
  }
  return lines.take();
}

/// Objects/lnotab_notes.txt of 3.10: each pair is a range and the change of line with which it begins.
std::vector<LineEntry> decode_line_deltas(std::string_view table, std::uint32_t line) {
  constexpr std::uint8_t k_no_line = 0x80;
  Lines lines;
  Cursor cursor(table);
  std::uint32_t offset = 0;
  while (!cursor.at_end()) {
    const std::uint8_t length = cursor.byte();
    const std::uint8_t delta = cursor.byte();
    if (delta != k_no_line) {
      line += signed_byte(delta);
    }
    if (length != 0) {
      lines.add(offset, delta == k_no_line ? 0 : line);
      offset += length;
    }
  }
  return lines.take();
}

/// Objects/locations.md; InternalDocs/code_objects.md since 3.14.
std::vector<LineEntry> decode_location_table(std::string_view table, std::uint32_t line) {
  Lines lines;
  Cursor cursor(table);
  std::uint32_t offset = 0;
  while (!cursor.at_end()) {
    const std::uint8_t head = cursor.byte();
    if ((head & 0x80U) == 0) {
      break;
    }
    const auto form = static_cast<std::uint8_t>((head >> 3U) & 15U);
    line += static_cast<std::uint32_t>(read_line_delta(form, cursor));
    lines.add(offset, form == k_none ? 0 : line);
    offset += ((head & 7U) + 1U) * 2U;
  }
  return lines.take();
}

} // namespace

std::int32_t line_at(const CodeLines &lines, std::int64_t offset) {
  if (offset < 0) {
    return lines.first_line;
  }
  const auto after = std::upper_bound(lines.entries.begin(), lines.entries.end(), offset,
                                      [](std::int64_t at, const LineEntry &entry) { return at < entry.offset; });
  return after == lines.entries.begin() ? 0 : std::prev(after)->line;
}

std::vector<LineEntry> decode_lines(LineTable form, std::string_view table, std::int32_t first_line) {
  const auto line = static_cast<std::uint32_t>(first_line);
  switch (form) {
  case LineTable::lnotab:
    return decode_lnotab(table, line);
  case LineTable::line_deltas:
    return decode_line_deltas(table, line);
  case LineTable::location_table:
    return decode_location_table(table, line);
  }
  return {};
}

} // namespace awaitscope
