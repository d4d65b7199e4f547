#include "awaitscope/export/text_table.hpp"

#include <algorithm>

#include "awaitscope/support/text_width.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_between = 2;    // columns
constexpr std::size_t k_least_name = 8; // of a name

/// Gives each of those that want so much an equal share of the room, and what one does not need to the others.
void share(std::vector<std::size_t *> wanted, std::size_t room) {
  std::sort(wanted.begin(), wanted.end(), [](const auto *a, const auto *b) { return *a < *b; });
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    *wanted[i] = std::min(*wanted[i], std::max(k_least_name, room / (wanted.size() - i)));
    room -= std::min(room, *wanted[i]);
  }
}

} // namespace

void TextTable::add_text(const std::string &text, std::size_t indent) {
  rows_.push_back({{}, wrapped(std::string(indent, ' ') + text, width_, indent)});
}

std::vector<std::size_t> TextTable::widths() const {
  std::vector<std::size_t> widths;
  for (const Column &column : columns_) {
    widths.push_back(text_width(column.title));
  }
  for (const Row &row : rows_) {
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      widths[i] = std::max(widths[i], text_width(row.cells[i]));
    }
  }
  std::size_t used = k_between * (columns_.size() - 1);
  std::vector<std::size_t *> names;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].kind == Kind::number) {
      used += widths[i];
    } else {
      names.push_back(&widths[i]);
    }
  }
  share(std::move(names), width_ - std::min(width_, used));
  return widths;
}

std::string TextTable::line(const std::vector<std::string> &cells, const std::vector<std::size_t> &widths) const {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Kind kind = columns_[i].kind;
    const std::string cell = kind == Kind::number ? cells[i]
                             : kind == Kind::name ? cut_begin(cells[i], widths[i])
                                                  : cut_end(cells[i], widths[i]);
    const std::string padding(widths[i] - text_width(cell), ' ');
    line += i == 0 ? std::string() : std::string(k_between, ' ');
    line += kind == Kind::number ? padding + cell : cell + padding;
  }
  line.resize(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

std::string TextTable::text() const {
  const std::vector<std::size_t> columns = widths();
  std::vector<std::string> titles;
  for (const Column &column : columns_) {
    titles.push_back(column.title);
  }
  std::string text = line(titles, columns);
  for (const Row &row : rows_) {
    text += row.cells.empty() ? row.text : line(row.cells, columns);
  }
  return text;
}

} // namespace awaitscope
