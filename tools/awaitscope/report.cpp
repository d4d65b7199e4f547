#include <fmt/format.h>

#include "commands.hpp"
#include "messages.hpp"
#include "output.hpp"
#include "stop_signals.hpp"

namespace awaitscope::tools {

Result<int> report(const ReportOptions &options) {
  StopSignals::ignore_broken_writes();
  const Result<Format> format = format_of(options.format, options.output, Format::hot);
  if (!format) {
    return tl::unexpected(format.error());
  }
  if (*format == Format::recording) {
    return fail(ExitStatus::usage, "report does not write recordings", "give -f, or another ending of -o");
  }
  if (options.view.all_tasks &&
      (*format != Format::folded || (!options.view.metric.empty() && options.view.metric != "wall"))) {
    return fail(ExitStatus::usage, "--all-tasks adds suspended tasks to folded stacks of the metric wall only",
                "leave it out: latency and --metric await have suspended tasks by themselves, if record --all-tasks "
                "recorded them");
  }
  const Result<ViewPlan> plan = plan_view(*format, options.view);
  if (!plan) {
    return tl::unexpected(plan.error());
  }
  Result<std::unique_ptr<ByteSource>> source = FileSource::open(options.file);
  if (!source) {
    Error error = source.error();
    if (options.file.find_first_not_of("0123456789") == std::string::npos) {
      error.hint =
          fmt::format("report reads a recording; awaitscope record {} makes one of that process", options.file);
    }
    return tl::unexpected(std::move(error));
  }
  Result<Output> output = Output::open(options.output, Privacy::usual);
  if (!output) {
    return tl::unexpected(output.error());
  }
  const Result<View> view = render(std::move(*source), *plan);
  if (!view) {
    return tl::unexpected(view.error());
  }
  if (const Result<void> written = output->write(view->text); !written) {
    return tl::unexpected(written.error());
  }
  if (options.verbosity != Verbosity::quiet) {
    for (const std::string &warning : view->warnings) {
      say(warning);
    }
    say(fmt::format("{}{}", view->what, fmt::format(" → {}", output->name())));
  }
  return 0;
}

} // namespace awaitscope::tools
