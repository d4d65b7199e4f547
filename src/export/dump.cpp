#include "awaitscope/export/dump.hpp"

#include <optional>

#include "awaitscope/export/snapshot_json.hpp"
#include "awaitscope/support/text.hpp"
#include "frames_json.hpp"
#include "json_text.hpp"
#include <fmt/format.h>

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

Json id_json(Address id) { return id == 0 ? Json(nullptr) : Json(id_text(id)); }

Json thread_json(const ThreadSnapshot &thread, const CodeTable &codes) {
  return {{"tid", thread.tid},
          {"name", thread.name},
          {"main", thread.main},
          {"interpreter", thread.interpreter},
          {"state", thread.state == ThreadState::running ? "running" : "idle"},
          {"holds_gil", thread.holds_gil},
          {"running_task", id_json(thread.running_task)},
          {"frames", frames_json(thread.frames, codes)}};
}

void append_frames(std::string &out, const std::vector<Frame> &frames, const CodeTable &codes) {
  for (const Frame &frame : frames) {
    if (frame.kind == FrameKind::unreadable) {
      out += "    [unreadable]\n";
      continue;
    }
    const CodeInfo &code = codes.at(frame.code);
    out += fmt::format("    {} ({}:{})\n", one_line(code.function), one_line(code.file),
                       frame.line > 0 ? std::to_string(frame.line) : "?");
  }
}

} // namespace

std::string dump_json(const ProcessSnapshot &snapshot, const CodeTable &codes) {
  JsonWriter out;
  out.member("schema", 1);
  out.member("one_instant", snapshot.pieces == 0);
  out.member("process", process_json(snapshot));
  out.list("threads", snapshot.threads, [&](const ThreadSnapshot &thread) { return thread_json(thread, codes); });
  out.list("tasks", snapshot.tasks, [&](const TaskSnapshot &task) { return task_json(snapshot, task, codes); });
  return out.finish();
}

std::string dump_text(const ProcessSnapshot &snapshot, const CodeTable &codes) {
  std::string command;
  for (const std::string &word : snapshot.command) {
    command += (command.empty() ? "" : " ") + one_line(valid_utf8(word));
  }
  std::string out = fmt::format("Process {}: Python {} ({})\n  {}\n", snapshot.pid, snapshot.python,
                                one_line(valid_utf8(snapshot.executable)), command);
  for (const ThreadSnapshot &thread : snapshot.threads) {
    out += fmt::format("\nThread {} \"{}\"{}: {}{}\n", thread.tid, one_line(thread.name), thread.main ? " (main)" : "",
                       thread.state == ThreadState::running ? "running" : "idle",
                       thread.holds_gil ? ", holds the GIL" : "");
    append_frames(out, thread.frames, codes);
  }
  for (const TaskSnapshot &task : snapshot.tasks) {
    out += fmt::format("\nTask {} \"{}\" {}: {}", id_text(task.id), one_line(task.name),
                       one_line(codes.at(task.coroutine).function), name_of(task.state));
    for (std::size_t i = 0; i < task.awaited_by.size(); ++i) {
      out += (i == 0 ? ", awaited by " : ", ") + id_text(task.awaited_by[i]);
    }
    if (const std::optional<ThreadId> hop = hop_of(snapshot, task)) {
      out += fmt::format(", thread {} works for it", *hop);
    }
    out += '\n';
    append_frames(out, task.frames, codes);
  }
  return out;
}

} // namespace awaitscope
