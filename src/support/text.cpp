#include "awaitscope/support/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "awaitscope/support/utf8.hpp"

namespace awaitscope {
namespace {

constexpr std::string_view k_replacement = "\xEF\xBF\xBD";

struct Range {
  char32_t first, last;
};

/// Controls (Cc), separators of lines and paragraphs, and what is drawn as nothing or moves the text around it: all of
/// Default_Ignorable_Code_Point (Unicode 15, DerivedCoreProperties.txt), which holds the Bidi_Control characters and the tags,
/// and the annotation marks. In order.
constexpr std::array<Range, 19> k_unprintable{{{0x00, 0x1F},
                                               {0x7F, 0x9F},
                                               {0xAD, 0xAD},
                                               {0x34F, 0x34F},
                                               {0x61C, 0x61C},
                                               {0x115F, 0x1160},
                                               {0x17B4, 0x17B5},
                                               {0x180B, 0x180F},
                                               {0x200B, 0x200F},
                                               {0x2028, 0x202E},
                                               {0x2060, 0x206F},
                                               {0x3164, 0x3164},
                                               {0xFE00, 0xFE0F},
                                               {0xFEFF, 0xFEFF},
                                               {0xFFA0, 0xFFA0},
                                               {0xFFF0, 0xFFFB},
                                               {0x1BCA0, 0x1BCA3},
                                               {0x1D173, 0x1D17A},
                                               {0xE0000, 0xE0FFF}}};

bool is_printable(char32_t point) {
  const bool ascii = point >= 0x20 && point < 0x7F;
  return ascii || std::none_of(k_unprintable.begin(), k_unprintable.end(),
                               [&](const Range &range) { return point >= range.first && point <= range.last; });
}

/// As Python's repr() has it: \x1b, \u202e, \U000e0041.
void append_escape(std::string &out, char32_t point) {
  const auto number = static_cast<std::uint32_t>(point);
  out += number < 0x100     ? fmt::format("\\x{:02x}", number)
         : number < 0x10000 ? fmt::format("\\u{:04x}", number)
                            : fmt::format("\\U{:08x}", number);
}

/// RFC 8259, section 7: beyond U+FFFF as two surrogates.
void append_json_escape(std::string &out, char32_t point) {
  const auto number = static_cast<std::uint32_t>(point);
  out += number < 0x10000 ? fmt::format("\\u{:04x}", number)
                          : fmt::format("\\u{:04x}\\u{:04x}", 0xD7C0U + (number >> 10U), 0xDC00U + (number & 0x3FFU));
}

std::string escaped(std::string_view text, void (*append)(std::string &, char32_t), bool (*stays)(char32_t)) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint one = decode_utf8(text);
    const std::size_t length = std::max<std::size_t>(1, one.length);
    if (one.length == 0) {
      out += '?';
    } else if (stays(one.point)) {
      out += text.substr(0, length);
    } else {
      append(out, one.point);
    }
    text.remove_prefix(length);
  }
  return out;
}

/// Levenshtein's, of letters in lower case; SIZE_MAX for long names.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  constexpr std::size_t k_longest = 64;
  if (a.size() > k_longest || b.size() > k_longest) {
    return SIZE_MAX;
  }
  const auto lower = [](char letter) { return letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : int{letter}; };
  std::vector<std::size_t> row(b.size() + 1); // to each beginning of b
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

} // namespace

std::string valid_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const CodePoint one = decode_utf8(bytes);
    text += one.length == 0 ? k_replacement : bytes.substr(0, one.length);
    bytes.remove_prefix(one.length == 0 ? 1 : one.length);
  }
  return text;
}

std::string_view first_bytes(std::string_view text, std::size_t most) {
  std::size_t size = std::min(text.size(), most);
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) {
    --size;
  }
  return text.substr(0, size);
}

std::string one_line(std::string_view text) { return escaped(text, append_escape, is_printable); }

std::string markup_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char letter : text) {
    switch (letter) {
    case '&':
      out += "&amp;";
      break;
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    default:
      out += letter;
    }
  }
  return out;
}

std::string printable_json(std::string_view document) {
  return escaped(document, append_json_escape, [](char32_t point) { return point == '\n' || is_printable(point); });
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

bool differ_little(std::string_view a, std::string_view b) {
  return edit_distance(a, b) <= std::min<std::size_t>(2, b.size() / 2);
}

std::string_view closest_name(std::string_view word, std::span<const std::string_view> names) {
  constexpr std::size_t k_least_prefix = 3;
  std::string_view closest;
  std::size_t distance = SIZE_MAX;
  for (const std::string_view name : names) {
    const bool begins = word.size() >= k_least_prefix && name.starts_with(word);
    if ((begins || differ_little(word, name)) && edit_distance(word, name) < distance) {
      closest = name;
      distance = edit_distance(word, name);
    }
  }
  return closest;
}

std::string did_you_mean(std::string_view name) {
  return name.empty() ? std::string() : fmt::format(" (did you mean '{}'?)", name);
}

} // namespace awaitscope
