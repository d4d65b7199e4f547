#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "awaitscope/report/requests.hpp"

namespace awaitscope {
namespace {

/// The samples of one request in one thread.
struct RouteCounts {
  std::array<std::uint64_t, k_thread_states> in{};
  std::array<std::uint64_t, 4> of{};
  Cost cost; ///< without CPU time
};

/// What the table has at its top is greatest.
double weight_of(const RouteCost &route, TableOrder order) {
  switch (order) {
  case TableOrder::calls:
    return static_cast<double>(route.requests);
  case TableOrder::p50:
    return length_of(route.p50);
  case TableOrder::p95:
    return length_of(route.p95);
  case TableOrder::p99:
    return length_of(route.p99);
  case TableOrder::max:
    return static_cast<double>(route.max_ns);
  case TableOrder::total:
    return static_cast<double>(route.cost.samples);
  case TableOrder::usual:
  case TableOrder::self:
    break;
  }
  return static_cast<double>(route.cost.cpu_ns);
}

} // namespace

/// Gathers what requests cost while a recording is read.
class RouteCostBuilder::Reading {
public:
  Reading(const RecordingReader &reader, const TimeRange &range, ProfileOptions options)
      : reader_(reader), tables_(reader.tables()), range_(range), options_(std::move(options)), parts_(tables_.codes),
        spans_(tables_, reader.info().period_ns()), waits_([this](const TaskSpan &span) { add_wait(span); }) {}

  void add_block() {
    for (const SampleRun &run : reader_.samples()) {
      add(run);
    }
    for (const RecordedTaskChange &change : reader_.task_changes()) {
      last_ns_ = std::max(last_ns_, change.at_ns);
      spans_.add(change);
      waits_.add(change);
      task_requests_.resize(std::max(task_requests_.size(), change.task + std::size_t{1}));
      task_requests_[change.task] = change.request;
    }
  }

  RouteCosts finish(TableOrder order);

private:
  struct Shown {
    bool passes = false;
    RequestPart part = RequestPart::view;
  };

  /// Of a stack: whether it passes the filter, and what it is in.
  const Shown &shown(const StackCosts::Key &key) {
    const auto [entry, fresh] = shown_.try_emplace(key);
    if (fresh) {
      const std::vector<Frame> frames = tables_.stacks.frames(key.stack);
      entry->second = {is_shown(tables_, key, frames, options_), parts_.part_of(frames)};
    }
    return entry->second;
  }

  RouteCounts &counts_of(std::uint32_t request, std::uint32_t thread) {
    return counts_[std::uint64_t{tables_.requests[request].first} << 32U | thread];
  }

  void add(const SampleRun &run) {
    last_ns_ = std::max(last_ns_, run.last_ns);
    cpu_.add(run);
    spans_.add(run);
    const Cost cost = cost_within(run, range_);
    const Shown &how = shown(key_of(tables_, run));
    if (!how.passes || (cost.samples == 0 && cost.events == 0)) {
      return;
    }
    RouteCounts &counts = counts_of(run.request, run.thread);
    counts.cost += cost;
    counts.in[static_cast<std::size_t>(run.state)] += cost.samples;
    counts.of[static_cast<std::size_t>(how.part)] += cost.samples;
  }

  void add_wait(const TaskSpan &span) {
    const std::int64_t waited = range_.overlap(span.from_ns, span.to_ns);
    if (span.state == TaskState::waiting && waited > 0 && shown(key_of_wait(tables_, span)).passes) {
      counts_of(task_requests_[span.task], 0).cost.await_ns += static_cast<std::uint64_t>(waited);
    }
  }

  RouteCost &route_of(std::uint32_t row);
  void add_lengths(const Requests &requests, const std::vector<bool> &counted);

