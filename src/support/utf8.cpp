#include "awaitscope/support/utf8.hpp"

#include <array>
#include <cstdint>

namespace awaitscope {

CodePoint decode_utf8(std::string_view bytes) { // by the table of well-formed sequences (Unicode 15, table 3-7)
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

} // namespace awaitscope
