#include "awaitscope/report/queries.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "awaitscope/integrations/request_parts.hpp"
#include "awaitscope/report/file_origin.hpp"

namespace awaitscope {
namespace {

constexpr std::uint64_t k_calls_of_one = 3;    // executions in one request
constexpr std::uint64_t k_requests_of_two = 3; // requests with two each

/// The samples of a statement in one request and thread.
struct QueryCounts {
  std::array<std::uint64_t, k_thread_states> in{};
  std::uint64_t calls = 0;
  Cost cost; ///< without CPU time
};

/// Where a statement is executed from.
struct Caller {
  CodeId function = 0;
  std::int32_t line = 0;
  bool operator<(const Caller &other) const { return std::tie(function, line) < std::tie(other.function, other.line); }
};

double weight_of(const QueryCost &query, TableOrder order) {
  return static_cast<double>(order == TableOrder::self    ? query.cost.cpu_ns
                             : order == TableOrder::calls ? query.calls
                                                          : query.cost.samples);
}

class QueryReading {
public:
  QueryReading(const RecordingReader &reader, const TimeRange &range, ProfileOptions options)
      : reader_(reader), tables_(reader.tables()), range_(range), options_(std::move(options)), parts_(tables_.codes),
        origins_(tables_.codes) {}

  void add(const SampleRun &run);
  QueryCosts finish(TableOrder order);

private:
  struct Shown {
    bool passes = false;
    std::size_t inside = 0;       ///< frames from the one that executes the statement on
    std::optional<Caller> caller; ///< none: none of the project's code is below it
  };
  const Shown &shown(const StackCosts::Key &key);
  [[nodiscard]] std::optional<Caller> caller_of(std::vector<Frame> frames);
  [[nodiscard]] bool is_new(const SampleRun &run, std::size_t inside);
  void add_requests(const std::vector<std::uint32_t> &last_rows);
  QueryCost::Route &route_of(TextId statement, std::uint32_t row);
  QueryCost &query_of(TextId statement);

