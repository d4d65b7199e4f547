#pragma once

#include <cstddef>
#include <string_view>

namespace awaitscope {

/// One code point, and how many bytes it takes.
struct CodePoint {
  char32_t point = 0;
  std::size_t length = 0; ///< 0: the bytes are malformed
};

/// The code point at the front of bytes, of which there is one at least.
CodePoint decode_utf8(std::string_view bytes);

} // namespace awaitscope
