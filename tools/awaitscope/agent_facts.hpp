#pragma once

#include <string>
#include <vector>

#include "agent_output.hpp"
#include "awaitscope/model/argument_calls.hpp"

namespace awaitscope::tools {

/// What the code of a function that an agent has noted says, of a Python of that version ("3.13.0"). Empty if the note has no
/// code, or the version is not known. Without the code's id.
std::vector<FunctionFact> facts_of_note(const AgentNote &note, const std::string &python);

} // namespace awaitscope::tools
