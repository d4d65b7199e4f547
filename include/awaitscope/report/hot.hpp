#pragma once

#include <string>
#include <vector>

#include "awaitscope/report/file_origin.hpp"
#include "awaitscope/report/profile.hpp"
#include "awaitscope/report/table_order.hpp"

namespace awaitscope {

/// What a function cost: `own` where it was the innermost, `total` wherever it was in the stack (once, if it called itself).
struct FunctionCost {
  CodeId code = 0;     ///< one of those that have this name, file and line
  std::string process; ///< as process_of()
  Cost own;
  Cost total;
};

/// What the functions of the project, of one package or of the standard library cost themselves.
struct OriginCost {
  FileOrigin::Kind kind = FileOrigin::Kind::project;
  std::string package; ///< of a library
  Cost own;
};

/// The costs of functions. `own` of all of them, `native`, `unreadable` and `unsampled` are the sum.
struct HotFunctions {
  std::vector<FunctionCost> functions; ///< in order, by options.metric
  std::vector<OriginCost> origins;     ///< the project, the packages (what cost most comes first), the standard library
  Cost native;                         ///< of stacks without a Python function: threads that run no Python
  Cost unreadable;                     ///< of stacks whose innermost part could not be read
  Cost unsampled;                      ///< what no sample stands for; without a filter only
  Cost sum;                            ///< of all stacks that the options let pass, and of that
};

/// By TableOrder::total, or else by what functions cost themselves.
HotFunctions hot_functions(const RecordingTables &tables, const StackCosts &costs, const ProfileOptions &options,
                           TableOrder order = TableOrder::usual);

} // namespace awaitscope
