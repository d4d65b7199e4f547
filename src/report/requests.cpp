#include "awaitscope/report/requests.hpp"

#include <algorithm>

namespace awaitscope {
namespace {

/// Part of a request, as one thread or task has shown it.
void merge(RequestSpan &span, const RequestSpan &part) {
  if (!span.timed || part.from_ns < span.from_ns) {
    span.from_ns = part.from_ns;
    span.first_seen_ns = part.first_seen_ns;
    span.begun = part.begun;
  }
  if (!span.timed || part.to_ns > span.to_ns) {
    span.to_ns = part.to_ns;
    span.last_seen_ns = part.last_seen_ns;
    span.ended = part.ended;
  }
  span.timed = true;
}

} // namespace

std::optional<Length> RequestSpan::length() const {
  if (!timed) {
    return std::nullopt;
  }
  const Length length = seen_length(*this);
  return begun ? length : Length{length.ns, Length::Is::longer};
}

RequestSpan &RequestSpans::span_of(std::uint32_t row) {
  const RecordedRequest &request = tables_.requests[row];
  requests_.spans.resize(std::max(requests_.spans.size(), tables_.requests.size()));
  RequestSpan &span = requests_.spans[request.first];
  span.seen = true;
  span.number = request.first;
  span.last = std::max(span.last, row);
  requests_.any_in_tasks = requests_.any_in_tasks || request.in_task;
  return span;
}

/// The thread was read at that time, and not in the request that it was in.
void RequestSpans::leave(Thread &thread, std::int64_t next_ns) {
  if (thread.request == 0) {
    return;
  }
  RequestSpan &span = requests_.spans[thread.request];
  next_ns = std::min(next_ns, thread.last_ns + period_ns_); // it was found to wait for work before that
  span.to_ns = std::max(span.to_ns, thread.last_ns + (next_ns - thread.last_ns) / 2);
  span.ended = true;
  thread.request = 0;
}

void RequestSpans::add(const SampleRun &run) {
  threads_.resize(std::max(threads_.size(), run.thread + std::size_t{1}));
  Thread &thread = threads_[run.thread];
  if (run.count == 0) {
    return; // the account at the end
  }
  const bool of_thread = run.request != 0 && !tables_.requests[run.request].in_task;
  const std::uint32_t first = tables_.requests[run.request].first;
  if (thread.request != 0 && thread.request != first) {
    leave(thread, run.first_ns);
  }
  const std::int64_t period_before = std::max<std::int64_t>(0, run.first_ns - period_ns_);
  const std::int64_t before_ns =
      run.calls.before_ns >= 0 ? run.calls.before_ns : std::max(thread.last_ns, period_before);
  const bool known_before = run.calls.before_ns >= 0 || thread.last_ns >= 0;
  if (run.request != 0 && !run.left_out) {
    RequestSpan &span = span_of(run.request);
    if (of_thread) {
      RequestSpan part;
      part.from_ns = known_before ? run.first_ns - (run.first_ns - before_ns) / 2 : run.first_ns;
      part.begun = known_before;
      part.first_seen_ns = run.first_ns;
      part.last_seen_ns = part.to_ns = run.last_ns;
      part.ended = false; // until it is left
      merge(span, part);
      thread.request = first;
    }
  }
  thread.last_ns = run.last_ns;
}

void RequestSpans::add_span(const TaskSpan &span) {
  const std::uint32_t row = span.task < task_requests_.size() ? task_requests_[span.task] : 0;
  if (row == 0) {
    return;
  }
  RequestSpan part;
  part.from_ns = span.from_ns;
  part.to_ns = span.to_ns;
  part.first_seen_ns = span.first_seen_ns;
  part.last_seen_ns = span.last_seen_ns;
  part.begun = span.begun;
  part.ended = span.ended;
  merge(span_of(row), part);
}

void RequestSpans::add(const RecordedTaskChange &change) {
  ++requests_.task_changes;
  tasks_.add(change); // which ends the span before
  task_requests_.resize(std::max(task_requests_.size(), change.task + std::size_t{1}));
  task_requests_[change.task] = change.left_out ? 0 : change.request;
}

Requests RequestSpans::finish(std::int64_t end_ns) {
  tasks_.finish(end_ns);
  for (Thread &thread : threads_) {
    if (end_ns - thread.last_ns > 2 * period_ns_) {
      leave(thread, end_ns);
    }
  }
  return std::move(requests_);
}

Result<Requests> read_requests(RecordingReader &reader) {
  RequestSpans spans(reader.tables(), reader.info().period_ns());
  std::int64_t last_ns = 0;
  const Result<void> read = reader.each_block([&]() -> Result<void> {
    for (const SampleRun &run : reader.samples()) {
      last_ns = std::max(last_ns, run.last_ns);
      spans.add(run);
    }
    for (const RecordedTaskChange &change : reader.task_changes()) {
      spans.add(change);
    }
    return {};
  });
  if (!read) {
    return tl::unexpected(read.error());
  }
  return spans.finish(std::max(last_ns, reader.totals().elapsed_ns));
}

} // namespace awaitscope
