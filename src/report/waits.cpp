#include "awaitscope/report/waits.hpp"

#include <algorithm>

namespace awaitscope {

void TaskSpans::add(const RecordedTaskChange &change) {
  if (change.task >= open_.size()) {
    open_.resize(change.task + std::size_t{1});
  }
  const bool known_since = change.before_ns >= 0;
  const std::int64_t moment = known_since ? change.before_ns + (change.at_ns - change.before_ns) / 2 : change.at_ns;
  Open &open = open_[change.task];
  const bool continues = open.active;
  if (continues) {
    open.span.to_ns = std::max(open.span.from_ns, moment);
    open.span.last_seen_ns = known_since ? change.before_ns : change.at_ns;
    open.span.ended = known_since;
    open.span.task_ended = change.state == TaskState::done;
    visit(open);
  }
  const std::int64_t from = continues ? open.span.to_ns : moment;
  open.active = change.state != TaskState::done;
  open.left_out = change.left_out;
  open.span = {change.task,     change.stack, change.state,       from,        from, change.at_ns, change.at_ns,
               change.new_from, change.root,  change.root_thread, known_since, true, false};
}

void TaskSpans::finish(std::int64_t end_ns) {
  for (Open &open : open_) {
    if (open.active) {
      open.span.to_ns = std::max(open.span.from_ns, end_ns);
      open.span.last_seen_ns = open.span.to_ns;
      open.span.ended = false;
      visit(open);
      open.active = false;
    }
  }
}

} // namespace awaitscope
