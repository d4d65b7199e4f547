#include "awaitscope/sampler/process_follower.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "awaitscope/sampler/python_search.hpp"
#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

// A child is met within a tenth of a second of its birth. Without children a change of program is all there is to see.
constexpr std::chrono::milliseconds k_look_for_children{100};
constexpr std::chrono::milliseconds k_look{250};
constexpr std::chrono::seconds k_longest_end{1};
constexpr unsigned k_thorough = 4; // one look in so many
// `env python`, a shell script, a slow start: how long a program may take to be a Python.
constexpr std::int64_t k_attach_patience_ns = 5 * k_ns_per_second;
constexpr std::size_t k_most_followed = 4096;
constexpr std::size_t k_most_lines = 20;
// What is no Python yet at the end of a recording may just not have had the time to become one.
constexpr std::int64_t k_worth_a_line_ns = k_ns_per_second / 2;

} // namespace

ProcessFollower::ProcessFollower(CodeTable &codes, Children children) : codes_(codes), children_(children) {}

ProcessFollower::~ProcessFollower() { stop(); }

void ProcessFollower::stop() {
  if (!thread_.joinable()) {
    return;
  }
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    stuck_ = !changed_.wait_for(lock, k_longest_end, [this] { return ended_; });
  }
  if (stuck_) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

ProcessFollower::Followed &ProcessFollower::follow(ThreadId pid) {
  Followed &followed = followed_[pid];
  if (Result<Process> process = Process::open(pid)) {
    followed.process.emplace(std::move(*process));
  }
  followed.image = image_identity(pid).value_or(ImageIdentity{});
  return followed;
}

void ProcessFollower::start(ThreadId first, ThreadId attached) {
  first_ = first;
  first_is_python_ = first == attached;
  follow(first).refused = !first_is_python_; // whoever named it has been informed
  follow(attached).attached = true;
  // It may end before the first scan, and leave children.
  expecting_ = children_ == Children::follow || !first_is_python_;
  thread_ = std::thread([this] { run(); });
}

std::vector<ProcessFollower::Event> ProcessFollower::take() {
  const std::lock_guard lock(mutex_);
  any_ = false;
  return std::exchange(events_, {});
}

void ProcessFollower::push(Event event) {
  const std::lock_guard lock(mutex_);
  events_.push_back(std::move(event));
  any_ = true;
}

std::vector<std::string> ProcessFollower::finish() {
  stop();
  if (stuck_) {
    return {};
  }
  for (const auto &[pid, followed] : followed_) {
    const bool waited_for = followed.replaced || monotonic_ns() - followed.since_ns > k_worth_a_line_ns;
    if (!followed.attached && !followed.refused && waited_for && !followed.why_not.empty()) {
      refuse(followed);
    }
  }
  if (refused_more_ > 0) {
    refusals_.push_back(fmt::format("and {} more programs that are not in the recording", refused_more_));
  }
  return std::exchange(refusals_, {});
}

void ProcessFollower::refuse(const Followed &followed) {
  if (refusals_.size() >= k_most_lines) {
    ++refused_more_;
    return;
  }
  refusals_.push_back(followed.replaced
                          ? "another program was executed, and is not in the recording: " + followed.why_not
                          : "not in the recording: " + followed.why_not);
}

/// Once for each version: a server's children are of one.
void ProcessFollower::warn_of(const Layout &layout) {
  const std::string warning = presumed_warning(layout);
  if (!warning.empty() && std::find(refusals_.begin(), refusals_.end(), warning) == refusals_.end()) {
    refusals_.push_back(warning);
  }
}

void ProcessFollower::run() {
  std::unique_lock lock(mutex_);
  const auto pause = children_ == Children::follow || !first_is_python_ ? k_look_for_children : k_look;
  while (!changed_.wait_for(lock, pause, [this] { return stopping_; })) {
    lock.unlock();
    look();
    lock.lock();
  }
  ended_ = true;
  changed_.notify_all();
}

void ProcessFollower::look() {
  if (children_ == Children::follow) {
    find_children();
  }
  bool expecting = false;
  for (auto entry = followed_.begin(); entry != followed_.end();) {
    Followed &followed = entry->second;
    if (visit(entry->first, followed) == Fate::gone) {
      // The others come and go by the hundred, as `git` and `sh` do.
      if (entry->first == first_ && followed.replaced && !followed.attached && !followed.refused) {
        refuse(followed);
      }
      entry = followed_.erase(entry);
      continue;
    }
    expecting = expecting || children_ == Children::follow || (!followed.attached && !followed.refused) ||
                (entry->first == first_ && !first_is_python_);
    ++entry;
  }
  if (children_ == Children::ignore && !first_is_python_) {
    find_next_python();
  }
  expecting_ = expecting;
}

