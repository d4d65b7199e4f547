#pragma once

#include <memory>
#include <optional>
#include <string>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/support/error.hpp"

namespace awaitscope::tools {

/// The engine called `name`; "auto" chooses, and has the kernel help with `process`, if one is named. To be used by the calling
/// thread. Fails with usage for one that this version does not have.
Result<std::unique_ptr<Engine>> make_engine(const std::string &name, std::optional<ThreadId> process = std::nullopt);

} // namespace awaitscope::tools
