#pragma once

#include "awaitscope/support/error.hpp"

namespace awaitscope::capture {

/// Is this process in the first PID namespace? BPF programs count threads as that one does.
bool in_first_namespace();

/// That it is in another one.
Error other_namespace();

} // namespace awaitscope::capture
