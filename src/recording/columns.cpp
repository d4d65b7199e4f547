#include "awaitscope/recording/columns.hpp"

#include <algorithm>

namespace awaitscope {

std::size_t ColumnWriter::size() const {
  std::size_t size = 0;
  for (const std::string &column : columns_) {
    size += column.size();
  }
  return size;
}

void ColumnWriter::append_to(std::string &block) const {
  if (rows_ == 0) {
    return;
  }
  std::string contents;
  put_varint(contents, rows_);
  for (const std::string &column : columns_) {
    put_text(contents, column);
  }
  block += static_cast<char>(section_);
  put_text(block, contents);
}

ColumnReader::ColumnReader(std::string_view contents, std::size_t columns) {
  ByteReader reader(contents);
  const std::uint64_t rows = reader.varint();
  columns_.reserve(columns);
  for (std::size_t i = 0; i < columns && reader.left() > 0; ++i) {
    columns_.emplace_back(reader.text());
  }
  columns_.resize(std::max<std::size_t>(1, columns_.size()));
  ok_ = reader.ok() && rows <= format::k_max_rows && rows <= columns_.front().left();
  rows_ = ok_ ? static_cast<std::size_t>(rows) : 0;
}

bool ColumnReader::ok() const {
  return ok_ && std::all_of(columns_.begin(), columns_.end(), [](const ByteReader &column) { return column.ok(); });
}

} // namespace awaitscope
