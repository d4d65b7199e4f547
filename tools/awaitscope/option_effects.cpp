#include "option_effects.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>

#include <fmt/format.h>

namespace awaitscope::tools {
namespace {

constexpr unsigned bit(Format format) { return 1U << static_cast<unsigned>(format); }

constexpr unsigned bits(std::initializer_list<Format> formats) {
  unsigned all = 0;
  for (const Format format : formats) {
    all |= bit(format);
  }
  return all;
}

constexpr unsigned k_stacks = bits({Format::folded, Format::speedscope, Format::html, Format::svg});
constexpr unsigned k_costs = k_stacks | bit(Format::hot);
constexpr unsigned k_routes = bits({Format::requests, Format::request, Format::blockers, Format::queries, Format::gil});
constexpr unsigned k_filtered = bits({Format::requests, Format::blockers, Format::queries});
constexpr unsigned k_tasks = k_costs | bit(Format::latency);
constexpr unsigned k_tables = bits({Format::hot, Format::latency, Format::cache, Format::requests, Format::request,
                                    Format::blockers, Format::queries, Format::gil});
constexpr unsigned k_named_views = k_tasks | bit(Format::cache);
// What a recording keeps is decided while it is made.
constexpr unsigned k_sampled = k_costs | bit(Format::recording);

struct Effect {
  std::string_view option;
  bool given = false;
  unsigned formats = 0; ///< that it has an effect on
};

} // namespace

Result<void> check_effects(Format format, const ViewOptions &options) {
  const Filter &filter = options.filter;
  const std::array<Effect, 22> effects{{
      {"--metric", !options.metric.empty() && options.metric != "await", k_costs | bit(Format::requests)},
      {"--metric await", options.metric == "await", k_tasks | bit(Format::recording) | bit(Format::requests)},
      {"--idle", options.idle, k_sampled | bit(Format::requests)},
      {"--lines", options.lines, k_stacks},
      {"--full-paths", options.full_paths, k_named_views | bits({Format::request, Format::blockers, Format::queries})},
      {"--loop-frames", options.loop_frames, k_costs},
      {"--task-frames", options.task_frames, k_stacks},
      {"--task-names", options.task_names, k_sampled},
      {"--all-tasks", options.all_tasks, k_tasks | bit(Format::recording)},
      {"--thread", !filter.threads.empty(), k_costs | k_filtered | bit(Format::gil)},
      {"--task", !filter.tasks.empty(), k_tasks | k_filtered | bit(Format::gil)},
      {"--function", !filter.functions.empty(), k_named_views | k_filtered | bit(Format::gil)},
      {"--state", !options.states.empty(), k_costs | k_filtered},
      {"--limit", options.limit.has_value(), k_tables},
      {"--sort", !options.sort.empty(), bits({Format::hot, Format::latency, Format::requests, Format::queries})},
      {"--hide-framework", options.hide_framework, bit(Format::hot)},
      {"--framework", options.framework, bit(Format::latency)},
      {"--route", !filter.routes.empty(), k_named_views | k_routes},
      {"--slower", !options.slower.empty(), k_named_views | k_routes},
      {"--longer", !options.longer.empty(), bit(Format::blockers)},
      {"--id", !options.request.empty(), bit(Format::request)},
      {"--source", !options.source.empty(), bit(Format::html)},
  }};
  const auto *const idle = std::find_if(effects.begin(), effects.end(), [&](const Effect &effect) {
    return effect.given && (effect.formats & bit(format)) == 0;
  });
  if (idle == effects.end()) {
    const bool of_text = options.limit.has_value() || options.hide_framework || options.framework;
    return options.json && of_text ? fail(ExitStatus::usage, "--json has all rows in any case",
                                          "leave out --limit, --hide-framework and --framework")
                                   : Result<void>();
  }
  return fail(ExitStatus::usage, fmt::format("{} has no effect on the format '{}'", idle->option, name_of(format)),
              format == Format::recording ? "give it to awaitscope report, or choose a view with -f"
                                          : "leave it out, or choose another format with -f");
}

Result<void> check_native(bool native, bool interpreter_frames) {
  return interpreter_frames && !native ? fail(ExitStatus::usage, "--interpreter-frames has no effect without --native",
                                              "add --native, or leave it out")
                                       : Result<void>();
}

} // namespace awaitscope::tools
