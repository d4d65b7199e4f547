#include "awaitscope/report/cost_history.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "awaitscope/report/waits.hpp"

namespace awaitscope {
namespace {

constexpr std::int64_t k_first_bin_ns = 10'000'000;

/// The tree, and which node each kind of stack is.
class Tree {
public:
  Tree(const RecordingTables &tables, const ProfileOptions &options, CallerLines lines)
      : tables_(tables), options_(options), lines_(lines) {
    history_.nodes.emplace_back();
  }

  /// The node that the stack ends at.
  std::uint32_t leaf(const StackCosts::Key &key, const std::vector<Frame> &frames) {
    std::uint32_t node = 0;
    if (const std::string &process = process_of(tables_, key); !process.empty()) {
      node = named(node, CostHistory::Level::process, process);
    }
    const std::string root = root_of(tables_, key, frames, options_);
    if (key.in_task) {
      node = named(node, CostHistory::Level::thread, key.suspended ? "suspended tasks" : thread_of(key, frames));
    }
    node = named(node, key.in_task ? CostHistory::Level::task : CostHistory::Level::thread, root);
    const std::vector<Frame> shown = shown_frames(frames, options_);
    for (const Frame &frame : shown) {
      const bool has_line = lines_ == CallerLines::kept || &frame == &shown.back();
      node = child(node, {node, CostHistory::Level::frame, 0, {frame.code, has_line ? frame.line : 0, frame.kind}});
    }
    return node;
  }

  CostHistory take() { return std::move(history_); }

private:
  using ChildKey = std::tuple<std::uint32_t, CostHistory::Level, std::uint32_t, CodeId, std::int32_t, FrameKind>;

  std::string thread_of(StackCosts::Key key, const std::vector<Frame> &frames) const {
    key.in_task = false;
    return root_of(tables_, key, frames, options_);
  }

  std::uint32_t named(std::uint32_t parent, CostHistory::Level level, const std::string &name) {
    const auto [entry, fresh] = names_.try_emplace(name, static_cast<std::uint32_t>(history_.names.size()));
    if (fresh) {
      history_.names.push_back(name);
    }
    return child(parent, {parent, level, entry->second, {}});
  }

  std::uint32_t child(std::uint32_t parent, const CostHistory::Node &node) {
    const Frame &frame = node.frame;
    const auto [entry, fresh] =
        children_.try_emplace(ChildKey{parent, node.level, node.name, frame.code, frame.line, frame.kind},
                              static_cast<std::uint32_t>(history_.nodes.size()));
    if (fresh) {
      history_.nodes.push_back(node);
    }
    return entry->second;
  }

  const RecordingTables &tables_;
  const ProfileOptions &options_;
  CallerLines lines_;
  CostHistory history_;
  std::map<std::string, std::uint32_t> names_;
  std::map<ChildKey, std::uint32_t> children_;
};

struct Cell {
  std::array<std::uint64_t, k_thread_states> samples_in{}; ///< by what the thread did
  std::uint64_t events = 0;
  std::uint64_t await_ns = 0;
};

/// Costs by bin and kind of stack, while the recording is read.
class Cells {
public:
  [[nodiscard]] std::int64_t bin_ns() const { return bin_ns_; }

  void add(std::int64_t at_ns, std::uint32_t kind, const Cell &cell) {
    while (static_cast<std::size_t>(at_ns / bin_ns_) >= CostHistory::k_most_bins || cells_.size() >= most_cells_) {
      widen();
    }
    add_to(cells_, static_cast<std::uint64_t>(at_ns / bin_ns_), kind, cell);
  }

  /// By bin, then kind.
  [[nodiscard]] std::map<std::uint64_t, Cell> sorted() const { return {cells_.begin(), cells_.end()}; }

private:
  using Map = std::unordered_map<std::uint64_t, Cell>;

  static void add_to(Map &cells, std::uint64_t bin, std::uint32_t kind, const Cell &more) {
    Cell &cell = cells[bin << 32U | kind];
    for (std::size_t i = 0; i < k_thread_states; ++i) {
      cell.samples_in[i] += more.samples_in[i];
    }
    cell.events += more.events;
    cell.await_ns += more.await_ns;
  }

  void widen() {
    Map wider;
    std::uint64_t last = 0;
    const std::int64_t before_ns = bin_ns_;
    bin_ns_ *= 2;
    for (const auto &[place, cell] : cells_) {
      const auto at_ns = static_cast<std::int64_t>(place >> 32U) * before_ns;
      const auto bin = static_cast<std::uint64_t>(at_ns / bin_ns_);
      add_to(wider, bin, static_cast<std::uint32_t>(place), cell);
      last = std::max(last, bin);
    }
    cells_ = std::move(wider);
    if (last == 0) { // so many kinds remain, however wide a bin is
      most_cells_ = std::max(most_cells_, 2 * cells_.size());
    }
  }

