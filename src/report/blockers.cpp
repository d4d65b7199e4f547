#include "awaitscope/report/blockers.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace awaitscope {
namespace {

constexpr std::int64_t k_longest_gap = 4;       // periods: behind it nobody knows what the thread did
constexpr std::uint64_t k_fewest_sightings = 3; // two samples far apart prove little

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
  const auto most = std::max_element(samples_in.begin(), samples_in.end());
  return static_cast<ThreadState>(most - samples_in.begin());
}

bool HoldFinder::goes_on(const Open &open, const SampleRun &run, std::size_t inside) const {
  const std::size_t calls = std::size_t{run.calls.outer} + run.calls.count;
  const std::size_t below = calls - std::min(calls, inside); // calls of the loop itself
  const std::int64_t gap_ns = run.first_ns - open.last_ns;
  return open.active && run.calls.known && run.calls.same > below && run.task == open.hold.task &&
         tables_.requests[run.request].first == tables_.requests[open.hold.request].first &&
         gap_ns <= k_longest_gap * found_.period_ns * weight_of(run, found_.period_ns);
}

void HoldFinder::add(const SampleRun &run) {
  if (run.count == 0) {
    return; // the account at the end
  }
  Open &open = threads_[tables_.threads[run.thread].tid];
  found_.knows_calls = found_.knows_calls || run.calls.known;
  const std::vector<Frame> frames = tables_.stacks.frames(run.stack);
  const std::optional<std::size_t> inside = callbacks_.inside(frames);
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
  const auto known = std::find_if(open.runs.begin(), open.runs.end(), [&](const SampleRun &other) {
    return other.stack == run.stack && other.state == run.state && other.left_out == run.left_out;
  });
  if (known == open.runs.end()) {
    open.runs.push_back(run);
  } else {
    known->count += run.count;
  }
}

/// `unseen_ns`: when the thread was read elsewhere.
void HoldFinder::end(Open &open, std::int64_t unseen_ns, bool ended) {
  if (open.active) {
    open.hold.to_ns = open.last_ns + (unseen_ns - open.last_ns) / 2;
    open.hold.ended = ended;
    const bool reaches_in = open.hold.from_ns <= range_.until_ns && open.hold.to_ns >= range_.since_ns;
    if (open.hold.length_ns() > found_.longer_ns && open.sightings >= k_fewest_sightings && reaches_in) {
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
  std::map<std::optional<CodeId>, std::uint64_t> samples_of;
  std::vector<std::optional<CodeId>> owners;
  for (const SampleRun &run : open.runs) {
    const std::vector<Frame> frames = tables_.stacks.frames(run.stack);
    const auto own = std::find_if(frames.rbegin(), frames.rend(), [&](const Frame &frame) {
      return frame.kind == FrameKind::python && origins_.is_project(frame.code);
    });
    owners.push_back(own == frames.rend() ? std::nullopt : std::optional(own->code));
    samples_of[owners.back()] += run.count;
  }
  const SampleRun *chosen = nullptr;
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < open.runs.size(); ++i) {
    const std::uint64_t samples = samples_of[owners[i]];
    const bool better = chosen == nullptr || std::tie(samples, open.runs[i].count) > std::tie(most, chosen->count);
    chosen = better ? &open.runs[i] : chosen;
    most = better ? samples : most;
    hold.own = better ? owners[i] : hold.own;
  }
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

LoopHolds HoldFinder::finish(std::int64_t end_ns) {
  for (auto &[tid, open] : threads_) {
    const bool left = end_ns - open.last_ns > 2 * found_.period_ns;
    end(open, left ? open.last_ns + found_.period_ns : end_ns + (end_ns - open.last_ns), left);
  }
  found_.elapsed_ns = range_.overlap(0, end_ns);
  std::sort(found_.holds.begin(), found_.holds.end(), [](const LoopHold &a, const LoopHold &b) {
    return std::tuple(-a.length_ns(), a.from_ns, a.thread) < std::tuple(-b.length_ns(), b.from_ns, b.thread);
  });
  return std::move(found_);
}

Result<LoopHolds> read_loop_holds(RecordingReader &reader, const TimeRange &range, const ProfileOptions &options,
                                  std::int64_t longer_ns) {
  HoldFinder finder(reader, range, options, longer_ns);
  std::int64_t last_ns = 0;
  const Result<void> read = reader.each_block([&]() -> Result<void> {
    for (const SampleRun &run : reader.samples()) {
      last_ns = std::max(last_ns, run.last_ns);
      finder.add(run);
    }
    return {};
  });
  if (!read) {
    return tl::unexpected(read.error());
  }
  return finder.finish(std::max(last_ns, reader.totals().elapsed_ns));
}

} // namespace awaitscope
