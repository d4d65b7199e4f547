#include "engines.hpp"

#include <future>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "awaitscope/sampler/preempt_engine.hpp"

namespace awaitscope::tools {

Result<std::unique_ptr<Engine>> make_engine(const std::string &name, std::optional<ThreadId> process) {
  if (name == "auto" && process) {
    // Begun before the engine gives this thread another priority. It takes longer than an attach may.
    auto switches = std::async(std::launch::async, SwitchCapture::open, *process, ::gettid());
    return std::make_unique<PreemptEngine>(std::move(switches));
  }
  if (name == "auto" || name == "preempt") {
    return std::make_unique<PreemptEngine>();
  }
  return fail(ExitStatus::usage, fmt::format("engine '{}' is not in this version", name),
              "use --engine auto or --engine preempt");
}

} // namespace awaitscope::tools
