#pragma once

#include <string>
#include <string_view>

namespace awaitscope {

/// By zlib (RFC 1950), in base64: what a browser's DecompressionStream("deflate") takes, inside an element of a page.
std::string compressed_base64(std::string_view text);

} // namespace awaitscope
