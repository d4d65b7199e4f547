#pragma once

#include <string>
#include <string_view>

namespace awaitscope {

/// The code units of a str (`width` 1, 2 or 4 bytes each: Latin-1, UCS-2, UCS-4) as UTF-8. Surrogates and numbers beyond
/// Unicode become U+FFFD.
std::string utf8_from_units(std::string_view raw, unsigned width);

} // namespace awaitscope
