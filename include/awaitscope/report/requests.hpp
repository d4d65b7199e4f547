#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "awaitscope/integrations/request_parts.hpp"
#include "awaitscope/report/latency.hpp"
#include "awaitscope/report/profile.hpp"
#include "awaitscope/report/table_order.hpp"

namespace awaitscope {

/// A request as the recording saw it. One that a thread handles is known from the samples of that thread; one that a task handles,
/// which may be suspended, from the changes of tasks.
struct RequestSpan {
  std::uint32_t number = 0; ///< of its first row in RecordingTables::requests
  std::uint32_t last = 0;   ///< of the row that says most of it
  bool seen = false;
  bool timed = false; ///< the rest is known
  std::int64_t from_ns = 0;
  std::int64_t to_ns = 0;
  std::int64_t first_seen_ns = 0; ///< as of a TaskSpan
  std::int64_t last_seen_ns = 0;
  bool begun = true; ///< its beginning was seen
  bool ended = true; ///< its end was seen

  /// How long it took; none if that is not known. One that was cut took longer than what was seen.
  [[nodiscard]] std::optional<Length> length() const;
};

/// Every request of a recording, by number; entries of numbers that are no first row are not `seen`.
struct Requests {
  std::vector<RequestSpan> spans;
  std::vector<std::string> routes; ///< by the number of a row, as far as somebody has filled that in
  std::vector<std::string> ids;    ///< likewise: that somebody else has given the request
  bool any_in_tasks = false;       ///< tasks handle some
  std::uint64_t task_changes = 0;
};

/// Gathers requests while a recording is read.
class RequestSpans {
public:
  RequestSpans(const RecordingTables &tables, std::int64_t period_ns)
      : tables_(tables), period_ns_(period_ns), tasks_([this](const TaskSpan &span) { add_span(span); }) {}

  void add(const SampleRun &run);
  void add(const RecordedTaskChange &change);
  [[nodiscard]] Requests finish(std::int64_t end_ns);

private:
  struct Thread {
    std::uint32_t request = 0; ///< that the last row was in; 0: none
    std::int64_t last_ns = -1; ///< -1: there was no row
  };
  RequestSpan &span_of(std::uint32_t row);
  void add_span(const TaskSpan &span);
  void leave(Thread &thread, std::int64_t next_ns);

  const RecordingTables &tables_;
  std::int64_t period_ns_;
  TaskSpans tasks_;
  std::vector<std::uint32_t> task_requests_; ///< by task: of its last change
  std::vector<Thread> threads_;
  Requests requests_;
};

/// What the requests of one route cost.
struct RouteCost {
  std::string method;
  std::string route;
  std::string view;           ///< of one of them
  std::string process;        ///< as process_of()
  std::uint64_t requests = 0; ///< that were seen
  Cost cost;
  std::array<std::uint64_t, k_thread_states> samples_in{}; ///< by what the thread did
  std::array<std::uint64_t, 4> samples_of{};               ///< by RequestPart
  std::uint64_t begun = 0;                                 ///< those that percentiles are of
  std::optional<Length> p50;
  std::optional<Length> p95;
  std::optional<Length> p99;
  std::int64_t max_ns = 0;
  std::vector<std::uint32_t> timed; ///< numbers of its requests of known length, the slowest first
};

struct RouteCosts {
  std::vector<RouteCost> routes;
  Requests requests;
  Cost no_request; ///< what belongs to none
  Cost sum;
  std::int64_t elapsed_ns = 0;
  std::int64_t period_ns = 0; ///< that a sample stands for
  bool lacks_lengths = false; ///< tasks handle requests, and the recording does not know when they were suspended
};

/// For views that read more than this while they go through a recording.
class RouteCostBuilder {
public:
  /// The metric of the options has no effect.
  RouteCostBuilder(const RecordingReader &reader, const TimeRange &range, const ProfileOptions &options);
  RouteCostBuilder(const RouteCostBuilder &) = delete;
  RouteCostBuilder &operator=(const RouteCostBuilder &) = delete;
  ~RouteCostBuilder();

  /// The block that the reader is at.
  void add_block();

  /// After the last block.
  RouteCosts finish(TableOrder order);

private:
  class Reading;
  std::unique_ptr<Reading> reading_;
};

/// Reads the recording to its end. By CPU time, unless the order is another.
Result<RouteCosts> read_route_costs(RecordingReader &reader, const TimeRange &range, const ProfileOptions &options,
                                    TableOrder order = TableOrder::usual);

/// Reads the recording to its end.
Result<Requests> read_requests(RecordingReader &reader);

} // namespace awaitscope
