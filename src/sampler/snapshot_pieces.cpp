#include "snapshot_pieces.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <span>

#include "awaitscope/support/clock.hpp"
#include "snapshot_attempt.hpp"

namespace awaitscope {
namespace {

constexpr std::int64_t k_pieces_patience_ns = 10 * k_ns_per_second;
constexpr int k_attempts = 8;
constexpr std::size_t k_piece = 64; // as TaskWatcher: read in half a millisecond
constexpr std::size_t k_heads = 4096;

class PieceReader {
public:
  PieceReader(Target &target, Engine &engine, ProcessSnapshot &snapshot)
      : target_(target), attempt_(target, engine), snapshot_(snapshot),
        deadline_(monotonic_ns() + k_pieces_patience_ns) {}

  void read_threads();
  void read_tasks();

private:
  using Part = SnapshotAttempt::Part;

  [[nodiscard]] bool late() const { return monotonic_ns() > deadline_; }
  Part *part_of(Address loop);
  std::vector<Address> find_places();
  std::map<Address, std::vector<Address>> by_loop(const std::vector<Address> &places);
  void read_piece(Part *part, std::span<const Address> places);
  void look(Part *part, std::span<const Address> places, std::vector<TaskSnapshot> &found);
  void add_calls(Part &part, std::vector<TaskSnapshot> &found);
  void take(std::vector<TaskSnapshot> &found);

