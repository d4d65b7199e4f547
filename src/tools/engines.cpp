#include "engines.hpp"

#include <fmt/format.h>

#include "awaitscope/sampler/preempt_engine.hpp"

namespace awaitscope::tools {

Result<std::unique_ptr<Engine>> make_engine(const std::string &name) {
  if (name == "auto" || name == "preempt") {
    return std::make_unique<PreemptEngine>();
  }
  return fail(ExitStatus::usage, fmt::format("engine '{}' is not in this version", name),
              "use --engine auto or --engine preempt");
}

} // namespace awaitscope::tools
