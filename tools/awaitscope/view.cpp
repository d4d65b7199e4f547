#include "view.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "awaitscope/export/folded.hpp"
#include "awaitscope/export/html.hpp"
#include "awaitscope/export/info.hpp"
#include "awaitscope/export/latency.hpp"
#include "awaitscope/export/speedscope.hpp"
#include "awaitscope/export/svg.hpp"
#include "awaitscope/integrations/program_name.hpp"
#include "awaitscope/support/text.hpp"
#include "awaitscope/support/units.hpp"
#include "cache_view.hpp"
#include "empty_view.hpp"
#include "gil_view.hpp"
#include "hot_view.hpp"
#include "option_effects.hpp"
#include "request_view.hpp"
#include "source_files.hpp"
#include "table_order_names.hpp"
#include "terminal.hpp"

namespace awaitscope::tools {
namespace {

struct NamedFormat {
  std::string_view name;
  Format format;
};
constexpr std::array<NamedFormat, 14> k_formats{{{"recording", Format::recording},
                                                 {"folded", Format::folded},
                                                 {"hot", Format::hot},
                                                 {"info", Format::info},
                                                 {"speedscope", Format::speedscope},
                                                 {"latency", Format::latency},
                                                 {"cache", Format::cache},
                                                 {"requests", Format::requests},
                                                 {"request", Format::request},
                                                 {"blockers", Format::blockers},
                                                 {"queries", Format::queries},
                                                 {"gil", Format::gil},
                                                 {"html", Format::html},
                                                 {"svg", Format::svg}}};

struct NamedEnding {
  std::string_view ending;
  std::string_view format;
};
constexpr std::array<NamedEnding, 6> k_endings{{{".ascope", "recording"},
                                                {".folded", "folded"},
                                                {".txt", "folded"},
                                                {".speedscope.json", "speedscope"},
                                                {".html", "html"},
                                                {".svg", "svg"}}};

/// A file with an ending is to hold what the ending says.
tl::unexpected<Error> unknown_ending(const std::string &ending) {
  std::string endings;
  for (const NamedEnding &known : k_endings) {
    endings += fmt::format("{}{} ({})", endings.empty() ? "" : ", ", known.ending, known.format);
  }
  return fail(ExitStatus::usage, fmt::format("no format has the ending '{}'", ending),
              ending == ".json" ? "use .speedscope.json, or name a view: awaitscope report FILE -f hot --json -o FILE "
                                  "(or latency, cache, info)"
                                : fmt::format("use one of {}, or name a format with -f", endings));
}

Result<std::int64_t> parse_moment(const std::string &text) {
  return text == "0" ? Result<std::int64_t>(0) : parse_duration(text);
}

constexpr std::array k_metrics{Metric::wall, Metric::cpu, Metric::events, Metric::await};

Result<Metric> parse_metric(const std::string &name) {
  for (const Metric metric : k_metrics) {
    if (name == name_of(metric)) {
      return metric;
    }
  }
  return fail(ExitStatus::usage,
              fmt::format("unknown metric '{}'{}", name, did_you_mean(closest_name(name, metric_names()))),
              "use --metric wall, cpu, events or await");
}

Result<ThreadState> parse_state(const std::string &name) {
  for (std::size_t i = 0; i < k_thread_states; ++i) {
    if (name == name_of(static_cast<ThreadState>(i))) {
      return static_cast<ThreadState>(i);
    }
  }
  return fail(ExitStatus::usage,
              fmt::format("unknown state '{}'{}", name, did_you_mean(closest_name(name, state_names()))),
              "use --state running, runnable, gil, blocked or idle");
}

bool counts_time(const RecordingInfo &info) { return info.event == "task-clock" || info.event == "cpu-clock"; }

std::string event_unit(const RecordingInfo &info) {
  return counts_time(info) ? info.event + " (nanoseconds)" : info.event;
}

std::string unit_of(Metric metric, const RecordingInfo &info) {
  switch (metric) {
  case Metric::wall:
    return "samples";
  case Metric::cpu:
    return "nanoseconds on the CPU";
  case Metric::events:
    return event_unit(info);
  case Metric::await:
    break;
  }
  return "nanoseconds suspended";
}

SvgUnit svg_unit_of(Metric metric, const RecordingInfo &info) {
  switch (metric) {
  case Metric::wall:
    return {"samples", false};
  case Metric::cpu:
    return {"on the CPU", true};
  case Metric::events:
    return {counts_time(info) ? "of " + info.event : info.event, counts_time(info)};
  case Metric::await:
    break;
  }
  return {"suspended", true};
}

/// What a recording cannot tell is an error where it is all that was asked for.
Result<void> check_holds(const RecordingReader &reader, std::uint64_t task_changes, Metric metric) {
  if (metric == Metric::events && reader.info().event.empty()) {
    return fail(ExitStatus::failed, "this recording counted no event",
                "use --metric cpu or wall; awaitscope record --event NAME counts one");
  }
  if (metric == Metric::await && task_changes == 0) {
    return fail(ExitStatus::failed, "the recording contains no suspended tasks",
                "record with --all-tasks, while a loop runs tasks");
  }
  return {};
}

/// As a recording of several calls each.
std::string only_process(const RecordingInfo &info) {
  return fmt::format("process {} {}", info.pid, valid_utf8(program_name(info.command)));
}

std::vector<std::string> warnings_of(const RecordingReader &reader, const ViewPlan &plan) {
  std::vector<std::string> warnings;
  const std::string upto = human_duration(reader.totals().elapsed_ns);
  switch (reader.ending()) {
  case Ending::whole:
    break;
  case Ending::open:
  case Ending::torn:
    warnings.push_back(fmt::format(
        "the recording has no end: it is still growing, or its recorder was killed; what was written is whole up to {}",
        upto));
    break;
  case Ending::damaged:
    warnings.push_back(fmt::format("warning: the recording is damaged behind byte {}; what follows is left out, what "
                                   "was read is whole up to {}",
                                   with_thousands(reader.bytes()), upto));
    break;
  }
  if (plan.profile.idle && !reader.info().idle_threads) {
    warnings.emplace_back("warning: --idle shows nothing here: threads that wait were not sampled (record --idle)");
  }
  if (plan.profile.task_names && !reader.info().task_names) {
    warnings.emplace_back("warning: --task-names shows nothing here: names were not read (record --task-names)");
  }
  return warnings;
}

/// As the plan wants them. They refer to the reader.
FrameNames names_of(const RecordingReader &reader, const ViewPlan &plan) {
  return {reader.tables().codes, reader.info().import_paths, plan.names.files, plan.names.lines};
}

/// Views of time's order.
Result<View> in_order(RecordingReader &reader, const ViewPlan &plan, const std::string &name) {
  const Result<Timeline> timeline = read_timeline(reader, plan.range, plan.profile);
  if (!timeline) {
    return tl::unexpected(timeline.error());
  }
  if (const Result<void> holds = check_holds(reader, timeline->task_changes, plan.profile.metric); !holds) {
    return tl::unexpected(holds.error());
  }
  Result<std::string> text = speedscope_json(reader, *timeline, plan.profile, plan.names, name);
  if (!text) {
    return tl::unexpected(text.error());
  }
  View view;
  view.text = std::move(*text);
  view.what = fmt::format("speedscope profiles, unit {}", unit_of(plan.profile.metric, reader.info()));
  view.empty = timeline->tracks.empty();
  return view;
}

/// The page: every metric, over time.
Result<View> over_time(RecordingReader &reader, const ViewPlan &plan, const std::string &name) {
  ProfileOptions profile = plan.profile;
  profile.task_frames = true; // the page marks where a task goes on in another one
  Result<PageContents> contents = read_page(reader, plan.range, profile, plan.names.lines);
  if (!contents) {
    return tl::unexpected(contents.error());
  }
  const CostHistory &history = contents->history;
  if (const Result<void> holds = check_holds(reader, history.task_changes, plan.profile.metric); !holds) {
    return tl::unexpected(holds.error());
  }
  contents->sources = read_sources(reader, history, plan.source);
  const PageOptions options{plan.profile.metric, plan.names, subject_of(reader.info()), name};
  return View{html_page(reader, *contents, options), "HTML page", {}, history.empty};
}

/// Views of how long calls took.
Result<View> by_call(RecordingReader &reader, const ViewPlan &plan) {
  const Result<Latencies> latencies = read_latencies(reader, plan.range, plan.profile.filter, plan.order);
  if (!latencies) {
    return tl::unexpected(latencies.error());
  }
  if (!latencies->plain_calls && !latencies->traced) {
    if (const Result<void> holds = check_holds(reader, latencies->task_changes, Metric::await); !holds) {
      return tl::unexpected(holds.error());
    }
  }
  const CodeTable &codes = reader.tables().codes;
  const FrameNames names = names_of(reader, plan);
  const LatencyRows rows = plan.framework ? LatencyRows::all : LatencyRows::project;
  return View{plan.json ? latency_json(*latencies, codes) : latency_text(*latencies, rows, plan.layout, names),
              "latency of calls",
              {},
              latencies->functions.empty()};
}

/// Views of what each stack cost.
Result<View> summed(RecordingReader &reader, const ViewPlan &plan) {
  const Result<StackCosts> costs = read_costs(reader, plan.range);
  if (!costs) {
    return tl::unexpected(costs.error());
  }
  const Metric metric = plan.profile.metric;
  if (const Result<void> holds = check_holds(reader, costs->task_changes, metric); !holds) {
    return tl::unexpected(holds.error());
  }
  const RecordingTables &tables = reader.tables();
  FrameNames names = names_of(reader, plan);
  if (plan.format == Format::info) {
    return View{plan.json ? info_json(reader, *costs) : info_text(reader, *costs, plan.layout.width),
                "recording details",
                {},
                false};
  }
  if (plan.format == Format::hot) {
    return hot_view(reader, plan, *costs, names);
  }
  ProfileOptions profile = plan.profile;
  if (plan.all_tasks) {
    profile.suspended_tick_ns = static_cast<std::uint64_t>(reader.info().period_ns());
  }
  const std::vector<WeightedStack> stacks = stack_profile(tables, *costs, profile);
  if (plan.format == Format::svg) {
    const SvgUnit unit = svg_unit_of(metric, reader.info());
    const std::string title = fmt::format("{}: {}", subject_of(reader.info()), quantity_of(metric, reader.info()));
    return View{svg_flame_graph(stacks, names, tables.codes, title, unit),
                "flame graph, unit " + unit_of(metric, reader.info()),
                {},
                stacks.empty()};
  }
  return View{folded_text(stacks, names),
              fmt::format("folded stacks, unit {}", unit_of(metric, reader.info())),
              {},
              stacks.empty()};
}

} // namespace

std::vector<std::string_view> format_names() {
  std::vector<std::string_view> names;
  names.reserve(k_formats.size());
  for (const NamedFormat &known : k_formats) {
    names.push_back(known.name);
  }
  return names;
}

std::vector<std::string_view> metric_names() {
  std::vector<std::string_view> names;
  names.reserve(k_metrics.size());
  for (const Metric metric : k_metrics) {
    names.push_back(name_of(metric));
  }
  return names;
}

std::vector<std::string_view> state_names() {
  std::vector<std::string_view> names;
  names.reserve(k_thread_states);
  for (std::size_t i = 0; i < k_thread_states; ++i) {
    names.push_back(name_of(static_cast<ThreadState>(i)));
  }
  return names;
}

std::string_view name_of(Format format) {
  for (const NamedFormat &known : k_formats) {
    if (known.format == format) {
      return known.name;
    }
  }
  return "?";
}

bool is_ending_of_recordings(std::string_view output) {
  return std::any_of(k_endings.begin(), k_endings.end(), [&](const NamedEnding &known) {
    return known.ending != ".txt" && output.ends_with(known.ending);
  });
}

Result<Format> format_of(const std::string &name, const std::string &output, Format fallback) {
  std::string_view wanted = name;
  for (const NamedEnding &known : k_endings) {
    if (name.empty() && output.ends_with(known.ending)) {
      wanted = known.format;
    }
  }
  if (wanted.empty()) {
    const std::string ending = std::filesystem::path(output).extension().string();
    return ending.empty() ? Result<Format>(fallback) : unknown_ending(ending);
  }
  std::string names;
  for (const NamedFormat &known : k_formats) {
    if (wanted == known.name) {
      return known.format;
    }
    names += fmt::format("{}{}", names.empty() ? "" : ", ", known.name);
  }
  return fail(ExitStatus::usage,
              fmt::format("unknown format '{}'{}", wanted, did_you_mean(closest_name(wanted, format_names()))),
              fmt::format("use -f with one of {}", names));
}

Result<ViewPlan> plan_view(Format format, const ViewOptions &options) {
  ViewPlan plan;
  plan.format = format;
  const Result<Metric> metric = options.metric.empty() ? Metric::wall : parse_metric(options.metric);
  if (!metric) {
    return tl::unexpected(metric.error());
  }
  plan.metric_chosen = !options.metric.empty();
  const Result<TableOrder> order = parse_order(format, options.sort);
  if (!order) {
    return tl::unexpected(order.error());
  }
  plan.order = *order;
  plan.layout = {output_width(), options.limit.value_or(TableLayout::k_usual_rows)};
  plan.hide_framework = options.hide_framework;
  plan.framework = options.framework;
  plan.profile = {options.idle, options.loop_frames, options.task_frames, options.task_names, *metric, options.filter};
  for (const std::string &name : options.states) {
    const Result<ThreadState> state = parse_state(name);
    if (!state) {
      return tl::unexpected(state.error());
    }
    plan.profile.filter.states.push_back(*state);
  }
  for (const auto &[text, moment] :
       {std::pair(&options.since, &plan.range.since_ns), std::pair(&options.until, &plan.range.until_ns)}) {
    if (!text->empty()) {
      const Result<std::int64_t> parsed = parse_moment(*text);
      if (!parsed) {
        return tl::unexpected(parsed.error());
      }
      *moment = *parsed;
    }
  }
  if (!options.slower.empty()) {
    const Result<std::int64_t> slower = parse_duration(options.slower);
    if (!slower) {
      return tl::unexpected(slower.error());
    }
    plan.profile.filter.slower_ns = *slower;
  }
  if (!options.longer.empty()) {
    const Result<std::int64_t> longer = parse_duration(options.longer);
    if (!longer) {
      return tl::unexpected(longer.error());
    }
    plan.longer_ns = *longer;
  }
  plan.request = options.request;
  if (plan.range.since_ns >= plan.range.until_ns) {
    return fail(ExitStatus::usage, "--since is not before --until", "give both from the recording's start: 2s, 1m");
  }
  const bool has_json = format == Format::hot || format == Format::info || format == Format::latency ||
                        format == Format::cache || format == Format::requests || format == Format::request ||
                        format == Format::blockers || format == Format::queries || format == Format::gil;
  if (options.json && !has_json) {
    return fail(ExitStatus::usage, "--json goes with the tables only",
                "use it with -f hot, latency, requests, queries, blockers, gil, cache or info");
  }
  if (const Result<void> effects = check_effects(format, options); !effects) {
    return tl::unexpected(effects.error());
  }
  std::error_code failed;
  if (!options.source.empty() && !std::filesystem::is_directory(options.source, failed)) {
    return fail(ExitStatus::usage, fmt::format("--source: '{}' is no folder", options.source),
                "name the folder that has the source files");
  }
  plan.source = options.source;
  plan.json = options.json;
  plan.all_tasks = options.all_tasks;
  plan.names = {options.full_paths ? FileNames::full : FileNames::importable,
                options.lines ? Lines::executing : Lines::definition};
  return plan;
}

Result<View> render(std::unique_ptr<ByteSource> source, const ViewPlan &asked) {
  const std::string name = source->name();
  Requests requests;
  if (needs_requests(asked)) { // which are known at the end only
    Result<std::string> bytes = read_all(*source);
    Result<Requests> found = bytes ? requests_of(*bytes, name) : tl::unexpected(bytes.error());
    if (!found) {
      return tl::unexpected(found.error());
    }
    requests = std::move(*found);
    source = std::make_unique<MemorySource>(std::move(*bytes), name);
  }
  Result<RecordingReader> reader = RecordingReader::open(std::move(source));
  if (!reader) {
    return tl::unexpected(reader.error());
  }
  select_requests(*reader, asked, requests);
  ViewPlan plan = asked;
  plan.profile.filter.only_process = only_process(reader->info());
  const bool is_traced = reader->info().arguments == Arguments::traced;
  Result<View> view = plan.format == Format::hot && is_traced ? traced_view(*reader, plan)
                      : plan.format == Format::speedscope     ? in_order(*reader, plan, name)
                      : plan.format == Format::latency        ? by_call(*reader, plan)
                      : plan.format == Format::html           ? over_time(*reader, plan, name)
                      : plan.format == Format::cache          ? cache_view(*reader, plan)
                      : plan.format == Format::requests       ? by_route(*reader, plan)
                      : plan.format == Format::request        ? of_request(*reader, plan, requests)
                      : plan.format == Format::blockers       ? of_blockers(*reader, plan)
                      : plan.format == Format::queries        ? by_query(*reader, plan)
                      : plan.format == Format::gil            ? gil_view(*reader, plan)
                                                              : summed(*reader, plan);
  if (view) {
    view->warnings = warnings_of(*reader, plan);
    if (view->empty) {
      if (const std::optional<Error> nothing = nothing_passes(*reader, plan)) {
        return tl::unexpected(*nothing);
      }
      view->warnings.push_back(why_empty(*reader, plan));
    }
  }
  return view;
}

} // namespace awaitscope::tools