  std::int64_t bin_ns_ = k_first_bin_ns;
  std::size_t most_cells_ = CostHistory::k_most_cells;
  Map cells_; ///< by bin << 32 | kind
};

class SeriesBuilder {
public:
  SeriesBuilder(const RecordingReader &reader, const TimeRange &range, ProfileOptions options, CallerLines lines)
      : reader_(reader), range_(range), options_(std::move(options)), tree_(reader.tables(), options_, lines) {}

  void add(const SampleRun &run) {
    cpu_.add(run);
    last_ns = std::max(last_ns, run.last_ns);
    const std::uint32_t kind = kind_of(key_of(reader_.tables(), run));
    Cost left = cost_within(run, range_);
    sampled_ += left;
    if (kind != k_hidden) {
      grid_.add(run, range_, kinds_[kind].in_wall);
    }
    std::int64_t at_ns = std::max(run.first_ns, range_.since_ns);
    while (left.samples > 0 || left.events > 0) {
      const std::int64_t bin_ns = cells_.bin_ns(); // grows while cells are added
      const std::int64_t next_ns = (at_ns / bin_ns + 1) * bin_ns;
      const bool last = next_ns > std::min(run.last_ns, range_.until_ns);
      const Cost cost = last ? left : cost_within(run, {at_ns, next_ns - 1});
      left.samples -= cost.samples;
      left.events -= cost.events;
      if (kind != k_hidden && (cost.samples > 0 || cost.events > 0)) {
        Cell cell{{}, cost.events, 0};
        cell.samples_in[static_cast<std::size_t>(run.state)] = cost.samples;
        cells_.add(at_ns, kind, cell);
      }
      at_ns = next_ns;
    }
  }

  void add(const TaskSpan &span) {
    const std::int64_t end_ns = std::min(span.to_ns, range_.until_ns);
    std::int64_t at_ns = std::max(span.from_ns, range_.since_ns);
    if (span.state != TaskState::waiting || at_ns >= end_ns) {
      return;
    }
    const std::uint32_t kind = kind_of(key_of_wait(reader_.tables(), span));
    if (kind != k_hidden) {
      grid_.add_await(at_ns, end_ns);
    }
    while (kind != k_hidden && at_ns < end_ns) {
      const std::int64_t next_ns = std::min(end_ns, (at_ns / cells_.bin_ns() + 1) * cells_.bin_ns());
      cells_.add(at_ns, kind, {{}, 0, static_cast<std::uint64_t>(next_ns - at_ns)});
      at_ns = next_ns;
    }
  }

  CostHistory finish() {
    cpu_.finish(reader_);
    const std::map<std::uint64_t, Cell> cells = cells_.sorted();
    CostHistory history = tree_.take();
    history.bin_ns = cells_.bin_ns();
    history.grid = std::move(grid_);
    const std::size_t count = cells.empty() ? 0 : static_cast<std::size_t>(cells.rbegin()->first >> 32U) + 1;
    for (auto &bins : history.bins) {
      bins.resize(count);
    }
    history.states.resize(count);
    const bool events_are_cpu = reader_.info().event_source == EventSource::cpu_time;
    for (const auto &[place, cell] : cells) {
      Kind &kind = kinds_[static_cast<std::uint32_t>(place)];
      const auto bin = static_cast<std::size_t>(place >> 32U);
      const std::uint64_t running = cell.samples_in[static_cast<std::size_t>(ThreadState::running)];
      const std::uint64_t cpu_ns = running == 0 ? 0 : cpu_of_more(kind, running);
      std::uint64_t samples = 0;
      for (std::size_t i = 0; kind.in_wall && i < k_thread_states; ++i) {
        samples += cell.samples_in[i];
        history.states[bin][i] += cell.samples_in[i];
      }
      const std::array<std::uint64_t, CostHistory::k_metrics> values{
          samples, cpu_ns, events_are_cpu ? cpu_ns : cell.events, cell.await_ns};
      for (std::size_t metric = 0; metric < values.size(); ++metric) {
        put(history.bins[metric][bin], kind.node, values[metric]);
      }
    }
    for (auto &bins : history.bins) {
      for (CostHistory::Bin &bin : bins) {
        history.empty = history.empty && bin.empty();
        sum_up(bin);
      }
    }
    if (options_.filter.everything() && range_.everything()) {
      history.unsampled[static_cast<std::size_t>(Metric::cpu)] = cpu_.unsampled_ns();
      history.unsampled[static_cast<std::size_t>(Metric::events)] =
          events_are_cpu ? cpu_.unsampled_ns() : unsampled_events(reader_.totals(), sampled_.events);
    }
    return history;
  }

