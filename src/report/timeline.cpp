#include "awaitscope/report/timeline.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "awaitscope/report/waits.hpp"

namespace awaitscope {
namespace {

class TimelineBuilder {
public:
  TimelineBuilder(const RecordingTables &tables, const ProfileOptions &options) : tables_(tables), options_(options) {}

  void add(const StackCosts::Key &key, std::uint64_t weight) {
    if (weight == 0) {
      return;
    }
    const std::uint32_t number = number_of(key);
    if (kinds_[number].track == k_hidden) {
      return;
    }
    Track &track = tracks[kinds_[number].track];
    track.weight += weight;
    if (!track.entries.empty() && track.entries.back().kind == number) {
      track.entries.back().weight += weight;
    } else {
      track.entries.push_back({key.stack, number, weight});
    }
  }

  /// Makes CPU times of weights that are samples. Those of one kind are rounded together, so that their sum is that of StackCosts.
  void share(const CpuEstimate &cpu) {
    for (Track &track : tracks) {
      track.weight = 0;
      for (Track::Entry &entry : track.entries) {
        Kind &kind = kinds_[entry.kind];
        const std::uint64_t before_ns = cpu.cpu_ns(kind.thread, kind.samples);
        kind.samples += entry.weight;
        entry.weight = cpu.cpu_ns(kind.thread, kind.samples) - before_ns;
        track.weight += entry.weight;
      }
      std::erase_if(track.entries, [](const Track::Entry &entry) { return entry.weight == 0; });
    }
    std::erase_if(tracks, [](const Track &track) { return track.weight == 0; });
  }

  std::vector<Track> tracks;

private:
  static constexpr std::size_t k_hidden = SIZE_MAX;

  struct Kind {
    std::size_t track = k_hidden;
    std::uint32_t thread = 0;
    std::uint64_t samples = 0; ///< that share() has had
  };

  std::uint32_t number_of(const StackCosts::Key &key) {
    const auto known = numbers_.find(key);
    if (known != numbers_.end()) {
      return known->second;
    }
    const std::vector<Frame> frames = tables_.stacks.frames(key.stack);
    std::size_t number = k_hidden;
    if (is_shown(tables_, key, frames, options_)) {
      const auto [entry, fresh] =
          roots_.try_emplace({process_of(tables_, key), root_of(tables_, key, frames, options_)}, tracks.size());
      if (fresh) {
        tracks.push_back({entry->first.second, entry->first.first, {}, 0});
      }
      number = entry->second;
    }
    kinds_.push_back({number, key.thread, 0});
    return numbers_.emplace(key, static_cast<std::uint32_t>(kinds_.size() - 1)).first->second;
  }

  const RecordingTables &tables_;
  const ProfileOptions &options_;
  std::unordered_map<StackCosts::Key, std::uint32_t, StackCosts::KeyHash> numbers_; ///< of kinds_
  std::vector<Kind> kinds_;
  std::map<std::pair<std::string, std::string>, std::size_t> roots_; ///< by process and root
};

struct Wait {
  std::int64_t from_ns;
  StackCosts::Key key;
  std::uint64_t weight;
};

} // namespace

Result<Timeline> read_timeline(RecordingReader &reader, const TimeRange &range, const ProfileOptions &options) {
  const RecordingTables &tables = reader.tables();
  Timeline timeline;
  TimelineBuilder builder(tables, options);
  std::vector<Wait> waits; // told when they end, but in order of their beginning
  TaskSpans spans([&](const TaskSpan &span) {
    const auto waited = static_cast<std::uint64_t>(range.overlap(span.from_ns, span.to_ns));
    if (options.metric == Metric::await && span.state == TaskState::waiting && waited > 0) {
      waits.push_back({span.from_ns, key_of_wait(tables, span), waited});
    }
  });
  const bool of_cpu = options.metric == Metric::cpu ||
                      (options.metric == Metric::events && reader.info().event_source == EventSource::cpu_time);
  CpuEstimate cpu;
  Cost sampled;
  std::int64_t last_ns = 0;
  const Result<void> read = reader.each_block([&]() -> Result<void> {
    for (const SampleRun &run : reader.samples()) {
      const Cost cost = cost_within(run, range);
      sampled += cost;
      last_ns = std::max(last_ns, run.last_ns);
      cpu.add(run);
      if (of_cpu) {
        builder.add(key_of(tables, run), run.state == ThreadState::running ? cost.samples : 0);
      } else {
        builder.add(key_of(tables, run), value_of(cost, options.metric));
      }
    }
    for (const RecordedTaskChange &change : reader.task_changes()) {
      spans.add(change);
      ++timeline.task_changes;
    }
    return {};
  });
  if (!read) {
    return tl::unexpected(read.error());
  }
  spans.finish(std::max(last_ns, reader.totals().elapsed_ns));
  std::stable_sort(waits.begin(), waits.end(), [](const Wait &a, const Wait &b) { return a.from_ns < b.from_ns; });
  for (const Wait &wait : waits) {
    builder.add(wait.key, wait.weight);
  }
  cpu.finish(reader);
  if (of_cpu) {
    builder.share(cpu);
  }
  timeline.tracks = std::move(builder.tracks);
  std::sort(timeline.tracks.begin(), timeline.tracks.end(), [](const Track &a, const Track &b) {
    return a.weight != b.weight ? a.weight > b.weight : std::tie(a.process, a.root) < std::tie(b.process, b.root);
  });
  if (options.filter.everything() && range.everything()) {
    timeline.unsampled = of_cpu                             ? cpu.unsampled_ns()
                         : options.metric == Metric::events ? unsampled_events(reader.totals(), sampled.events)
                                                            : 0;
  }
  return timeline;
}

} // namespace awaitscope
