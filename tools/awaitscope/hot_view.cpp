#include "hot_view.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "awaitscope/export/hot.hpp"
#include "awaitscope/integrations/program_name.hpp"

namespace awaitscope::tools {
namespace {

/// Whether the table is of CPU time, if that says anything: nobody chose a metric, or asked for threads that have none.
bool prefers_cpu(const ViewPlan &plan) {
  const std::vector<ThreadState> &states = plan.profile.filter.states;
  const bool of_running = states.empty() || std::count(states.begin(), states.end(), ThreadState::running) != 0;
  return !plan.metric_chosen && !plan.json && !plan.profile.idle && of_running;
}

} // namespace

std::string subject_of(const RecordingInfo &info) { return fmt::format("{} {}", program_name(info.command), info.pid); }

std::string quantity_of(Metric metric, const RecordingInfo &info) {
  switch (metric) {
  case Metric::wall:
    return "wall samples";
  case Metric::cpu:
    return "CPU time";
  case Metric::events:
    return info.event;
  case Metric::await:
    break;
  }
  return "time suspended";
}

Result<View> hot_view(const RecordingReader &reader, const ViewPlan &plan, const StackCosts &costs,
                      const FrameNames &names) {
  if (plan.order == TableOrder::calls) {
    return fail(ExitStatus::usage, "samples do not count calls", "use --sort self or total; -f latency shows calls");
  }
  const RecordingTables &tables = reader.tables();
  ProfileOptions profile = plan.profile;
  HotTable table;
  profile.metric = prefers_cpu(plan) ? Metric::cpu : profile.metric;
  HotFunctions hot = hot_functions(tables, costs, profile, plan.order);
  if (prefers_cpu(plan) && hot.sum.cpu_ns == 0) {
    profile.metric = plan.profile.metric;
    hot = hot_functions(tables, costs, profile, plan.order);
    table.reason = "there is no CPU time";
  }
  table.metric = profile.metric;
  table.order = plan.order;
  table.rows = plan.hide_framework ? ShownRows::project : ShownRows::all;
  table.layout = plan.layout;
  table.subject = subject_of(reader.info());
  table.range = plan.range;
  table.recorded = costs.sum();
  table.recorded += costs.unsampled;
  return View{plan.json ? hot_json(hot, table.metric, reader.info(), tables.codes)
                        : hot_text(hot, table, reader, names),
              fmt::format("functions by {}", quantity_of(table.metric, reader.info())),
              {},
              hot.functions.empty()};
}

} // namespace awaitscope::tools