  std::int64_t last_ns = 0;

private:
  static constexpr std::uint32_t k_hidden = UINT32_MAX;

  struct Kind {
    std::uint32_t node = 0;
    std::uint32_t thread = 0;
    bool in_wall = false;
    std::uint64_t samples = 0; ///< on a CPU, that finish() has had
  };

  /// Rounded together with those that it had before: the sum is that of StackCosts. The kind has samples on a CPU, so its thread is known.
  std::uint64_t cpu_of_more(Kind &kind, std::uint64_t running) {
    const std::uint64_t before_ns = cpu_.cpu_ns(kind.thread, kind.samples);
    kind.samples += running;
    return cpu_.cpu_ns(kind.thread, kind.samples) - before_ns;
  }

  static void put(CostHistory::Bin &bin, std::uint32_t node, std::uint64_t value) {
    if (value != 0) {
      bin.push_back({node, value});
    }
  }

  static void sum_up(CostHistory::Bin &bin) {
    std::stable_sort(bin.begin(), bin.end(), [](const auto &a, const auto &b) { return a.node < b.node; });
    CostHistory::Bin each;
    for (const CostHistory::Entry &entry : bin) {
      if (!each.empty() && each.back().node == entry.node) {
        each.back().value += entry.value;
      } else {
        each.push_back(entry);
      }
    }
    bin = std::move(each);
  }

  std::uint32_t kind_of(const StackCosts::Key &key) {
    const auto known = numbers_.find(key);
    if (known != numbers_.end()) {
      return known->second;
    }
    const std::vector<Frame> frames = reader_.tables().stacks.frames(key.stack);
    const auto shown_by = [&](Metric metric) {
      options_.metric = metric;
      return is_shown(reader_.tables(), key, frames, options_);
    };
    std::uint32_t number = k_hidden;
    if (shown_by(Metric::cpu)) {
      number = static_cast<std::uint32_t>(kinds_.size());
      kinds_.push_back({tree_.leaf(key, frames), key.thread, shown_by(Metric::wall), 0});
    }
    numbers_.emplace(key, number);
    return number;
  }

  const RecordingReader &reader_;
  TimeRange range_;
  ProfileOptions options_;
  Tree tree_;
  std::unordered_map<StackCosts::Key, std::uint32_t, StackCosts::KeyHash> numbers_; ///< of kinds_
  std::vector<Kind> kinds_;
  Cells cells_;
  TimeGrid grid_;
  CpuEstimate cpu_;
  Cost sampled_;
};

} // namespace

class CostHistoryBuilder::Reading {
public:
  Reading(const RecordingReader &reader, const TimeRange &range, const ProfileOptions &options, CallerLines lines)
      : reader_(reader), builder_(reader, range, options, lines),
        spans_([this](const TaskSpan &span) { builder_.add(span); }) {}

  void add_block() {
    for (const SampleRun &run : reader_.samples()) {
      builder_.add(run);
    }
    for (const RecordedTaskChange &change : reader_.task_changes()) {
      spans_.add(change);
      ++task_changes_;
    }
  }

  CostHistory finish() {
    spans_.finish(std::max(builder_.last_ns, reader_.totals().elapsed_ns));
    CostHistory history = builder_.finish();
    history.task_changes = task_changes_;
    return history;
  }

private:
  const RecordingReader &reader_;
  SeriesBuilder builder_;
  TaskSpans spans_;
  std::uint64_t task_changes_ = 0;
};

CostHistoryBuilder::CostHistoryBuilder(const RecordingReader &reader, const TimeRange &range,
                                       const ProfileOptions &options, CallerLines lines)
    : reading_(std::make_unique<Reading>(reader, range, options, lines)) {}
CostHistoryBuilder::~CostHistoryBuilder() = default;
void CostHistoryBuilder::add_block() { reading_->add_block(); }
CostHistory CostHistoryBuilder::finish() { return reading_->finish(); }

Result<CostHistory> read_cost_history(RecordingReader &reader, const TimeRange &range, const ProfileOptions &options) {
  CostHistoryBuilder builder(reader, range, options, CallerLines::kept);
  const Result<void> read = reader.each_block([&]() -> Result<void> {
    builder.add_block();
    return {};
  });
  if (!read) {
    return tl::unexpected(read.error());
  }
  return builder.finish();
}

} // namespace awaitscope
