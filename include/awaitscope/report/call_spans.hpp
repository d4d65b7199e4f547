#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "awaitscope/report/file_origin.hpp"
#include "awaitscope/report/wait_kinds.hpp"
#include "awaitscope/report/waits.hpp"

namespace awaitscope {

/// Time for which something awaited.
struct AwaitedTime {
  CodeId code = 0; ///< the innermost coroutine
  WaitKind kind = WaitKind::unknown;
  std::uint64_t ns = 0;
  bool operator==(const AwaitedTime &) const = default;
};

/// One call of a coroutine (or of what it awaits): from when it was first in its task's stack to when it was last.
struct CallSpan {
  CodeId code = 0;
  std::int64_t from_ns = 0;
  std::int64_t to_ns = 0;
  std::int64_t first_seen_ns = 0; ///< as of a TaskSpan
  std::int64_t last_seen_ns = 0;
  std::uint64_t await_ns = 0;        ///< its task was suspended
  bool begun = true;                 ///< its beginning was seen
  bool ended = true;                 ///< its end was seen
  bool entry = false;                ///< of the project's code, and called by none of it, as far as its stack goes
  std::vector<AwaitedTime> await_on; ///< below it in the same task. Of the innermost one itself: nothing.
};

/// Turns the spans of tasks into those of calls. A frame goes on as the same call while its task's stack is the same up to and
/// with it (executing lines aside), unless a change says that it is a new call.
class CallSpans {
public:
  /// `task` is its number.
  using Visit = std::function<void(std::uint32_t task, const CallSpan &call)>;

  CallSpans(const RecordingTables &tables, Visit visit)
      : tables_(tables), origins_(tables.codes), kinds_(tables.codes), visit_(std::move(visit)) {}

  /// Spans of one task in the order of time; of several tasks mixed as they come.
  void add(const TaskSpan &span);

  /// The recording's end, behind that of TaskSpans.
  void finish();

private:
  using Calls = std::vector<CallSpan>; // of one task, outermost first

  void close(Calls &calls, std::size_t from, bool ended);

  const RecordingTables &tables_;
  CodeOrigins origins_;
  WaitKinds kinds_;
  Visit visit_;
  std::vector<Calls> tasks_; ///< by number
};

} // namespace awaitscope
