#include "awaitscope/report/profile.hpp"

#include <cstddef>
#include <string_view>

namespace awaitscope {
namespace {

/// The digits in front of `text`.
std::size_t count_digits(std::string_view text) {
  const std::size_t end = text.find_first_not_of("0123456789");
  return end == std::string_view::npos ? text.size() : end;
}

/// Takes `prefix` and a number off the front of the text; false, and the text unchanged, if they are not there.
bool take_numbered(std::string_view &text, std::string_view prefix) {
  const std::size_t digits = text.substr(0, prefix.size()) == prefix ? count_digits(text.substr(prefix.size())) : 0;
  if (digits == 0) {
    return false;
  }
  text.remove_prefix(prefix.size() + digits);
  return true;
}

std::string root_of(const Recording &recording, const Recording::Key &key, const std::vector<Frame> &frames,
                    const ProfileOptions &options) {
  if (!key.in_task) {
    const std::string &name = recording.text(key.thread_name);
    return "thread " + (name.empty() ? std::string("?") : lasting_thread_name(name));
  }
  const std::string &given = recording.text(key.task_name);
  if (options.task_names && !given.empty()) {
    return "task " + given;
  }
  for (const Frame &frame : frames) {
    if (frame.kind == FrameKind::task_border) {
      return "task " + recording.codes.at(frame.code).function;
    }
  }
  return "task ?";
}

/// The root's own border says no more than the root does.
std::vector<Frame> shown(const std::vector<Frame> &frames, const ProfileOptions &options) {
  std::vector<Frame> kept;
  kept.reserve(frames.size());
  bool root_seen = false;
  for (const Frame &frame : frames) {
    if (frame.kind == FrameKind::loop && !options.loop_frames) {
      continue;
    }
    if (frame.kind == FrameKind::task_border) {
      const bool is_root = !root_seen;
      root_seen = true;
      if (is_root || !options.task_frames) {
        continue;
      }
    }
    kept.push_back(frame);
  }
  return kept;
}

} // namespace

std::string lasting_thread_name(const std::string &name) {
  // Lib/concurrent/futures/thread.py, Lib/asyncio/base_events.py and Lib/threading.py, in this order.
  std::string_view rest = name;
  if (take_numbered(rest, "ThreadPoolExecutor-") && take_numbered(rest, "_") && rest.empty()) {
    return "ThreadPoolExecutor";
  }
  rest = name;
  if (take_numbered(rest, "asyncio_") && rest.empty()) {
    return "asyncio";
  }
  rest = name;
  if (take_numbered(rest, "Thread-") && (rest.empty() || rest.substr(0, 2) == " (")) {
    return "Thread" + std::string(rest);
  }
  return name;
}

std::vector<WeightedStack> wall_profile(const Recording &recording, const ProfileOptions &options) {
  std::vector<WeightedStack> profile;
  for (const auto &[key, count] : recording.counts()) {
    if (key.state == ThreadState::idle && !options.idle) {
      continue;
    }
    const std::vector<Frame> frames = recording.stacks.frames(key.stack);
    profile.push_back({root_of(recording, key, frames, options), shown(frames, options), count});
  }
  return profile;
}

} // namespace awaitscope