  const RecordingReader &reader_;
  const RecordingTables &tables_;
  TimeRange range_;
  ProfileOptions options_;
  RequestParts parts_;
  RequestSpans spans_;
  TaskSpans waits_;
  std::vector<std::uint32_t> task_requests_; ///< by task: of its last change
  std::unordered_map<StackCosts::Key, Shown, StackCosts::KeyHash> shown_;
  std::unordered_map<std::uint64_t, RouteCounts> counts_; ///< by the request's first row << 32 | thread
  CpuEstimate cpu_;
  std::int64_t last_ns_ = 0;
  std::map<std::tuple<TextId, TextId, TextId>, std::size_t> numbers_; ///< by process, method and route
  RouteCosts costs_;
};

RouteCost &RouteCostBuilder::Reading::route_of(std::uint32_t row) {
  const RecordedRequest &request = tables_.requests[row];
  const auto [entry, fresh] =
      numbers_.try_emplace({request.process, request.method, request.route}, costs_.routes.size());
  if (fresh) {
    RouteCost &route = costs_.routes.emplace_back();
    route.method = tables_.texts[request.method];
    route.route = tables_.texts[request.route];
    route.view = tables_.texts[request.view];
    route.process = tables_.texts[request.process];
  }
  return costs_.routes[entry->second];
}

void RouteCostBuilder::Reading::add_lengths(const Requests &requests, const std::vector<bool> &counted) {
  std::vector<LengthEstimate> lengths(costs_.routes.size());
  std::vector<std::vector<std::pair<std::int64_t, std::uint32_t>>> slowest(costs_.routes.size());
  for (std::uint32_t number = 1; number < requests.spans.size(); ++number) {
    const RequestSpan &span = requests.spans[number];
    if (!span.seen || number >= counted.size() || !counted[number]) {
      continue;
    }
    RouteCost &route = route_of(span.last);
    ++route.requests;
    if (const std::optional<Length> length = span.length()) {
      route.max_ns = std::max(route.max_ns, length->ns);
      slowest[static_cast<std::size_t>(&route - costs_.routes.data())].emplace_back(-length->ns, number);
      if (span.begun) {
        ++route.begun;
        lengths[static_cast<std::size_t>(&route - costs_.routes.data())].add(*length);
      }
    }
  }
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    std::sort(slowest[i].begin(), slowest[i].end());
    for (const auto &[length, number] : slowest[i]) {
      costs_.routes[i].timed.push_back(number);
    }
    const std::vector<Length> found = lengths[i].quantiles({0.50, 0.95, 0.99});
    if (!found.empty()) {
      costs_.routes[i].p50 = found[0];
      costs_.routes[i].p95 = found[1];
      costs_.routes[i].p99 = found[2];
    }
  }
}

RouteCosts RouteCostBuilder::Reading::finish(TableOrder order) {
  const std::int64_t end_ns = std::max(last_ns_, reader_.totals().elapsed_ns);
  waits_.finish(end_ns);
  cpu_.finish(reader_);
  costs_.requests = spans_.finish(end_ns);
  const Requests &requests = costs_.requests;
  std::vector<bool> counted(tables_.requests.size());
  for (auto &[place, counts] : counts_) {
    const auto number = static_cast<std::uint32_t>(place >> 32U);
    const auto running = counts.in[static_cast<std::size_t>(ThreadState::running)];
    counts.cost.cpu_ns = running == 0 ? 0 : cpu_.cpu_ns(static_cast<std::uint32_t>(place), running);
    costs_.sum += counts.cost;
    if (number == 0) {
      costs_.no_request += counts.cost;
      continue;
    }
    counted[number] = true;
    RouteCost &route = route_of(requests.spans[number].last);
    route.cost += counts.cost;
    for (std::size_t i = 0; i < counts.in.size(); ++i) {
      route.samples_in[i] += counts.in[i];
    }
    for (std::size_t i = 0; i < counts.of.size(); ++i) {
      route.samples_of[i] += counts.of[i];
    }
  }
  add_lengths(requests, counted);
  if (options_.filter.everything() && range_.everything()) {
    costs_.no_request.cpu_ns += cpu_.unsampled_ns();
    costs_.sum.cpu_ns += cpu_.unsampled_ns();
  }
  costs_.elapsed_ns = range_.overlap(0, end_ns);
  costs_.period_ns = reader_.info().period_ns();
  costs_.lacks_lengths = requests.any_in_tasks && requests.task_changes == 0;
  const auto rank = [order](const RouteCost &route) {
    return std::tuple(-weight_of(route, order), route.route, route.method, route.process);
  };
  std::sort(costs_.routes.begin(), costs_.routes.end(),
            [&](const RouteCost &a, const RouteCost &b) { return rank(a) < rank(b); });
  return std::move(costs_);
}

RouteCostBuilder::RouteCostBuilder(const RecordingReader &reader, const TimeRange &range, const ProfileOptions &options)
    : reading_(std::make_unique<Reading>(reader, range, options)) {}
RouteCostBuilder::~RouteCostBuilder() = default;
void RouteCostBuilder::add_block() { reading_->add_block(); }
RouteCosts RouteCostBuilder::finish(TableOrder order) { return reading_->finish(order); }

Result<RouteCosts> read_route_costs(RecordingReader &reader, const TimeRange &range, const ProfileOptions &options,
                                    TableOrder order) {
  RouteCostBuilder builder(reader, range, options);
  const Result<void> read = reader.each_block([&]() -> Result<void> {
    builder.add_block();
    return {};
  });
  if (!read) {
    return tl::unexpected(read.error());
  }
  return builder.finish(order);
}

} // namespace awaitscope
