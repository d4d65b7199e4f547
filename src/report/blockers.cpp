#include "awaitscope/report/blockers.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace awaitscope {
namespace {

constexpr std::int64_t k_longest_gap = 4; // periods: behind it only contexts say what the thread did
constexpr std::uint64_t k_fewest_sightings = 2;
constexpr std::uint64_t k_fewest_without_contexts = 3; // two samples far apart prove little then

/// How many ticks it spans.
std::int64_t ticks_of(const SampleRun &run, std::int64_t period_ns) {
  return (run.last_ns - run.first_ns + period_ns / 2) / period_ns + 1;
}

/// For how many of the ticks each of its samples stands.
std::int64_t weight_of(const SampleRun &run, std::int64_t period_ns) {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(run.count) / ticks_of(run, period_ns));
}

} // namespace

ThreadState LoopHold::state() const {
  const auto *const most = std::max_element(samples_in.begin(), samples_in.end());
  return static_cast<ThreadState>(most - samples_in.begin());
}

bool HoldFinder::goes_on(const Open &open, const SampleRun &run, std::size_t inside) const {
  const std::size_t calls = std::size_t{run.calls.outer} + run.calls.count;
  const std::size_t below = calls - std::min(calls, inside); // calls of the loop itself
  const std::int64_t gap_ns = run.first_ns - open.last_ns;
  return open.active && run.calls.known && run.calls.same > below && run.task == open.hold.task &&
         !run.calls.other_context && tables_.requests[run.request].first == tables_.requests[open.hold.request].first &&
         (knows_contexts_ || gap_ns <= k_longest_gap * found_.period_ns * weight_of(run, found_.period_ns));
}

std::optional<std::size_t> HoldFinder::inside(StackId stack) {
  const auto [known, fresh] = inside_.try_emplace(stack);
  if (fresh) {
    known->second = callbacks_.inside(tables_.stacks.frames(stack));
  }
  return known->second;
}

void HoldFinder::add(const SampleRun &run) {
  if (run.count == 0) {
    return; // the account at the end
  }
  Open &open = threads_[tables_.threads[run.thread].tid];
  found_.knows_calls = found_.knows_calls || run.calls.known;
  knows_contexts_ = knows_contexts_ || run.calls.other_context; // as the first sample of each thread says
  const std::optional<std::size_t> inside = this->inside(run.stack);
  found_.callbacks += inside ? run.count : 0;
  if (inside && goes_on(open, run, *inside)) {
    open.hold.request = std::max(open.hold.request, run.request); // a later row says more of it
  } else {
    // It may have been read in between, waiting for work: when first is not known, but mostly at the next tick.
    const bool left = run.calls.before_ns > open.last_ns + found_.period_ns;
    const std::int64_t latest_ns = open.last_ns + (left ? 1 : k_longest_gap) * found_.period_ns;
    end(open, std::min(run.first_ns, latest_ns), true);
    open.active = inside.has_value();
    open.hold = {};
    open.hold.begun = run.calls.before_ns >= 0;
    open.hold.from_ns = open.hold.begun ? run.first_ns - (run.first_ns - run.calls.before_ns) / 2 : run.first_ns;
    open.hold.thread = run.thread;
    open.hold.task = run.task;
    open.hold.request = run.request;
  }
  open.last_ns = run.last_ns;
  if (!open.active) {
    return;
  }
  open.sightings += static_cast<std::uint64_t>(ticks_of(run, found_.period_ns));
  open.hold.samples_in[static_cast<std::size_t>(run.state)] += run.count;
  const auto [known, fresh] = open.runs.try_emplace({run.stack, run.state}, run);
  known->second.count += fresh ? 0 : run.count;
}

/// `unseen_ns`: when the thread was read elsewhere.
void HoldFinder::end(Open &open, std::int64_t unseen_ns, bool ended) {
  if (open.active) {
    open.hold.to_ns = open.last_ns + (unseen_ns - open.last_ns) / 2;
    open.hold.ended = ended;
    const bool reaches_in = open.hold.from_ns <= range_.until_ns && open.hold.to_ns >= range_.since_ns;
    const std::uint64_t fewest = knows_contexts_ ? k_fewest_sightings : k_fewest_without_contexts;
    if (open.hold.length_ns() > found_.longer_ns && open.sightings >= fewest && reaches_in) {
      keep(open);
    }
  }
  open.active = false;
  open.runs.clear();
  open.sightings = 0;
}

