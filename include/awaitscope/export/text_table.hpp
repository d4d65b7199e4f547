#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace awaitscope {

/// How a table for people is laid out.
struct TableLayout {
  static constexpr std::size_t k_usual_width = 80;
  static constexpr std::size_t k_usual_rows = 30;

  std::size_t width = k_usual_width; ///< columns of the terminal
  std::size_t limit = k_usual_rows;  ///< rows; 0: all

  [[nodiscard]] bool has_room(std::size_t rows) const { return limit == 0 || rows < limit; }
};

/// A table that fits a terminal's width. Columns of numbers are as wide as their widest cell. Columns of names share what is left:
/// none is cut that needs less than an equal share, down to a few letters each. Texts must be printable, as one_line() makes them.
class TextTable {
public:
  enum class Kind : std::uint8_t {
    number, ///< at the right, never cut
    name,   ///< cut at the beginning: of a path, the file is at the end
    words,  ///< cut at the end
  };
  struct Column {
    std::string title;
    Kind kind = Kind::number;
  };

  TextTable(std::size_t width, std::vector<Column> columns) : width_(width), columns_(std::move(columns)) {}

  /// A cell for each column.
  void add_row(std::vector<std::string> cells) { rows_.push_back({std::move(cells), {}}); }

  /// A text of its own between rows, in lines of the table's width, that begin `indent` columns from the left.
  void add_text(const std::string &text, std::size_t indent = 0);

  /// The titles and all rows, each line with its end.
  [[nodiscard]] std::string text() const;

private:
  struct Row {
    std::vector<std::string> cells; ///< none: of text
    std::string text;
  };

  [[nodiscard]] std::vector<std::size_t> widths() const;
  [[nodiscard]] std::string line(const std::vector<std::string> &cells, const std::vector<std::size_t> &widths) const;

  std::size_t width_;
  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

} // namespace awaitscope
