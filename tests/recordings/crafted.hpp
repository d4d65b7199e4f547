#pragma once

#include <map>
#include <string>

namespace awaitscope::testing {

/// Recordings of some kilobytes with right checksums, made to take the memory or the time of whoever reads them, by what they
/// have too much of; each is made when it is asked for.
const std::map<std::string, std::string (*)()> &crafted_recordings();

} // namespace awaitscope::testing
