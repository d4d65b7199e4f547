#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace awaitscope {

/// How many columns of a terminal a text takes: two for each wide character (East Asian, emoji), none for a combining one. The text
/// must be printable UTF-8, as one_line() makes it; so too below.
std::size_t text_width(std::string_view text);

/// The text in at most so many columns (one at least). What does not fit is left out at the end, or at the beginning, and "…" stands
/// in its place.
std::string cut_end(std::string_view text, std::size_t columns);
std::string cut_begin(std::string_view text, std::size_t columns);

/// The text in lines of at most so many columns, each ended by a line feed, broken at spaces. The first one is indented
/// as the text is, those behind it by `indent`. A word that is longer than a line stays whole.
std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent = 0);

/// "one, two, three" in such lines, broken between two of the parts, and inside of a part only where that is longer than a line.
std::string wrapped_list(const std::vector<std::string> &parts, std::size_t columns, std::size_t indent = 0);

} // namespace awaitscope
