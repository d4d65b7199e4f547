#include "awaitscope/sampler/process_follower.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

// A child is met within a tenth of a second of its birth. Without children a change of program is all there is to see.
constexpr std::chrono::milliseconds k_look_for_children{100};
constexpr std::chrono::milliseconds k_look{250};
// `env python`, a shell script, a slow start: how long a program may take to be a Python.
constexpr std::int64_t k_patience_ns = 5 * k_ns_per_second;
constexpr std::size_t k_most_followed = 4096;

} // namespace

ProcessFollower::ProcessFollower(CodeTable &codes, Children children) : codes_(codes), children_(children) {}

ProcessFollower::~ProcessFollower() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void ProcessFollower::start(ThreadId pid) {
  Followed &first = followed_[pid];
  first.image = image_identity(pid).value_or(ImageIdentity{});
  first.attached = true;
  thread_ = std::thread([this] { run(); });
}

std::vector<ProcessFollower::Event> ProcessFollower::take() {
  const std::lock_guard lock(mutex_);
  any_ = false;
  return std::exchange(events_, {});
}

std::vector<std::string> ProcessFollower::refusals() {
  const std::lock_guard lock(mutex_);
  return std::exchange(refusals_, {});
}

void ProcessFollower::run() {
  std::unique_lock lock(mutex_);
  const auto pause = children_ == Children::follow ? k_look_for_children : k_look;
  while (!changed_.wait_for(lock, pause, [this] { return stopping_; })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

void ProcessFollower::look() {
  if (children_ == Children::follow) {
    find_children();
  }
  bool expecting = false;
  for (auto entry = followed_.begin(); entry != followed_.end();) {
    visit(entry->first, entry->second);
    const bool gone = entry->second.image.start_time == 0;
    expecting = expecting || (!gone && !entry->second.attached && !entry->second.refused) ||
                (!gone && children_ == Children::follow);
    entry = gone ? followed_.erase(entry) : std::next(entry);
  }
  expecting_ = expecting;
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

/// Attaches if it is a program that was not attached to before. A process that has ended has start_time 0 afterwards.
void ProcessFollower::visit(ThreadId pid, Followed &followed) {
  const std::optional<ImageIdentity> image = image_identity(pid);
  if (!image) {
    followed.image = {};
    return;
  }
  if (*image != followed.image) {
    const bool was_attached = followed.attached;
    followed = {*image, false, false, monotonic_ns()};
    if (was_attached) {
      const std::lock_guard lock(mutex_);
      events_.push_back({pid, nullptr});
      any_ = true;
    }
  }
  if (followed.attached || followed.refused) {
    return;
  }
  Result<Process> process = Process::open(pid);
  Result<std::unique_ptr<Target>> target =
      process ? Result<std::unique_ptr<Target>>(std::make_unique<Target>(std::move(*process), codes_))
              : tl::unexpected(process.error());
  const Result<void> attached = target ? (*target)->attach() : tl::unexpected(target.error());
  const std::lock_guard lock(mutex_);
  if (attached && image_identity(pid) == image) {
    followed.attached = true;
    events_.push_back({pid, std::move(*target)});
    any_ = true;
  } else if (!attached && monotonic_ns() - followed.since_ns > k_patience_ns) {
    followed.refused = true;
    refusals_.push_back(
        fmt::format("process {} ({}) is not in the recording: {}", pid, image->executable, attached.error().what));
  }
}

} // namespace awaitscope
