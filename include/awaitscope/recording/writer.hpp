#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "awaitscope/model/task_change.hpp"
#include "awaitscope/recording/block.hpp"

namespace awaitscope {

/// Turns samples into blocks of the recording (format.hpp). Keeps what is interned, and the samples of a second at most. What is
/// interned is bounded (limits.hpp): names, threads and tasks beyond that are limits::k_left_out, stacks are an unreadable frame.
/// Of a deeper stack than limits::k_max_depth an unreadable frame stands for the middle.
class RecordingWriter {
public:
  using PutBlock = std::function<void(std::string)>;

  /// Puts the first block at once. `codes` grows outside; what is in it never changes.
  RecordingWriter(RecordingInfo info, const CodeTable &codes, PutBlock put);

  /// What the samples of this process are told apart by from now on. Without a name they are not.
  void name_process(ThreadId pid, const std::string &name);

  /// Of a process that was attached to later on: names of its files are shortened by these too.
  void add_import_paths(const std::vector<std::string> &paths);

  /// The engine that is in use from now on.
  void name_engine(const std::string &name) { engine_ = text(name); }

  /// How many samples views of this will count: one counts for the ticks that it stands for.
  [[nodiscard]] std::uint64_t samples() const { return samples_; }

  void add(const Sample &sample, const std::string &thread_name);
  void add(const TaskChange &change);
  void add(const FunctionFact &fact);
  void add(const TracedCall &call, const std::string &thread_name);

  /// So many calls of a function, besides those of before, are missing among the traced ones.
  void add_lost_calls(CodeId code, std::uint64_t calls) { lost_calls_.push_back({code, calls}); }

  /// To be called a few times a second with the time of CLOCK_MONOTONIC and what was counted so far: puts a block once
  /// something has been waiting for half a second, and one with the totals alone once a second.
  void keep_up(std::int64_t now_ns, const SamplingTotals &totals);

  /// Puts the last block.
  void finish(const SamplingTotals &totals);

private:
  static constexpr std::size_t k_none = SIZE_MAX;

  /// What is kept of each thread.
  struct Thread {
    std::size_t row = k_none;      ///< in rows_, of the run that may go on
    std::uint64_t cpu_rest_ns = 0; ///< less than a unit, not written yet
    std::uint64_t events_rest = 0; ///< the same
  };
  struct TaskKey {
    Address address = 0;
    std::uint64_t coroutine = 0; ///< + 1; 0: not known
    TextId name = 0;
    TextId process = 0;
    bool operator==(const TaskKey &) const = default;
  };
  struct TaskKeyHash {
    std::size_t operator()(const TaskKey &key) const;
  };

  /// What is kept of each request.
  struct Request {
    std::uint32_t first = 0; ///< its first row
    std::uint32_t last = 0;  ///< and the one that holds now, with
    std::shared_ptr<const RequestRoute> route;
  };

  struct ArgumentKeyHash {
    std::size_t operator()(const ArgumentKey &key) const { return key.self ^ key.others ^ key.state ^ key.code; }
  };

  TextId text(const std::string &text);
  KeyId key(const ArgumentKey &key, const std::string &shown);
  TextId process_of(ThreadId pid) const;
  void begin_rows(std::int64_t time_ns);
  void add_arguments(const Sample &sample);
  std::uint32_t thread(ThreadId tid, const std::string &name, TextId process);
  std::uint32_t task(const TaskKey &key);
  std::uint32_t request(ThreadId process, const SampledRequest &request);
  StackId stack(const std::vector<Frame> &frames);
  void cut(const block::Totals *totals);
  [[nodiscard]] block::Totals totals_of(const SamplingTotals &totals, bool final) const;

  const CodeTable &codes_;
  PutBlock put_;
  std::int64_t start_ns_;
  std::int64_t period_ns_;
  std::int64_t unit_ns_;
  std::uint64_t event_unit_; ///< so many events are one in the file
  RecordingTables tables_;
  block::Extent written_;
  std::vector<block::CodeTexts> code_texts_;
  std::unordered_map<std::string, TextId> text_ids_;
  std::unordered_map<ThreadId, TextId> processes_;
  std::unordered_map<ThreadId, std::uint32_t> thread_ids_; ///< the last of each TID: one may be used again
  std::unordered_map<TaskKey, std::uint32_t, TaskKeyHash> task_ids_;
  std::unordered_map<ThreadId, std::unordered_map<std::uint64_t, Request>> requests_; ///< by process and id
  std::vector<Thread> threads_;
  std::vector<SampleRun> rows_;
  std::vector<RecordedTaskChange> changes_;
  std::unordered_map<ArgumentKey, KeyId, ArgumentKeyHash> key_ids_;
  std::vector<RecordedSeenCall> seen_calls_;
  std::vector<RecordedTracedCall> traced_calls_;
  std::vector<RecordedLostCalls> lost_calls_;
  std::vector<std::string> import_paths_;       ///< all that were written, and
  std::vector<std::string> fresh_import_paths_; ///< those that are to be
  TextId engine_ = 0;
  std::uint64_t samples_ = 0;
  std::int64_t oldest_ns_ = 0; ///< of what waits to be put, if anything does
  std::int64_t last_totals_ns_ = 0;
};

} // namespace awaitscope
