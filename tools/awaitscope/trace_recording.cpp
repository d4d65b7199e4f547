#include "trace_recording.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "agent_facts.hpp"
#include "awaitscope/integrations/program_name.hpp"
#include "awaitscope/process/process.hpp"
#include "awaitscope/recording/format.hpp"
#include "awaitscope/support/clock.hpp"
#include "awaitscope/support/text.hpp"

namespace awaitscope::tools {
namespace {

constexpr std::size_t k_most_processes = 256;
constexpr std::size_t k_most_functions = std::size_t{1} << 16U;
constexpr std::size_t k_most_thread_names = std::size_t{1} << 15U;
constexpr std::size_t k_most_missing = 20;
constexpr std::size_t k_most_facts = std::size_t{1} << 18U;

/// "4711.notes" -> 4711
std::optional<ThreadId> process_of(const std::string &name) {
  constexpr std::string_view k_ending = ".notes";
  if (!name.ends_with(k_ending)) {
    return std::nullopt;
  }
  ThreadId pid = 0;
  const char *const end = name.data() + name.size() - k_ending.size();
  const auto parsed = std::from_chars(name.data(), end, pid);
  return parsed.ec == std::errc() && parsed.ptr == end && pid > 0 ? std::optional(pid) : std::nullopt;
}

std::uint8_t traits_of(const AgentCall &call, std::initializer_list<std::pair<AgentCall::Flag, ValueTrait>> known) {
  std::uint8_t traits = 0;
  for (const auto &[flag, trait] : known) {
    traits = static_cast<std::uint8_t>(traits | (call.is(flag) ? static_cast<std::uint8_t>(trait) : 0));
  }
  return traits;
}

Error error_of(const AgentNote &note) { return {ExitStatus::failed, one_line(note.what), one_line(note.hint)}; }

} // namespace

TraceRecording::TraceRecording(const TraceFolder &folder, RecordingInfo info, bool tell_processes_apart,
                               RecordingWriter::PutBlock put)
    : folder_(folder), info_(std::move(info)), tell_apart_(tell_processes_apart), put_(std::move(put)) {}

void TraceRecording::poll() {
  for (const std::string &name : folder_.names()) {
    const std::optional<ThreadId> pid = process_of(name);
    if (pid && !processes_.contains(*pid) && processes_.size() < k_most_processes) {
      processes_.emplace(*pid, Process{AgentOutput(folder_.open(name), UniqueFd()), {}, {}, false, 0});
    }
  }
  for (auto &[pid, process] : processes_) {
    if (!process.output.has_calls_file()) {
      process.output.set_calls_file(folder_.open(fmt::format("{}.calls", pid)));
    }
    // A call's function and thread are noted before it is written, and its end after the last call.
    while (true) {
      const std::vector<AgentNote> notes = process.output.take_notes();
      for (const AgentNote &note : notes) {
        take(pid, process, note);
      }
      const std::vector<AgentCall> calls = process.output.take_calls();
      for (const AgentCall &call : calls) {
        take(pid, process, call);
      }
      if (notes.empty() && calls.empty()) {
        break;
      }
    }
  }
  progress_.processes = processes_.size();
  progress_.running = static_cast<std::size_t>(
      std::count_if(processes_.begin(), processes_.end(), [](const auto &entry) { return !entry.second.ended; }));
  if (writer_) {
    writer_->keep_up(monotonic_ns(), totals());
  }
}

void TraceRecording::meet(ThreadId pid, const AgentNote &note) {
  const Result<awaitscope::Process> found = awaitscope::Process::open(pid);
  const std::vector<std::string> command = found ? found->command_line() : std::vector<std::string>();
  if (!writer_) {
    info_.pid = pid;
    info_.python = note.python;
    info_.executable = note.executable;
    info_.command = command.empty() ? info_.command : command;
    writer_.emplace(info_, codes_, put_);
  }
  if (tell_apart_) {
    writer_->name_process(pid, fmt::format("process {} {}", pid, one_line(valid_utf8(program_name(command)))));
  }
}

/// What is known already, of another process or as a callee, is not written again.
CodeId TraceRecording::learn_code(const AgentNote &note) {
  const CodeId code = codes_.intern({note.name, note.file, static_cast<std::int32_t>(note.line)});
  for (FunctionFact &fact : facts_of_note(note, info_.python)) {
    fact.code = code;
    if (facts_.size() < k_most_facts && facts_.emplace(code, fact.kind, fact.name).second) {
      writer_->add(fact);
    }
  }
  return code;
}

void TraceRecording::take(ThreadId pid, Process &process, const AgentNote &note) {
  if (note.event == "start" && process.functions.empty()) {
    meet(pid, note);
  }
  if (!writer_) {
    return;
  }
  if (note.event == "function" && note.number == process.functions.size() && note.number < k_most_functions) {
    process.functions.push_back(learn_code(note));
  } else if (note.event == "callee") {
    learn_code(note);
  } else if (note.event == "thread" && process.threads.size() < k_most_thread_names) {
    process.threads[note.tid] = note.name;
  } else if (note.event == "paths") {
    std::vector<std::string> paths;
    for (std::size_t begin = 0; begin < note.name.size();) {
      const std::size_t end = std::min(note.name.find('\n', begin), note.name.size());
      paths.push_back(note.name.substr(begin, end - begin));
      begin = end + 1;
    }
    writer_->add_import_paths(paths);
  } else if (note.event == "ready") {
    progress_.ready_ns = progress_.ready_ns == 0 ? monotonic_ns() : progress_.ready_ns;
    process.cpu_before_ns = note.cpu;
  } else if (note.event == "refused") {
    progress_.refused = error_of(note);
    process.ended = true;
  } else if (note.event == "replaced") {
    ++progress_.replaced;
  } else if (note.event == "missing" && progress_.missing.size() < k_most_missing) {
    progress_.missing.push_back(error_of(note));
  } else if (note.event == "lost" && note.number < process.functions.size()) {
    writer_->add_lost_calls(process.functions[note.number], note.lost);
    progress_.lost += note.lost;
  } else if (note.event == "end") {
    process.ended = true;
    cpu_ns_ += std::min(note.cpu - std::min(note.cpu, process.cpu_before_ns), format::k_max_number >> 8U);
    progress_.failures += note.failed;
    progress_.failure = progress_.failure.empty() ? note.failure : progress_.failure;
    progress_.endings.push_back(note.why);
  }
}

void TraceRecording::take(ThreadId pid, Process &process, const AgentCall &call) {
  if (!writer_ || call.function >= process.functions.size()) {
    return;
  }
  constexpr std::uint64_t k_longest = format::k_max_number;
  TracedCall traced;
  traced.process = pid;
  traced.tid = static_cast<ThreadId>(call.tid);
  traced.begin_ns = static_cast<std::int64_t>(std::min(call.begin_ns, k_longest));
  traced.duration_ns = std::min(call.duration_ns, k_longest);
  traced.inner_ns = std::min(call.inner_ns, traced.duration_ns);
  traced.cpu_ns = std::min(call.cpu_ns, k_longest);
  traced.key.code = process.functions[call.function];
  traced.key.self = call.self;
  traced.key.others = call.others;
  traced.key.traits = traits_of(call, {{AgentCall::k_argument_identity, ValueTrait::identity},
                                       {AgentCall::k_argument_unhashable, ValueTrait::unhashable},
                                       {AgentCall::k_argument_unread, ValueTrait::unread},
                                       {AgentCall::k_argument_model, ValueTrait::model},
                                       {AgentCall::k_argument_may_equal, ValueTrait::may_equal}});
  traced.returned = call.returned;
  traced.return_traits = traits_of(call, {{AgentCall::k_result_identity, ValueTrait::identity},
                                          {AgentCall::k_result_unhashable, ValueTrait::unhashable},
                                          {AgentCall::k_result_unread, ValueTrait::unread}});
  traced.raised = call.is(AgentCall::k_raised);
  traced.unfinished = call.is(AgentCall::k_unfinished);
  const auto name = process.threads.find(call.tid);
  writer_->add(traced, name == process.threads.end() ? std::string() : name->second);
  ++progress_.calls;
}

SamplingTotals TraceRecording::totals() const {
  SamplingTotals totals;
  totals.processes = tell_apart_ ? processes_.size() : 0;
  totals.elapsed_ns = progress_.ready_ns == 0 ? 0 : monotonic_ns() - info_.start_ns;
  totals.tool_cpu_ns = own_cpu_ns();
  if (cpu_ns_ != 0) {
    totals.process_cpu_ns = cpu_ns_;
  }
  return totals;
}

void TraceRecording::finish() {
  if (writer_) {
    writer_->finish(totals());
  }
}

} // namespace awaitscope::tools