/// Which function held the loop: the innermost one of the project's that most samples had.
void HoldFinder::keep(Open &open) {
  LoopHold &hold = open.hold;
  std::map<std::optional<CodeId>, std::pair<std::uint64_t, const SampleRun *>> owners; // samples, the most frequent run
  for (const auto &[place, run] : open.runs) {
    const std::vector<Frame> frames = tables_.stacks.frames(run.stack);
    const std::size_t own = origins_.innermost_of_project(frames);
    auto &[samples, most] = owners[own == frames.size() ? std::nullopt : std::optional(frames[own].code)];
    samples += run.count;
    most = most == nullptr || run.count > most->count ? &run : most;
  }
  const auto owner = std::max_element(owners.begin(), owners.end(),
                                      [](const auto &a, const auto &b) { return a.second.first < b.second.first; });
  hold.own = owner->first;
  const SampleRun *const chosen = owner->second.second;
  hold.stack = chosen->stack;
  const std::vector<Frame> frames = tables_.stacks.frames(hold.stack);
  for (const Frame &frame : frames) { // the innermost last
    if (frame.kind == FrameKind::python) {
      hold.leaf = frame.code;
      hold.own_line = frame.code == hold.own ? frame.line : hold.own_line;
    }
  }
  if (!chosen->left_out && is_shown(tables_, key_of(tables_, *chosen), frames, options_)) {
    found_.holds.push_back(hold);
  }
}

void HoldFinder::add_block() {
  for (const SampleRun &run : reader_.samples()) {
    last_ns_ = std::max(last_ns_, run.last_ns);
    add(run);
  }
  for (const RecordedTaskChange &change : reader_.task_changes()) {
    found_.knows_tasks = true;
    tasks_.add(change);
  }
}

void HoldFinder::add_ready(const TaskSpan &span) {
  if (span.state == TaskState::ready) {
    auto &[begins, ends] = ready_[tables_.tasks[span.task].process];
    begins.push_back(span.from_ns);
    ends.push_back(span.to_ns);
  }
}

/// Those that had become ready before the hold's end, less those that were no longer at its beginning.
void HoldFinder::count_ready() {
  for (auto &[process, spans] : ready_) {
    std::sort(spans.first.begin(), spans.first.end());
    std::sort(spans.second.begin(), spans.second.end());
  }
  for (LoopHold &hold : found_.holds) {
    const auto &[begins, ends] = ready_[tables_.threads[hold.thread].process];
    const auto begun = std::lower_bound(begins.begin(), begins.end(), hold.to_ns) - begins.begin();
    const auto ended = std::upper_bound(ends.begin(), ends.end(), hold.from_ns) - ends.begin();
    hold.ready = static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(0, begun - ended));
  }
}

LoopHolds HoldFinder::finish() {
  const std::int64_t end_ns = std::max(last_ns_, reader_.totals().elapsed_ns);
  for (auto &[tid, open] : threads_) {
    const bool left = end_ns - open.last_ns > 2 * found_.period_ns;
    end(open, left ? open.last_ns + found_.period_ns : end_ns + (end_ns - open.last_ns), left);
  }
  tasks_.finish(end_ns);
  count_ready();
  found_.elapsed_ns = range_.overlap(0, end_ns);
  std::sort(found_.holds.begin(), found_.holds.end(), [](const LoopHold &a, const LoopHold &b) {
    return std::tuple(-a.length_ns(), a.from_ns, a.thread) < std::tuple(-b.length_ns(), b.from_ns, b.thread);
  });
  return std::move(found_);
}

Result<LoopHolds> read_loop_holds(RecordingReader &reader, const TimeRange &range, const ProfileOptions &options,
                                  std::int64_t longer_ns) {
  HoldFinder finder(reader, range, options, longer_ns);
  const Result<void> read = reader.each_block([&]() -> Result<void> {
    finder.add_block();
    return {};
  });
  if (!read) {
    return tl::unexpected(read.error());
  }
  return finder.finish();
}

} // namespace awaitscope
