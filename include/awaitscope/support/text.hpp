#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace awaitscope {

/// Well-formed UTF-8 in any case: every malformed byte becomes U+FFFD. Names come from an untrusted process.
std::string valid_utf8(std::string_view bytes);

/// As much of UTF-8 as fits into so many bytes, up to a whole letter.
std::string_view first_bytes(std::string_view text, std::size_t most);

/// For a terminal or one line of text: what is not seen, or moves the text around it, is escaped as Python's repr() does
/// (\n becomes \x0a). That is control characters, separators of lines, bidirectional and zero-width characters, tags. Every name
/// that is printed goes through here or through printable_json(). Input must be UTF-8.
std::string one_line(std::string_view text);

/// For the text of an HTML or XML element: &, < and > are written as entities.
std::string markup_text(std::string_view text);

/// What one_line() does, for a whole JSON document, in JSON's own escapes: it is safe on a terminal, and what it means stays the same. Line
/// feeds, which can only be between its values, stay.
std::string printable_json(std::string_view document);

/// Its lines, without their line feeds.
std::vector<std::string> lines_of(std::string_view text);

/// Whether one is the other with a letter or two mistyped, left out or too many, or in another case.
bool differ_little(std::string_view a, std::string_view b);

/// The name that a mistyped or abbreviated word may have meant; empty if none is close.
std::string_view closest_name(std::string_view word, std::span<const std::string_view> names);

/// " (did you mean 'hot'?)"; empty for an empty name.
std::string did_you_mean(std::string_view name);

} // namespace awaitscope
