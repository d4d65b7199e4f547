#pragma once

#include <string>
#include <vector>

#include "awaitscope/report/profile.hpp"

namespace awaitscope {

/// What a function cost: `own` where it was the innermost, `total` wherever it was in the stack (once, if it called itself).
struct FunctionCost {
  CodeId code = 0;     ///< one of those that have this name, file and line
  std::string process; ///< as process_of()
  Cost own;
  Cost total;
};

struct HotFunctions {
  std::vector<FunctionCost> functions; ///< by options.metric: own first, then total
  Cost unsampled;                      ///< what no sample stands for; without a filter only
  Cost sum;                            ///< of all stacks that the options let pass, and of that
};

HotFunctions hot_functions(const RecordingTables &tables, const StackCosts &costs, const ProfileOptions &options);

} // namespace awaitscope
