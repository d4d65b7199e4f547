#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "awaitscope/recording/block.hpp"
#include "awaitscope/recording/byte_source.hpp"
#include "awaitscope/recording/expansion.hpp"
#include "awaitscope/recording/frame_codec.hpp"

namespace awaitscope {

/// How a recording ended.
enum class Ending : std::uint8_t {
  whole,   ///< the recorder said that this is the end
  open,    ///< at a whole frame, but without the end: still growing, or the recorder was killed
  torn,    ///< inside a frame: still growing, the recorder was killed, or the disk was full
  damaged, ///< at a frame that is not what its checksum says, or that no recorder writes
};

/// Reads a recording from front to end, block by block, in the memory of one block and of what is interned.
class RecordingReader {
public:
  /// Errors: unreadable; no recording; one of a later revision; one that ended before its first block.
  static Result<RecordingReader> open(std::unique_ptr<ByteSource> source);

  /// The engine is the one that was in use last, and there are the import paths of all processes, as far as it was read.
  [[nodiscard]] const RecordingInfo &info() const { return info_; }

  /// Grows with each block.
  [[nodiscard]] const RecordingTables &tables() const { return *tables_; }

  /// From now on what is of other requests is marked as left out. `wanted`: by the number of a row of RecordingTables::requests.
  void select_requests(std::function<bool(std::uint32_t)> wanted) { wanted_ = std::move(wanted); }

  /// To the next block; false at the end, however that came about. Errors: the system's.
  Result<bool> next();

  /// Goes to the end, and calls `visit` at each block. Errors: those of next(), and of `visit`, which ends it.
  Result<void> each_block(const std::function<Result<void>()> &visit);

  /// Of the block that next() went to.
  [[nodiscard]] const std::vector<SampleRun> &samples() const { return contents_.samples; }
  [[nodiscard]] const std::vector<RecordedTaskChange> &task_changes() const { return contents_.task_changes; }

  /// The same, of the arguments of calls.
  [[nodiscard]] const std::vector<RecordedSeenCall> &seen_calls() const { return contents_.seen_calls; }
  [[nodiscard]] const std::vector<RecordedTracedCall> &traced_calls() const { return contents_.traced_calls; }
  [[nodiscard]] const std::vector<RecordedLostCalls> &lost_calls() const { return contents_.lost_calls; }

  /// The last that was told.
  [[nodiscard]] const SamplingTotals &totals() const { return totals_; }

  /// The last that was reported, by process.
  [[nodiscard]] const std::vector<RecordedProcessCpu> &process_cpu() const { return process_cpu_; }

  /// Once next() has said false.
  [[nodiscard]] Ending ending() const { return ending_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }     ///< of the whole frames
  [[nodiscard]] std::uint64_t content() const { return content_; } ///< of their blocks

private:
  explicit RecordingReader(std::unique_ptr<ByteSource> source);

  Result<bool> next_block();
  bool within_bounds();
  void mark_unwanted();
  bool end(Ending how);

  std::unique_ptr<ByteSource> source_;
  std::unique_ptr<RecordingTables> tables_;
  FrameDecoder decoder_;
  Expansion expansion_;
  std::function<bool(std::uint32_t)> wanted_; ///< none: all are
  RecordingInfo info_;
  std::string data_;
  std::string block_;
  block::Contents contents_;
  SamplingTotals totals_;
  std::vector<RecordedProcessCpu> process_cpu_;
  Ending ending_ = Ending::open;
  bool first_taken_ = false; ///< the first block was read, for its info, and not handed out yet
  bool said_end_ = false;
  bool ended_ = false;
  std::uint64_t bytes_ = 0;
  std::uint64_t content_ = 0;
};

} // namespace awaitscope
