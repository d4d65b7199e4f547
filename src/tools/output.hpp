#pragma once

#include <string>
#include <string_view>

#include "awaitscope/support/error.hpp"
#include "awaitscope/support/unique_fd.hpp"

namespace awaitscope::tools {

/// Where data goes: a file, or standard output for "-" and "". Opened before the work, so that what cannot be written is
/// known before the first sample; an existing file keeps its contents until there is something to write.
class Output {
public:
  static Result<Output> open(const std::string &path);

  /// Replaces what was there.
  Result<void> write(std::string_view data);

  [[nodiscard]] const std::string &name() const { return name_; }
  [[nodiscard]] bool is_standard() const { return !file_.valid(); }

private:
  UniqueFd file_;
  std::string name_;
};

} // namespace awaitscope::tools
