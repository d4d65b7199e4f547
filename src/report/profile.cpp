#include "awaitscope/report/profile.hpp"

namespace awaitscope {
namespace {

std::string root_of(const Recording &recording, const Recording::Key &key, const std::vector<Frame> &frames,
                    const ProfileOptions &options) {
  if (!key.in_task) {
    const std::string &name = recording.text(key.thread_name);
    return "thread " + (name.empty() ? std::string("?") : name);
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