/// Once the Python below the first process has ended, and unless that process has.
void ProcessFollower::find_next_python() {
  if (followed_.size() != 1 || !followed_.contains(first_)) {
    return;
  }
  PythonSearch search = find_pythons(first_, codes_);
  if (!search.found.empty()) {
    std::unique_ptr<Target> target = std::move(search.found.front());
    const ThreadId pid = target->process().pid();
    follow(pid).attached = true;
    warn_of(target->runtime().layout);
    push({pid, std::move(target)});
  }
}

void ProcessFollower::find_children() {
  std::vector<ThreadId> parents;
  for (const auto &[pid, followed] : followed_) {
    parents.push_back(pid);
  }
  for (std::size_t i = 0; i < parents.size(); ++i) {
    for (const ThreadId child : children_of(parents[i])) {
      if (followed_.size() < k_most_followed && followed_.try_emplace(child).second) {
        parents.push_back(child);
      }
    }
  }
}

ProcessFollower::Fate ProcessFollower::visit(ThreadId pid, Followed &followed) {
  const Fate fate = recognize(pid, followed);
  if (fate == Fate::gone && followed.attached) {
    push({pid, nullptr});
  }
  if (fate == Fate::lives && !followed.attached && !followed.refused) {
    try_to_attach(pid, followed);
  }
  return fate;
}

/// Whether it still is the same process, and which program that runs. A process that ended lends its PID to any other: that
/// is none of ours, unless it is found again as a child of one.
ProcessFollower::Fate ProcessFollower::recognize(ThreadId pid, Followed &followed) {
  if (!followed.process) {
    Result<Process> process = Process::open(pid);
    if (!process) {
      return process.error().status == ExitStatus::no_target ? Fate::gone : Fate::executing;
    }
    followed.process.emplace(std::move(*process));
  }
  const bool thorough = followed.looks++ % k_thorough == 0;
  UniqueFd stat; // of those that are not attached to there may be thousands
  std::optional<ImageIdentity> image =
      thorough ? image_identity(pid) : image_identity(pid, followed.image, followed.attached ? followed.stat : stat);
  if (!image && followed.process->alive()) {
    const Result<void> readable = followed.process->check_readable();
    if (readable || readable.error().status != ExitStatus::no_target) {
      return Fate::executing; // it could not be asked, which says nothing of it
    }
  }
  const std::uint64_t known_start = followed.image.start_time;
  // Where there is no pidfd, only the start time tells it from another process.
  if (!image || !followed.process->alive() || (known_start != 0 && image->start_time != known_start)) {
    return Fate::gone;
  }
  if (image->executing) {
    return Fate::executing; // which program it is, the next look tells
  }
  // It hides itself (PR_SET_DUMPABLE), which makes no other program of it: the sampler finds out.
  if (followed.attached && image->executable.empty()) {
    return Fate::executing;
  }
  if (*image != followed.image) {
    const bool was_attached = followed.attached;
    followed.image = std::move(*image);
    followed.attached = followed.refused = false;
    followed.replaced = followed.replaced || was_attached;
    followed.since_ns = monotonic_ns();
    followed.why_not.clear();
    if (was_attached) {
      expecting_ = true; // before the event is there: without it the recording may have nothing left to wait for
      push({pid, nullptr});
    }
  }
  return Fate::lives;
}

void ProcessFollower::try_to_attach(ThreadId pid, Followed &followed) {
  Result<Process> process = Process::open(pid);
  Result<std::unique_ptr<Target>> target =
      process ? Result<std::unique_ptr<Target>>(std::make_unique<Target>(std::move(*process), codes_))
              : tl::unexpected(process.error());
  const Result<void> attached = target ? (*target)->attach() : tl::unexpected(target.error());
  if (image_identity(pid) != followed.image || !followed.process->alive()) {
    return; // what was read may be of two programs: the next look tells
  }
  if (attached) {
    followed.attached = true;
    warn_of((*target)->runtime().layout);
    push({pid, std::move(*target)});
    return;
  }
  followed.why_not = attached.error().what;
  if (monotonic_ns() - followed.since_ns > k_attach_patience_ns) {
    followed.refused = true;
    refuse(followed);
  }
}

} // namespace awaitscope
