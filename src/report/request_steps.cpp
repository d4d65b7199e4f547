#include "awaitscope/report/request_steps.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace awaitscope {
namespace {

class Steps {
public:
  Steps(const RecordingReader &reader, std::uint32_t number)
      : tables_(reader.tables()), period_ns_(reader.info().period_ns()), number_(number), origins_(tables_.codes),
        parts_(tables_.codes), waits_([this](const TaskSpan &span) { add_wait(span); }) {}

  void add(const SampleRun &run) {
    if (tables_.requests[run.request].first != number_ || number_ == 0 || run.count == 0) {
      return;
    }
    RequestStep step = of_stack(run.stack);
    step.from_ns = run.first_ns;
    step.to_ns = run.last_ns + period_ns_; // until it may have been in another one
    step.state = run.state;
    step.thread = run.thread;
    step.samples = run.count;
    const auto last = last_of_thread_.find(run.thread);
    if (last != last_of_thread_.end() && goes_on(steps[last->second], step)) {
      steps[last->second].to_ns = step.to_ns;
      steps[last->second].samples += step.samples;
      return;
    }
    if (last != last_of_thread_.end()) {
      steps[last->second].to_ns = std::min(steps[last->second].to_ns, step.from_ns);
    }
    last_of_thread_[run.thread] = steps.size();
    steps.push_back(step);
  }

  void add(const RecordedTaskChange &change) {
    waits_.add(change);
    task_requests_.resize(std::max(task_requests_.size(), change.task + std::size_t{1}));
    task_requests_[change.task] = tables_.requests[change.request].first;
  }

  void finish(std::int64_t end_ns) { waits_.finish(end_ns); }

  std::vector<RequestStep> steps;

private:
  [[nodiscard]] bool goes_on(const RequestStep &before, const RequestStep &now) const {
    return before.own == now.own && before.leaf == now.leaf && before.state == now.state && before.part == now.part &&
           now.from_ns <= before.to_ns + period_ns_;
  }

  RequestStep of_stack(StackId stack) {
    const std::vector<Frame> frames = tables_.stacks.frames(stack);
    RequestStep step;
    step.part = parts_.part_of(frames);
    for (auto frame = frames.rbegin(); frame != frames.rend() && !step.own; ++frame) {
      if (frame->kind == FrameKind::python) {
        step.leaf = step.leaf ? step.leaf : std::optional(frame->code);
        step.own = origins_.is_project(frame->code) ? std::optional(frame->code) : std::nullopt;
      }
    }
    return step;
  }

  void add_wait(const TaskSpan &span) {
    if (span.state != TaskState::waiting || span.task >= task_requests_.size() ||
        task_requests_[span.task] != number_ || number_ == 0) {
      return;
    }
    RequestStep step = of_stack(span.stack);
    step.from_ns = span.from_ns;
    step.to_ns = span.to_ns;
    step.suspended = true;
    step.task = span.task;
    steps.push_back(step);
  }

  const RecordingTables &tables_;
  std::int64_t period_ns_;
  std::uint32_t number_;
  CodeOrigins origins_;
  RequestParts parts_;
  TaskSpans waits_;
  std::vector<std::uint32_t> task_requests_; ///< by task
  std::unordered_map<std::uint32_t, std::size_t> last_of_thread_;
};

} // namespace

Result<RequestHistory> read_request_history(RecordingReader &reader, const RequestSpan &span) {
  Steps steps(reader, span.number);
  std::int64_t last_ns = 0;
  const Result<void> read = reader.each_block([&]() -> Result<void> {
    for (const SampleRun &run : reader.samples()) {
      last_ns = std::max(last_ns, run.last_ns);
      steps.add(run);
    }
    for (const RecordedTaskChange &change : reader.task_changes()) {
      steps.add(change);
    }
    return {};
  });
  if (!read) {
    return tl::unexpected(read.error());
  }
  steps.finish(std::max(last_ns, reader.totals().elapsed_ns));
  const RecordingTables &tables = reader.tables();
  const RecordedRequest &request = tables.requests[span.last];
  RequestHistory history{span,
                         tables.texts[request.method],
                         tables.texts[request.route],
                         tables.texts[request.view],
                         tables.texts[request.path],
                         tables.texts[request.id],
                         std::move(steps.steps)};
  std::stable_sort(history.steps.begin(), history.steps.end(), [](const RequestStep &a, const RequestStep &b) {
    return std::tuple(a.from_ns, a.to_ns) < std::tuple(b.from_ns, b.to_ns);
  });
  if (!span.timed && !history.steps.empty()) {
    history.span.from_ns = history.steps.front().from_ns;
    for (const RequestStep &step : history.steps) {
      history.span.to_ns = std::max(history.span.to_ns, step.to_ns);
    }
  }
  return history;
}

} // namespace awaitscope
