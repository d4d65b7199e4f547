#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "awaitscope/recording/bytes.hpp"
#include "awaitscope/recording/format.hpp"

namespace awaitscope {

/// Builds a table section: put() fills columns in any order, append_to() writes the section.
class ColumnWriter {
public:
  ColumnWriter(format::Section section, std::size_t columns) : section_(section), columns_(columns) {}

  void put(std::size_t column, std::uint64_t value) { put_varint(columns_[column], value); }
  void put_signed(std::size_t column, std::int64_t value) { put(column, zigzag(value)); }
  void put_bytes(std::size_t column, std::string_view bytes) { columns_[column] += bytes; }
  void end_row() { ++rows_; }

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t size() const;

  /// Nothing if there are no rows.
  void append_to(std::string &block) const;

private:
  format::Section section_;
  std::vector<std::string> columns_;
  std::size_t rows_ = 0;
};

/// Reads a table section's contents. Every value that was not there reads as 0, and ok() is false from then on.
class ColumnReader {
public:
  ColumnReader(std::string_view contents, std::size_t columns);

  std::uint64_t take(std::size_t column) {
    if (!has(column)) {
      ok_ = false;
      return 0;
    }
    return columns_[column].varint();
  }
  std::int64_t take_signed(std::size_t column) { return unzigzag(take(column)); }
  std::string_view take_bytes(std::size_t column, std::uint64_t size) {
    ok_ = ok_ && has(column);
    return ok_ ? columns_[column].bytes(size) : std::string_view{};
  }

  /// Whether the section has this column: one that was written before the format had it has not.
  [[nodiscard]] bool has(std::size_t column) const { return column < columns_.size(); }

  /// At most format::k_max_rows, and no more than there are bytes in the first column.
  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] bool ok() const;

private:
  std::vector<ByteReader> columns_;
  std::size_t rows_ = 0;
  bool ok_ = true;
};

} // namespace awaitscope
