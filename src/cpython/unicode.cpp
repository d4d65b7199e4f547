#include "unicode.hpp"

#include <cstdint>
#include <cstring>

namespace awaitscope {
namespace {

char byte(std::uint32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); }

void append(std::string &out, std::uint32_t point) {
  if (point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) {
    point = 0xFFFD;
  }
  if (point < 0x80) {
    out += byte(point);
  } else if (point < 0x800) {
    out += byte(0xC0U | (point >> 6U));
    out += byte(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    out += byte(0xE0U | (point >> 12U));
    out += byte(0x80U | ((point >> 6U) & 0x3FU));
    out += byte(0x80U | (point & 0x3FU));
  } else {
    out += byte(0xF0U | (point >> 18U));
    out += byte(0x80U | ((point >> 12U) & 0x3FU));
    out += byte(0x80U | ((point >> 6U) & 0x3FU));
    out += byte(0x80U | (point & 0x3FU));
  }
}

} // namespace

std::string utf8_from_units(std::string_view raw, unsigned width) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t at = 0; at + width <= raw.size(); at += width) {
    std::uint32_t point = 0; // little-endian, as the target is
    std::memcpy(&point, raw.data() + at, width);
    append(out, point);
  }
  return out;
}

} // namespace awaitscope
