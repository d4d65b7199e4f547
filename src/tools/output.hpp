#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

#include "awaitscope/support/error.hpp"
#include "awaitscope/support/unique_fd.hpp"

namespace awaitscope::tools {

/// Where data goes: a file, or standard output for "-" and "". Opened before the work, so that what cannot be written is
/// known before the first sample; an existing file keeps its contents until there is something to write, and one that was not
/// there is removed again if nothing was.
class Output {
public:
  static Result<Output> open(const std::string &path);

  Output(Output &&) = default;
  Output &operator=(Output &&) = default;
  Output(const Output &) = delete;
  Output &operator=(const Output &) = delete;
  ~Output();

  /// Replaces what was there.
  Result<void> write(std::string_view data);

  /// Adds to what was written; the first call replaces what was there. What cannot be written whole is not written at all,
  /// where the file allows that.
  Result<void> append(std::string_view data);

  [[nodiscard]] const std::string &name() const { return name_; }
  [[nodiscard]] off_t size() const { return size_; } ///< of what was written
  [[nodiscard]] bool is_standard() const { return !file_.valid(); }

private:
  Output() = default;

  UniqueFd file_;
  std::string name_;
  std::string remove_unless_written_; ///< a path that was not there before
  bool begun_ = false;
  off_t size_ = 0;
};

} // namespace awaitscope::tools
