#include "engines.hpp"

#include <array>
#include <future>
#include <utility>

#include <fmt/format.h>

#include "awaitscope/sampler/preempt_engine.hpp"
#include "awaitscope/support/text.hpp"

namespace awaitscope::tools {
namespace {

constexpr std::array<std::string_view, 2> k_names{"auto", "preempt"};

} // namespace

Result<std::unique_ptr<Engine>> make_engine(const std::string &name, std::optional<ThreadId> process) {
  if (name == "auto" && process) {
    // Begun before the engine gives this thread another priority. It takes longer than an attach may.
    return std::make_unique<PreemptEngine>(*process, std::async(std::launch::async, SwitchCapture::open));
  }
  if (name == "auto" || name == "preempt") {
    return std::make_unique<PreemptEngine>();
  }
  return fail(ExitStatus::usage, fmt::format("unknown engine '{}'{}", name, did_you_mean(closest_name(name, k_names))),
              "use --engine auto or --engine preempt");
}

} // namespace awaitscope::tools
