#include "awaitscope/process/thread_stop.hpp"

#include <algorithm>
#include <ctime>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "awaitscope/process/proc_fs.hpp"
#include "awaitscope/process/process.hpp"
#include "awaitscope/support/clock.hpp"
#include "traced_thread.hpp"

namespace awaitscope {
namespace {

/// The pauses between two questions whether a thread has stopped: most do within microseconds, and wait(2) knows no time limit.
class Pauses {
public:
  void pause() {
    constexpr std::int64_t k_spin_ns = 20'000; // of one that runs on another CPU
    constexpr long k_longest_ns = 1'000'000;
    if (monotonic_ns() - began_ns_ < k_spin_ns) {
      return;
    }
    const timespec length{0, next_ns_};
    ::nanosleep(&length, nullptr);
    next_ns_ = std::min(next_ns_ * 2, k_longest_ns);
  }

private:
  std::int64_t began_ns_ = monotonic_ns();
  long next_ns_ = 10'000; // it may be waiting for this CPU
};

std::chrono::milliseconds with_answer(std::chrono::nanoseconds longest) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(longest) + Tracer::k_longest;
}

Error traced_error(ThreadId pid, ThreadId tracer) {
  std::string name = read_file(fmt::format("/proc/{}/comm", tracer)).value_or("");
  name.resize(name.find_last_not_of('\n') + 1);
  return {ExitStatus::failed,
          fmt::format("process {} cannot be stopped: {} (PID {}) is tracing it", pid,
                      name.empty() ? "another process" : name, tracer),
          "end that one, or read the process without stopping it: --engine preempt"};
}

} // namespace

Error cannot_stop(ThreadId pid, const StopFailure &failure) {
  switch (failure.reason) {
  case StopFailure::Reason::ended:
    break;
  case StopFailure::Reason::late:
    return {
        ExitStatus::failed,
        fmt::format("thread {} of process {} did not stop: it waits for a disk or a child that nothing interrupts, or "
                    "it gets no CPU",
                    failure.tid, pid),
        "try again, or read the process without stopping it: --engine preempt"};
  case StopFailure::Reason::traced:
    return traced_error(pid, failure.tracer);
  case StopFailure::Reason::denied: {
    Error error = denied_error(pid);
    error.what = fmt::format("not permitted to stop process {}", pid);
    return error;
  }
  case StopFailure::Reason::no_tracer:
    return {ExitStatus::failed, fmt::format("process {} cannot be stopped: no thread can be started to do it", pid),
            "allow more threads (ulimit -u, TasksMax= of systemd), or use --engine preempt"};
  }
  return no_such_process(pid);
}

struct ThreadStop::Attempt {
  TracedThread thread;
  std::optional<StopFailure> failure;
  std::int64_t stopped_ns = 0; ///< when it was seen to have stopped
  bool expired = false;        ///< it was released since it took too long

  /// In the tracer's thread.
  void run(ThreadId tid, std::chrono::nanoseconds longest) {
    const std::int64_t deadline = monotonic_ns() + longest.count();
    failure = thread.interrupt();
    for (Pauses pauses; !failure; pauses.pause()) {
      const TracedThread::State state = thread.poll();
      stopped_ns = monotonic_ns();
      if (state == TracedThread::State::stopped) {
        return;
      }
      if (state == TracedThread::State::ended) {
        failure = {StopFailure::Reason::ended, tid, 0};
      } else if (stopped_ns > deadline) {
        failure = {StopFailure::Reason::late, tid, 0};
      }
    }
  }

  /// It took too long. As what Tracer::unless_soon() takes.
  bool expire() {
    expired = true;
    return thread.release();
  }
};

