#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "awaitscope/model/sample.hpp"
#include "awaitscope/support/error.hpp"

namespace awaitscope::tools {

// Everything for people goes to stderr.

/// "awaitscope: TEXT", one line.
void say(std::string_view text);

/// One line of cause, one of remedy.
void say_error(const Error &error);

/// The line that is rewritten while a recording runs; nothing unless stderr is a terminal.
class ProgressLine {
public:
  /// With the time that the recording is to take, if it is known.
  explicit ProgressLine(std::optional<std::int64_t> duration_ns);
  ~ProgressLine();
  ProgressLine(const ProgressLine &) = delete;
  ProgressLine &operator=(const ProgressLine &) = delete;

  void show(std::int64_t elapsed_ns, std::uint64_t samples, double lost_percent);
  void clear();

private:
  std::optional<std::int64_t> duration_ns_;
  bool terminal_;
  bool shown_ = false;
};

/// What is wrong if a recording has no sample; none if it has some, or there was nothing to sample.
std::optional<Error> why_no_sample(const SamplingTotals &totals);

} // namespace awaitscope::tools