  const RecordingReader &reader_;
  const RecordingTables &tables_;
  TimeRange range_;
  ProfileOptions options_;
  RequestParts parts_;
  CodeOrigins origins_;
  CpuEstimate cpu_;
  std::unordered_map<StackCosts::Key, Shown, StackCosts::KeyHash> shown_;
  std::map<std::tuple<TextId, std::uint32_t, std::uint32_t>, QueryCounts> counts_; ///< by statement, request and thread
  std::map<std::tuple<TextId, std::uint32_t, Caller>, std::uint64_t> calls_; ///< by statement and request: executions
  std::vector<std::uint32_t> last_rows_;                                     ///< of requests, by their first
  std::unordered_map<ThreadId, std::pair<TextId, std::uint32_t>> threads_; ///< statement and request of the last sample
  std::map<TextId, std::size_t> numbers_;
  std::map<std::tuple<TextId, TextId, TextId>, std::size_t> route_numbers_; ///< by statement, method and route
  QueryCosts found_;
};

const QueryReading::Shown &QueryReading::shown(const StackCosts::Key &key) {
  const auto [entry, fresh] = shown_.try_emplace(key);
  if (fresh) {
    const std::vector<Frame> frames = tables_.stacks.frames(key.stack);
    Shown &how = entry->second;
    how.passes = is_shown(tables_, key, frames, options_);
    how.inside = frames.size() - parts_.innermost_statement(frames);
    how.caller = caller_of(frames);
  }
  return entry->second;
}

/// Below the cursor's outermost function: what wraps executions is no caller.
std::optional<Caller> QueryReading::caller_of(std::vector<Frame> frames) {
  for (std::size_t at = parts_.innermost_statement(frames); at < frames.size();
       at = parts_.innermost_statement(frames)) {
    frames.resize(at);
  }
  const std::size_t own = origins_.innermost_of_project(frames);
  return own < frames.size() ? std::optional(Caller{frames[own].code, frames[own].line}) : std::nullopt;
}

/// Does this sample see an execution that the thread's sample before did not?
bool QueryReading::is_new(const SampleRun &run, std::size_t inside) {
  const std::pair now{run.statement, tables_.requests[run.request].first};
  std::pair<TextId, std::uint32_t> &last = threads_[tables_.threads[run.thread].tid];
  const std::size_t calls = std::size_t{run.calls.outer} + run.calls.count;
  const bool another_call = run.calls.known && run.calls.same + inside <= calls;
  const bool is_new = run.statement != 0 && (last != now || another_call);
  last = now;
  return is_new;
}

void QueryReading::add(const SampleRun &run) {
  cpu_.add(run);
  if (run.count == 0) {
    return;
  }
  last_rows_.resize(std::max(last_rows_.size(), tables_.requests.size()));
  const std::uint32_t request = tables_.requests[run.request].first;
  last_rows_[request] = std::max(last_rows_[request], run.request);
  const Cost cost = cost_within(run, range_);
  const Shown &how = shown(key_of(tables_, run));
  const bool fresh = is_new(run, how.inside);
  if (!how.passes || cost.samples == 0) {
    return;
  }
  QueryCounts &counts = counts_[{run.statement, run.statement == 0 ? 0 : request, run.thread}];
  counts.cost += cost;
  counts.in[static_cast<std::size_t>(run.state)] += cost.samples;
  counts.calls += fresh ? 1 : 0;
  if (fresh && request != 0 && how.caller) {
    ++calls_[{run.statement, request, *how.caller}];
  }
}

QueryCost &QueryReading::query_of(TextId statement) {
  const auto [entry, fresh] = numbers_.try_emplace(statement, found_.queries.size());
  if (fresh) {
    found_.queries.emplace_back().statement = tables_.texts[statement];
  }
  return found_.queries[entry->second];
}

QueryCost::Route &QueryReading::route_of(TextId statement, std::uint32_t row) {
  const RecordedRequest &request = tables_.requests[row];
  QueryCost &query = query_of(statement);
  const auto [entry, fresh] =
      route_numbers_.try_emplace({statement, request.method, request.route}, query.routes.size());
  if (fresh) {
    query.routes.push_back({tables_.texts[request.method], tables_.texts[request.route], 0, 0});
  }
  return query.routes[entry->second];
}

/// What requests repeat, by route and calling line.
void QueryReading::add_requests(const std::vector<std::uint32_t> &last_rows) {
  std::map<std::tuple<TextId, TextId, TextId, Caller>, QueryCost::Repeated> repeated;
  for (const auto &[place, calls] : calls_) {
    const auto &[statement, first, caller] = place;
    if (calls < 2) {
      continue;
    }
    const RecordedRequest &request = tables_.requests[last_rows[first]];
    QueryCost::Repeated &row = repeated[{statement, request.method, request.route, caller}];
    row.method = tables_.texts[request.method];
    row.route = tables_.texts[request.route];
    row.function = caller.function;
    row.line = caller.line;
    ++row.requests;
    row.most = std::max(row.most, calls);
  }
  for (const auto &[place, row] : repeated) {
    if (row.most >= k_calls_of_one || row.requests >= k_requests_of_two) {
      query_of(std::get<0>(place)).repeated.push_back(row);
    }
  }
}

QueryCosts QueryReading::finish(TableOrder order) {
  cpu_.finish(reader_);
  for (auto &[place, counts] : counts_) {
    const auto &[statement, first, thread] = place;
    const auto running = counts.in[static_cast<std::size_t>(ThreadState::running)];
    counts.cost.cpu_ns = running == 0 ? 0 : cpu_.cpu_ns(thread, running);
    found_.everything += counts.cost;
    if (statement == 0) {
      continue;
    }
    found_.sum += counts.cost;
    QueryCost &query = query_of(statement);
    query.cost += counts.cost;
    query.calls += counts.calls;
    for (std::size_t i = 0; i < counts.in.size(); ++i) {
      query.samples_in[i] += counts.in[i];
    }
    if (first != 0) {
      QueryCost::Route &route = route_of(statement, last_rows_[first]);
      route.samples += counts.cost.samples;
      route.calls += counts.calls;
    }
  }
  add_requests(last_rows_);
  found_.period_ns = reader_.info().period_ns();
  for (QueryCost &query : found_.queries) {
    std::stable_sort(query.routes.begin(), query.routes.end(),
                     [](const auto &a, const auto &b) { return a.samples > b.samples; });
    std::stable_sort(query.repeated.begin(), query.repeated.end(),
                     [](const auto &a, const auto &b) { return a.requests * a.most > b.requests * b.most; });
  }
  const auto rank = [order](const QueryCost &query) { return std::tuple(-weight_of(query, order), query.statement); };
  std::sort(found_.queries.begin(), found_.queries.end(),
            [&](const QueryCost &a, const QueryCost &b) { return rank(a) < rank(b); });
  return std::move(found_);
}

} // namespace

Result<QueryCosts> read_query_costs(RecordingReader &reader, const TimeRange &range, const ProfileOptions &options,
                                    TableOrder order) {
  QueryReading reading(reader, range, options);
  const Result<void> read = reader.each_block([&]() -> Result<void> {
    for (const SampleRun &run : reader.samples()) {
      reading.add(run);
    }
    return {};
  });
  if (!read) {
    return tl::unexpected(read.error());
  }
  return reading.finish(order);
}

} // namespace awaitscope