tl::expected<ThreadStop, StopFailure> ThreadStop::stop(Tracer &tracer, ThreadId pid, ThreadId tid,
                                                       const StopLimits &limits) {
  const auto attempt = std::make_shared<Attempt>(Attempt{TracedThread(pid, tid), std::nullopt, 0, false});
  const std::chrono::nanoseconds longest = limits.until_stopped;
  if (!tracer.run([attempt, tid, longest] { attempt->run(tid, longest); }, with_answer(longest))) {
    return tl::unexpected(StopFailure{StopFailure::Reason::no_tracer, tid, 0});
  }
  if (attempt->failure) {
    if (attempt->thread.seized()) {
      tracer.abandon();
    }
    return tl::unexpected(*attempt->failure);
  }
  tracer.unless_soon([attempt] { return attempt->expire(); }, limits.held);
  return ThreadStop(tracer, attempt);
}

ThreadStop::ThreadStop(Tracer &tracer, std::shared_ptr<Attempt> attempt)
    : tracer_(&tracer), attempt_(std::move(attempt)) {}

ThreadStop::ThreadStop(ThreadStop &&other) noexcept
    : tracer_(other.tracer_), attempt_(std::exchange(other.attempt_, nullptr)), released_(other.released_) {}

ThreadStop &ThreadStop::operator=(ThreadStop &&other) noexcept {
  std::swap(tracer_, other.tracer_);
  std::swap(attempt_, other.attempt_);
  std::swap(released_, other.released_);
  return *this;
}

ThreadStop::~ThreadStop() { release(); }

std::optional<std::chrono::nanoseconds> ThreadStop::release() {
  if (!attempt_ || std::exchange(released_, true)) {
    return std::nullopt;
  }
  const bool answered = tracer_->run([attempt = attempt_] { attempt->thread.release(); });
  if (!answered || attempt_->expired) {
    return std::nullopt;
  }
  if (attempt_->thread.seized()) { // it was killed
    tracer_->abandon();
  }
  return std::chrono::nanoseconds(monotonic_ns() - attempt_->stopped_ns);
}

const std::optional<user_regs_struct> &ThreadStop::registers() const { return attempt_->thread.registers(); }

/// What the tracer's thread does. Nobody else uses it while that is at work.
class ProcessStop::Group {
public:
  explicit Group(ThreadId pid) : pid_(pid) {}

  void stop(std::chrono::nanoseconds longest);
  void release();
  /// It took too long. As what Tracer::unless_soon() takes.
  bool expire();

  [[nodiscard]] std::int64_t began_ns() const { return began_ns_; }
  [[nodiscard]] bool expired() const { return expired_; }
  [[nodiscard]] const std::optional<StopFailure> &failure() const { return failure_; }
  [[nodiscard]] std::size_t threads() const { return threads_.size(); }
  [[nodiscard]] std::optional<user_regs_struct> registers(ThreadId tid) const;
  /// Is there any that only the end of the tracer's thread releases?
  [[nodiscard]] bool left() const {
    return std::any_of(threads_.begin(), threads_.end(), [](const TracedThread &thread) { return thread.seized(); });
  }

private:
  static constexpr std::size_t k_most_threads = 65'536;
  static constexpr std::int64_t k_settling_ns = 5'000'000; // without one more that has stopped

  std::size_t interrupt_new();
  void wait_for_all();
  [[nodiscard]] bool is_late() const { return monotonic_ns() > deadline_ns_; }
  void fail_with(StopFailure::Reason reason, ThreadId tid) { failure_ = {reason, tid, 0}; }

  ThreadId pid_;
  std::vector<TracedThread> threads_;
  std::unordered_set<ThreadId> known_; ///< these, and those that have ended
  std::optional<StopFailure> failure_;
  std::int64_t began_ns_ = 0;
  std::int64_t deadline_ns_ = 0;
  bool expired_ = false;
};

void ProcessStop::Group::stop(std::chrono::nanoseconds longest) {
  began_ns_ = monotonic_ns();
  deadline_ns_ = began_ns_ + longest.count();
  while (interrupt_new() > 0 && !failure_) {
    wait_for_all();
  }
  if (!failure_ && threads_.empty()) {
    fail_with(StopFailure::Reason::ended, pid_);
  }
}

