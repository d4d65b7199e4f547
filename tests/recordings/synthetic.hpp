#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "awaitscope/model/code_table.hpp"
#include "awaitscope/recording/frame_codec.hpp"
#include "awaitscope/recording/writer.hpp"

namespace awaitscope::testing {

/// A recording in memory, as a recorder would write it.
class MemoryRecorder {
public:
  explicit MemoryRecorder(const RecordingInfo &info);

  CodeTable codes;
  RecordingWriter &writer() { return *writer_; }

  /// What was written so far.
  [[nodiscard]] const std::string &bytes() const { return bytes_; }
  /// The blocks of which it was made.
  [[nodiscard]] const std::vector<std::string> &blocks() const { return blocks_; }

private:
  FrameEncoder encoder_;
  std::string bytes_;
  std::vector<std::string> blocks_;
  std::unique_ptr<RecordingWriter> writer_;
};

/// The bytes of a recording of these blocks.
std::string recording_of(const std::vector<std::string> &blocks);

/// Of a process that never was: invented names and paths, every kind of frame, thread, task and event.
RecordingInfo invented_info();

/// The same at 100 Hz; its start is 0.
RecordingInfo info_at_100_hz();

/// Two seconds at 1 kHz: a task that gathers two others, a pool's thread, a thread that waits, unreadable parts. The same for
/// the same seed, on every machine.
void record_small(MemoryRecorder &recorder, std::uint64_t seed);

/// Half a second at 1 kHz of several processes with threads in each state, each with its CPU time, of which more are met
/// meanwhile; the engine changes.
void record_processes(MemoryRecorder &recorder, std::uint64_t seed);

/// Half a second at 1 kHz of a thread whose calls' arguments are known, of some by sampling and of some by tracing.
void record_arguments(MemoryRecorder &recorder, std::uint64_t seed);

/// `samples` samples of `stacks` distinct stacks of 30 frames, none equal to the one before.
void record_big(MemoryRecorder &recorder, std::uint64_t samples, std::uint32_t stacks);

} // namespace awaitscope::testing
