#include "awaitscope/report/wait_kinds.hpp"

namespace awaitscope {

WaitKind WaitKinds::kind_of(const std::vector<Frame> &frames) {
  WaitKind kind = WaitKind::unknown;
  for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
    if (frame->kind != FrameKind::python || origins_.is_project(frame->code)) {
      break;
    }
    const std::optional<WaitPlace> &place = place_of(frame->code);
    if (place && (place->reach == WaitPlace::Reach::below || frame == frames.rbegin())) {
      kind = place->kind; // the outermost says what it is all for: a pool that waits in a queue
    }
  }
  return kind;
}

const std::optional<WaitPlace> &WaitKinds::place_of(CodeId code) {
  if (code >= places_.size()) {
    places_.resize(code + std::size_t{1});
  }
  Known &known = places_[code];
  if (!known.asked) {
    known = {true, wait_place(codes_.at(code))};
  }
  return known.place;
}

std::string_view name_of(WaitKind kind) {
  switch (kind) {
  case WaitKind::timer:
    return "timer";
  case WaitKind::socket:
    return "socket";
  case WaitKind::lock:
    return "lock or semaphore";
  case WaitKind::event:
    return "event or condition";
  case WaitKind::queue:
    return "queue";
  case WaitKind::task:
    return "task";
  case WaitKind::executor:
    return "executor";
  case WaitKind::pool:
    return "connection pool";
  case WaitKind::process:
    return "child process";
  case WaitKind::unknown:
    break;
  }
  return "future";
}

} // namespace awaitscope
