#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "awaitscope/process/process.hpp"

namespace awaitscope {

/// What a compiler at run time says of its functions: /tmp/perf-PID.map of the process (tools/perf/Documentation/jit-interface.txt).
/// Untrusted, and anyone may write there: the file must belong to the user of the process, or to root.
class PerfMap {
public:
  /// Reads it again, if it has grown.
  void refresh(const Process &process);

  [[nodiscard]] std::optional<std::string> find(Address address) const;

private:
  struct Function {
    Address begin = 0;
    Address end = 0;
    std::string name;
  };
  void parse(std::string_view text);

  std::vector<Function> functions_; ///< by address
  std::uint64_t size_ = 0;          ///< of the file, when it was read
};

} // namespace awaitscope
