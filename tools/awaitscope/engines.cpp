#include "engines.hpp"

#include <array>
#include <future>
#include <utility>

#include <fmt/format.h>

#include "awaitscope/sampler/preempt_engine.hpp"
#include "awaitscope/sampler/stop_engine.hpp"
#include "awaitscope/support/text.hpp"

namespace awaitscope::tools {
namespace {

constexpr std::array<std::string_view, 4> k_engine_names{"auto", "bpf", "preempt", "stop"};

tl::unexpected<Error> unknown(const std::string &name) {
  return fail(ExitStatus::usage,
              fmt::format("unknown engine '{}'{}", name, did_you_mean(closest_name(name, k_engine_names))),
              "use --engine auto, --engine bpf, --engine preempt or --engine stop");
}

} // namespace

Result<EngineChoice> EngineChoice::of(const std::string &name) {
  EngineChoice choice;
  choice.may_open_ = name == "auto";
  choice.stops_ = name == "stop";
  if (name == "bpf") {
    Result<std::unique_ptr<SwitchCapture>> opened = SwitchCapture::open();
    if (!opened) {
      Error error = opened.error();
      error.what = "--engine bpf does not work here: " + error.what;
      return tl::unexpected(error);
    }
    choice.opened_ = std::move(*opened);
  } else if (name != "auto" && name != "preempt" && name != "stop") {
    return unknown(name);
  }
  return choice;
}

Result<void> EngineChoice::check(ThreadId process) const {
  return stops_ ? StoppedThreads::check(process) : Result<void>();
}

std::unique_ptr<Engine> EngineChoice::make(ThreadId process) {
  if (may_open_) {
    // Begun before the engine gives this thread another priority. It takes longer than an attach may.
    return std::make_unique<PreemptOrStopEngine>(process, std::async(std::launch::async, SwitchCapture::open));
  }
  if (stops_) {
    return std::make_unique<StopEngine>();
  }
  if (opened_) {
    std::promise<PreemptEngine::Opened> opened;
    opened.set_value(std::move(opened_));
    return std::make_unique<PreemptEngine>(process, opened.get_future());
  }
  return std::make_unique<PreemptEngine>();
}

Result<ReadingEngine> make_reading_engine(const std::string &name) {
  if (name == "bpf") {
    return fail(ExitStatus::usage, "--engine bpf is for recording: a process that is read once is read without BPF",
                "use --engine auto, --engine preempt or --engine stop");
  }
  if (name == "auto") {
    return ReadingEngine{std::make_unique<PreemptOrStopEngine>(), MayStop::if_needed};
  }
  if (name == "preempt") {
    return ReadingEngine{std::make_unique<PreemptEngine>(), MayStop::never};
  }
  if (name == "stop") {
    return ReadingEngine{std::make_unique<StopEngine>(), MayStop::at_once};
  }
  return unknown(name);
}

} // namespace awaitscope::tools
