#pragma once

#include <string>
#include <string_view>

namespace awaitscope {

/// Well-formed UTF-8 in any case: every malformed byte becomes U+FFFD. Names come from an untrusted process.
std::string valid_utf8(std::string_view bytes);

/// For a terminal or one line of text: control characters (C0, DEL, C1, and the line and bidi separators that move a
/// terminal's text) become '?'. Input must be UTF-8.
std::string one_line(std::string_view text);

/// Whether one is the other with a letter or two mistyped, left out or too many, or in another case.
bool differ_little(std::string_view a, std::string_view b);

} // namespace awaitscope
