#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

#include "awaitscope/support/error.hpp"
#include "output_file.hpp"

namespace awaitscope::tools {

/// Where data goes: a file, or standard output for "-" and "". Opened before the work, so that what cannot be written is
/// known before the first sample; an existing file keeps its contents until there is something to write, and one that was not
/// there is removed again if nothing was.
class Output {
public:
  /// For `owner_only` an existing file of this user gets mode 0600 with the first write.
  static Result<Output> open(const std::string &path, Privacy privacy);

  /// A file that nobody named: a new one in the working directory, with mode 0600.
  static Result<Output> create(const std::string &name);

  Output(Output &&) = default;
  Output &operator=(Output &&) = default;
  Output(const Output &) = delete;
  Output &operator=(const Output &) = delete;
  ~Output();

  /// Replaces what was there. A pipe whose reader has read enough (head) is no error: what is left is dropped.
  Result<void> write(std::string_view data);

  /// Adds to what was written; the first call replaces what was there. What cannot be written whole is not written at all,
  /// where the file allows that.
  Result<void> append(std::string_view data);

  /// What was written is of no use: a file that was not there before is removed again.
  void discard() { kept_ = false; }

  [[nodiscard]] const std::string &name() const { return name_; }
  [[nodiscard]] off_t size() const { return size_; } ///< of what was written
  [[nodiscard]] bool is_standard() const { return !file_.file.valid(); }

private:
  Output() = default;

  /// The error is that of the system.
  tl::expected<void, int> put(std::string_view data);

  OutputFile file_;
  std::string name_;
  Privacy privacy_ = Privacy::usual;
  bool begun_ = false;
  bool kept_ = false; ///< something was written
  off_t size_ = 0;
};

} // namespace awaitscope::tools
