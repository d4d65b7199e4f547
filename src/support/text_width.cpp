#include "awaitscope/support/text_width.hpp"

#include <algorithm>

#include <clocale>
#include <cwchar>

#include "awaitscope/support/utf8.hpp"

namespace awaitscope {
namespace {

constexpr std::string_view k_left_out = "…";

/// The C library's tables of Unicode. Where it comes without the locale, every character counts as one column.
class Unicode {
public:
  Unicode() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {}
  ~Unicode() {
    if (locale_ != nullptr) {
      ::freelocale(locale_);
    }
  }
  Unicode(const Unicode &) = delete;
  Unicode &operator=(const Unicode &) = delete;
  Unicode(Unicode &&) = delete;
  Unicode &operator=(Unicode &&) = delete;

  static const Unicode &tables() {
    static const Unicode tables;
    return tables;
  }

  [[nodiscard]] std::size_t width(char32_t point) const {
    constexpr char32_t k_ascii_end = 0x80;
    if (point < k_ascii_end || locale_ == nullptr) {
      return 1;
    }
    const ::locale_t before = ::uselocale(locale_);
    const int columns = ::wcwidth(static_cast<wchar_t>(point));
    ::uselocale(before);
    return columns < 0 ? 1 : static_cast<std::size_t>(columns); // not in the tables: newer than they are
  }

private:
  ::locale_t locale_;
};

/// One character of a text.
struct Character {
  std::size_t bytes = 1;
  std::size_t columns = 1;
};

Character first_of(std::string_view text) {
  const CodePoint one = decode_utf8(text);
  return one.length == 0 ? Character{} : Character{one.length, Unicode::tables().width(one.point)};
}

} // namespace

std::size_t text_width(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Character character = first_of(text);
    columns += character.columns;
    text.remove_prefix(character.bytes);
  }
  return columns;
}

std::string cut_end(std::string_view text, std::size_t columns) {
  if (text_width(text) <= columns) {
    return std::string(text);
  }
  std::size_t bytes = 0;
  std::size_t left = columns - std::min<std::size_t>(columns, 1);
  while (bytes < text.size()) {
    const Character character = first_of(text.substr(bytes));
    if (character.columns > left) {
      break;
    }
    left -= character.columns;
    bytes += character.bytes;
  }
  return std::string(text.substr(0, bytes)) + std::string(k_left_out);
}

std::string cut_begin(std::string_view text, std::size_t columns) {
  std::size_t left = text_width(text);
  if (left <= columns) {
    return std::string(text);
  }
  // With what combines with the last character that is left out.
  while (!text.empty() && (left + 1 > columns || first_of(text).columns == 0)) {
    const Character character = first_of(text);
    left -= character.columns;
    text.remove_prefix(character.bytes);
  }
  return std::string(k_left_out) + std::string(text);
}

std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  std::string lines;
  std::string line(begin, ' ');
  std::size_t width = begin;
  bool fresh = true;
  text.remove_prefix(begin);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    const std::size_t word_width = text_width(word);
    if (!fresh && width + 1 + word_width > columns) {
      lines += line + '\n';
      line.assign(indent, ' ');
      width = indent;
      fresh = true;
    }
    line += fresh ? "" : " ";
    line += word;
    width += word_width + (fresh ? 0 : 1);
    fresh = false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines + line + '\n';
}

std::string wrapped_list(const std::vector<std::string> &parts, std::size_t columns, std::size_t indent) {
  std::string lines;
  std::string line;
  for (const std::string &part : parts) {
    const bool last = &part == &parts.back();
    const std::size_t comma = last ? 0 : 1;
    if (!line.empty() && text_width(line) + 1 + text_width(part) + comma > columns) {
      lines += wrapped(line, columns, indent);
      line.clear();
    }
    line += !line.empty() ? " " : lines.empty() ? "" : std::string(indent, ' ');
    line += part;
    line += last ? "" : ",";
  }
  return lines + wrapped(line, columns, indent);
}

} // namespace awaitscope