/// Those of the list that are not known yet. How many.
std::size_t ProcessStop::Group::interrupt_new() {
  std::size_t count = 0;
  for (const ThreadId tid : list_ids(fmt::format("/proc/{}/task", pid_))) {
    if (!known_.insert(tid).second) {
      continue;
    }
    TracedThread thread(pid_, tid);
    const std::optional<StopFailure> failure = thread.interrupt();
    if (!failure) {
      ++count;
    } else if (failure->reason != StopFailure::Reason::ended) {
      failure_ = failure;
    }
    if (thread.seized()) {
      threads_.push_back(thread);
    }
    if (!failure_ && (is_late() || known_.size() > k_most_threads)) {
      fail_with(StopFailure::Reason::late, tid);
    }
    if (failure_) {
      return 0;
    }
  }
  return count;
}

void ProcessStop::Group::wait_for_all() {
  std::vector<TracedThread *> running;
  for (TracedThread &thread : threads_) {
    running.push_back(&thread);
  }
  std::int64_t progress_ns = monotonic_ns();
  for (Pauses pauses;; pauses.pause()) {
    const std::size_t stopped =
        std::erase_if(running, [](TracedThread *thread) { return thread->poll() != TracedThread::State::running; });
    if (running.empty()) {
      return;
    }
    const std::int64_t now = monotonic_ns();
    progress_ns = stopped > 0 ? now : progress_ns;
    const bool settled = now - progress_ns > k_settling_ns;
    if (settled && std::all_of(running.begin(), running.end(),
                               [](const TracedThread *thread) { return thread->uninterruptible(); })) {
      return;
    }
    if (is_late()) {
      fail_with(StopFailure::Reason::late, running.front()->tid());
      return;
    }
  }
}

void ProcessStop::Group::release() {
  for (TracedThread &thread : threads_) {
    thread.release();
  }
}

bool ProcessStop::Group::expire() {
  expired_ = true;
  release();
  return !left();
}

std::optional<user_regs_struct> ProcessStop::Group::registers(ThreadId tid) const {
  const auto found =
      std::find_if(threads_.begin(), threads_.end(), [&](const TracedThread &thread) { return thread.tid() == tid; });
  return found == threads_.end() ? std::nullopt : found->registers();
}

tl::expected<ProcessStop, StopFailure> ProcessStop::stop(Tracer &tracer, ThreadId pid, const StopLimits &limits) {
  const auto group = std::make_shared<Group>(pid);
  const std::chrono::nanoseconds longest = limits.until_stopped;
  if (!tracer.run([group, longest] { group->stop(longest); }, with_answer(longest))) {
    return tl::unexpected(StopFailure{StopFailure::Reason::no_tracer, pid, 0});
  }
  if (group->failure()) {
    if (group->left()) {
      tracer.abandon();
    }
    return tl::unexpected(*group->failure());
  }
  tracer.unless_soon([group] { return group->expire(); }, limits.held);
  return ProcessStop(tracer, group);
}

ProcessStop::ProcessStop(Tracer &tracer, std::shared_ptr<Group> group) : tracer_(&tracer), group_(std::move(group)) {}

ProcessStop::ProcessStop(ProcessStop &&other) noexcept
    : tracer_(other.tracer_), group_(std::exchange(other.group_, nullptr)), released_(other.released_) {}

ProcessStop &ProcessStop::operator=(ProcessStop &&other) noexcept {
  std::swap(tracer_, other.tracer_);
  std::swap(group_, other.group_);
  std::swap(released_, other.released_);
  return *this;
}

ProcessStop::~ProcessStop() { release(); }

std::optional<std::chrono::nanoseconds> ProcessStop::release() {
  if (!group_ || std::exchange(released_, true)) {
    return std::nullopt;
  }
  const bool answered = tracer_->run([group = group_] { group->release(); });
  if (!answered || group_->expired()) {
    return std::nullopt;
  }
  if (group_->left()) { // what has been killed, or sleeps uninterruptibly
    tracer_->abandon();
  }
  return std::chrono::nanoseconds(monotonic_ns() - group_->began_ns());
}

std::size_t ProcessStop::threads() const { return group_->threads(); }

std::optional<user_regs_struct> ProcessStop::registers(ThreadId tid) const { return group_->registers(tid); }

} // namespace awaitscope
