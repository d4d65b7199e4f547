#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "awaitscope/model/sample.hpp"
#include "awaitscope/sampler/process_follower.hpp"
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
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine &) = delete;
  ProgressLine &operator=(const ProgressLine &) = delete;

  void show(const SamplingTotals &totals, std::uint64_t samples);
  void clear();

private:
  bool terminal_;
  bool shown_ = false;
};

/// What a recording holds, for its summary.
struct Recorded {
  std::uint64_t samples = 0; ///< as views count them: one counts for the ticks that it stands for
  double rate_hz = 0;
  std::string engine; ///< that was in use at the end
  Children children = Children::ignore;
};

/// What is wrong if a recording has no sample; none if it has some, or there was nothing to sample.
std::optional<Error> why_no_sample(const SamplingTotals &totals);

/// The last line of a recording: samples, what was lost and why, how long the target was held up; of how many processes, if
/// there could be several.
std::string summary(const SamplingTotals &totals, const Recorded &recorded);

} // namespace awaitscope::tools
