#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "awaitscope/report/profile.hpp"
#include "awaitscope/report/table_order.hpp"

namespace awaitscope {

/// One statement of SQL, without its values, over all its executions that samples have seen.
struct QueryCost {
  std::string statement;
  Cost cost;
  std::array<std::uint64_t, k_thread_states> samples_in{}; ///< by what the thread did
  std::uint64_t calls = 0; ///< executions that were seen; two that nothing tells apart are one (RecordedCalls)

  struct Route {
    std::string method;
    std::string route;
    std::uint64_t samples = 0;
    std::uint64_t calls = 0;
  };
  std::vector<Route> routes; ///< the heaviest first; without what belongs to no request

  /// A place in the project's code from which requests of one route execute it again and again: a suspected N+1.
  struct Repeated {
    std::string method;
    std::string route;
    CodeId function = 0;
    std::int32_t line = 0;      ///< that it executes; 0: not known
    std::uint64_t requests = 0; ///< in which it was seen more than once
    std::uint64_t most = 0;     ///< executions seen in one request
  };
  std::vector<Repeated> repeated; ///< the worst first
};

struct QueryCosts {
  std::vector<QueryCost> queries;
  Cost sum;                   ///< of all statements
  Cost everything;            ///< of all samples that pass the filter, statements or not
  std::int64_t period_ns = 0; ///< that a sample stands for
};

/// Reads the recording to its end. The statements that took most time come first, unless the order is another.
///
/// A statement is repeated if three executions of it were seen in one request, or two in each of three requests, from one line of the
/// project's code. Executions that are much shorter than the sampling period are mostly not seen: nothing here proves that one is not repeated.
Result<QueryCosts> read_query_costs(RecordingReader &reader, const TimeRange &range, const ProfileOptions &options,
                                    TableOrder order = TableOrder::usual);

} // namespace awaitscope
