#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace awaitscope {

inline constexpr std::size_t k_longest_statement = 1000; ///< bytes

/// A statement of SQL without its values, so that those that differ in values only are the same: each string, number and placeholder is
/// "?", a list of them "?, …", and so is a list of such rows; comments are left out, and white space is one space. Longer ones than
/// k_longest_statement end with "…". Input must be UTF-8.
///
/// No value is left, whichever database it is for. What is in double quotes is a name for some of them and a string for others: it is
/// kept only where a name must stand. A quote behind a backslash ends a string for some only: there the statement is cut.
std::string normalised_sql(std::string_view sql);

} // namespace awaitscope