  Target &target_;
  SnapshotAttempt attempt_;
  ProcessSnapshot &snapshot_;
  std::int64_t deadline_;
  std::size_t frames_ = 0;
};

void PieceReader::read_threads() {
  snapshot_.threads.clear();
  for (Part &part : attempt_.parts()) {
    CaptureStatus status = CaptureStatus::moved;
    for (int i = 0; i < k_attempts && status == CaptureStatus::moved && !late(); ++i) {
      status = attempt_.read(part, nullptr);
    }
    if (status != CaptureStatus::captured) {
      part.result.frames.assign(1, k_unreadable_frame);
    }
    if (status == CaptureStatus::ended) {
      part.result.tid = 0;
    }
  }
  // What works for tasks is found from their futures, which are of a loop.
  const auto loop = std::find_if(attempt_.parts().begin(), attempt_.parts().end(),
                                 [](const Part &part) { return part.result.loop != 0; });
  if (loop != attempt_.parts().end()) {
    attempt_.read(*loop->thread, [this] { attempt_.find_worked_for(); });
  }
  for (const Part &part : attempt_.parts()) {
    if (part.result.tid != 0) {
      snapshot_.threads.push_back(part.result);
    }
  }
}

PieceReader::Part *PieceReader::part_of(Address loop) {
  const auto found = std::find_if(attempt_.parts().begin(), attempt_.parts().end(),
                                  [&](const Part &part) { return loop != 0 && part.result.loop == loop; });
  return found == attempt_.parts().end() ? nullptr : &*found;
}

/// All that several readings of the lists have found: while one is read, they may change.
std::vector<Address> PieceReader::find_places() {
  constexpr int k_readings = 4;
  std::vector<Address> all;
  for (int i = 0; i < k_readings && !late(); ++i) {
    target_.memory().begin();
    const std::vector<Address> found = target_.tasks().places().tasks;
    std::vector<Address> both;
    std::set_union(all.begin(), all.end(), found.begin(), found.end(), std::back_inserter(both));
    all = std::move(both);
  }
  return all;
}

std::map<Address, std::vector<Address>> PieceReader::by_loop(const std::vector<Address> &places) {
  std::map<Address, std::vector<Address>> groups;
  for (std::span<const Address> rest = places; !rest.empty();) {
    const std::span<const Address> some = rest.first(std::min(k_heads, rest.size()));
    target_.memory().begin(SnapshotMemory::Prefetch::nothing);
    target_.tasks().prefetch_heads(some);
    for (const Address place : some) {
      FutureReader &futures = target_.tasks().futures();
      groups[futures.is_task(place) ? futures.loop(place) : 0].push_back(place);
    }
    rest = rest.subspan(some.size());
  }
  return groups;
}

/// The running ones go on through what their thread is in.
void PieceReader::add_calls(Part &part, std::vector<TaskSnapshot> &found) {
  std::unordered_set<Address> coroutine_frames;
  for (const TaskSnapshot &task : found) {
    if (task.coroutine_frame != 0 && task.state == TaskState::running) {
      coroutine_frames.insert(task.coroutine_frame);
    }
  }
  if (coroutine_frames.empty()) {
    return;
  }
  PythonStack stack;
  target_.stacks().read(part.thread->entry.state, stack);
  const Between between = calls_between(target_, stack);
  for (TaskSnapshot &task : found) {
    std::vector<Frame> frames;
    if (coroutine_frames.contains(task.coroutine_frame)) {
      frames = frames_from(stack, between, task.coroutine_frame, coroutine_frames);
    }
    if (!frames.empty()) {
      task.frames = std::move(frames);
    }
  }
}

void PieceReader::look(Part *part, std::span<const Address> places, std::vector<TaskSnapshot> &found) {
  target_.code_cache().begin(0);
  target_.tasks().expect_all();
  target_.tasks().prefetch({places.begin(), places.end()});
  const std::vector<Address> running =
      part == nullptr ? std::vector<Address>{} : target_.tasks().current_tasks({part->thread->entry.state});
  found = target_.tasks().tasks_at(places, running);
  if (part != nullptr) {
    add_calls(*part, found);
  }
}

void PieceReader::take(std::vector<TaskSnapshot> &found) {
  for (TaskSnapshot &task : found) {
    if (frames_ + task.frames.size() > TaskReader::k_max_frames) { // as in TaskReader::tasks_at()
      task.frames.assign(1, k_unreadable_frame);
      task.frames.shrink_to_fit();
    }
    frames_ += task.frames.size();
  }
  std::move(found.begin(), found.end(), std::back_inserter(snapshot_.tasks));
  ++snapshot_.pieces;
}

/// `part`: of the thread that runs their loop; null: nobody does, and they stay what they are.
void PieceReader::read_piece(Part *part, std::span<const Address> places) {
  std::vector<TaskSnapshot> found;
  for (int i = 0; i < k_attempts && !late(); ++i) {
    CaptureStatus status = CaptureStatus::captured;
    if (part != nullptr) {
      status = attempt_.read(*part->thread, [&] { look(part, places, found); });
    } else {
      target_.memory().begin();
      look(part, places, found);
    }
    const bool is_part = part != nullptr && attempt_.too_long();
    if (is_part && places.size() > 1) {
      read_piece(part, places.first(places.size() / 2));
      read_piece(part, places.subspan(places.size() / 2));
      return;
    }
    if (status == CaptureStatus::captured && (is_part || target_.tasks().saw_all())) {
      take(found);
      return;
    }
    if (status != CaptureStatus::captured && status != CaptureStatus::moved) {
      break;
    }
  }
  snapshot_.left_out += places.size();
}

void PieceReader::read_tasks() {
  snapshot_.tasks.clear();
  const std::int64_t began = monotonic_ns();
  for (const auto &[loop, places] : by_loop(find_places())) {
    Part *const part = part_of(loop);
    for (std::span<const Address> rest = places; !rest.empty();) {
      const std::span<const Address> some = rest.first(std::min(k_piece, rest.size()));
      read_piece(part, some);
      rest = rest.subspan(some.size());
    }
  }
  snapshot_.took_ns = monotonic_ns() - began;
}

} // namespace

bool read_in_pieces(Target &target, Engine &engine, ProcessSnapshot &snapshot) {
  snapshot.consistent = false;
  target.memory().begin();
  target.set_threads(target.interpreters().threads());
  PieceReader reader(target, engine, snapshot);
  reader.read_threads();
  reader.read_tasks();
  snapshot.taken_ns = monotonic_ns();
  std::sort(snapshot.threads.begin(), snapshot.threads.end(),
            [](const ThreadSnapshot &a, const ThreadSnapshot &b) { return a.tid < b.tid; });
  return target.process().alive();
}

} // namespace awaitscope
