#pragma once

#include <string_view>

namespace awaitscope {

/// What a function that uses this name does besides computing from its arguments, for people: "reads the time". Empty if the name
/// says nothing of the kind. A name as of FunctionFact::Kind::uses: "time.time", ".execute".
std::string_view effect_of_name(std::string_view name);

/// Is that effect one that a library mostly has on the side: a change of an object, which may be a table of its own, a warning, or
/// output for debugging?
bool is_on_the_side(std::string_view name);

/// The same of a function that calls one in this file: what the standard library and others do below many names.
std::string_view effect_of_file(std::string_view file);

} // namespace awaitscope
