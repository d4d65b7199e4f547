#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "agent_output.hpp"
#include "awaitscope/model/code_table.hpp"
#include "awaitscope/recording/writer.hpp"
#include "trace_folder.hpp"

namespace awaitscope::tools {

/// What the agents have told so far.
struct TraceProgress {
  std::uint64_t calls = 0;
  std::uint64_t lost = 0;     ///< calls that the agents could not write
  std::uint64_t failures = 0; ///< in their callbacks
  std::string failure;        ///< the first of them
  std::size_t processes = 0;
  std::size_t running = 0;          ///< of these, those that did not say that they have ended
  std::int64_t ready_ns = 0;        ///< CLOCK_MONOTONIC: when the first was found to count calls; 0: none does
  std::size_t replaced = 0;         ///< processes whose program put a profile function of its own in the agent's place
  std::optional<Error> refused;     ///< why one does not
  std::vector<Error> missing;       ///< functions that were not found
  std::vector<std::string> endings; ///< why they ended: "time", "recorder", "exit", "failure"
};

/// Turns what the agents in a folder write into a recording.
class TraceRecording {
public:
  /// `info` without what only the process knows: its Python and its PID, unless they are known.
  TraceRecording(const TraceFolder &folder, RecordingInfo info, bool tell_processes_apart,
                 RecordingWriter::PutBlock put);

  /// Takes over what was written since the last time.
  void poll();

  /// After the last poll().
  void finish();

  [[nodiscard]] const TraceProgress &progress() const { return progress_; }

private:
  struct Process {
    AgentOutput output;
    std::vector<CodeId> functions; ///< by the agent's number
    std::unordered_map<std::uint64_t, std::string> threads;
    bool ended = false;
    std::uint64_t cpu_before_ns = 0; ///< that it had used when it was found to count calls
  };

  void meet(ThreadId pid, const AgentNote &note);
  void take(ThreadId pid, Process &process, const AgentNote &note);
  void take(ThreadId pid, Process &process, const AgentCall &call);
  CodeId learn_code(const AgentNote &note);
  [[nodiscard]] SamplingTotals totals() const;

  const TraceFolder &folder_;
  RecordingInfo info_;
  bool tell_apart_;
  RecordingWriter::PutBlock put_;
  CodeTable codes_;
  std::set<std::tuple<CodeId, FunctionFact::Kind, std::string>> facts_; ///< that were written
  std::optional<RecordingWriter> writer_;                               ///< once an agent has said what it is in
  std::map<ThreadId, Process> processes_;
  TraceProgress progress_;
  std::uint64_t cpu_ns_ = 0; ///< of the processes that have ended, while they were traced
};

} // namespace awaitscope::tools
