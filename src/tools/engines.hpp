#pragma once

#include <memory>
#include <string>

#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/support/error.hpp"

namespace awaitscope::tools {

/// The engine called `name`; "auto" chooses. Fails with usage for one that this version does not have.
Result<std::unique_ptr<Engine>> make_engine(const std::string &name);

} // namespace awaitscope::tools
