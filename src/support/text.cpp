#include "awaitscope/support/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace awaitscope {
namespace {

constexpr std::string_view k_replacement = "\xEF\xBF\xBD";

struct Decoded {
  char32_t point = 0;
  std::size_t length = 0; // 0: malformed
};

/// One code point at the front of bytes, by the table of well-formed sequences (Unicode 15, table 3-7).
Decoded decode_one(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  const std::uint8_t lead = at(0);
  if (lead < 0x80) {
    return {lead, 1};
  }
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || bytes.size() < length) {
    return {};
  }
  char32_t point = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0U) != 0x80) {
      return {};
    }
    point = (point << 6U) | (at(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> k_least{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  if (point < k_least[length] || point > 0x10FFFF || surrogate) {
    return {};
  }
  return {point, length};
}

bool moves_text(char32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 || point == 0x2029 ||
         (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

} // namespace

std::string valid_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const Decoded one = decode_one(bytes);
    text += one.length == 0 ? k_replacement : bytes.substr(0, one.length);
    bytes.remove_prefix(one.length == 0 ? 1 : one.length);
  }
  return text;
}

std::string one_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  while (!text.empty()) {
    const Decoded one = decode_one(text);
    const std::size_t length = one.length == 0 ? 1 : one.length;
    if (one.length == 0 || moves_text(one.point)) {
      line += '?';
    } else {
      line += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return line;
}

bool differ_little(std::string_view a, std::string_view b) {
  constexpr std::size_t k_longest = 64;
  if (a.size() > k_longest || b.size() > k_longest) {
    return false;
  }
  const auto lower = [](char letter) { return letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : int{letter}; };
  std::vector<std::size_t> row(b.size() + 1); // the edit distance (Levenshtein) to each beginning of b
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back() <= std::min<std::size_t>(2, b.size() / 2);
}

} // namespace awaitscope
