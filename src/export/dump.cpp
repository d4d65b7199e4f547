#include "awaitscope/export/dump.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/support/text.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

std::string_view name_of(TaskState state) {
  switch (state) {
  case TaskState::running:
    return "running";
  case TaskState::ready:
    return "ready";
  case TaskState::waiting:
    return "waiting";
  case TaskState::done:
    break;
  }
  return "done";
}

std::string id_text(Address id) { return fmt::format("{:#x}", id); }

Json id_json(Address id) { return id == 0 ? Json(nullptr) : Json(id_text(id)); }

std::optional<ThreadId> thread_of(const ProcessSnapshot &snapshot, const TaskSnapshot &task) {
  const auto found = std::find_if(snapshot.threads.begin(), snapshot.threads.end(), [&](const ThreadSnapshot &thread) {
    return thread.loop != 0 && thread.loop == task.loop;
  });
  return found == snapshot.threads.end() ? std::nullopt : std::optional(found->tid);
}

/// The thread that works for a task which is suspended until it is done.
std::optional<ThreadId> hop_of(const ProcessSnapshot &snapshot, const TaskSnapshot &task) {
  for (const ThreadSnapshot &thread : snapshot.threads) {
    const auto &futures = thread.worker_futures;
    if (task.worker_future != 0 && std::find(futures.begin(), futures.end(), task.worker_future) != futures.end()) {
      return thread.tid;
    }
  }
  return std::nullopt;
}

Json frames_json(const std::vector<Frame> &frames, const CodeTable &codes) {
  Json list = Json::array();
  for (const Frame &frame : frames) {
    if (frame.kind == FrameKind::unreadable) {
      list.push_back({{"function", "[unreadable]"}, {"file", nullptr}, {"line", nullptr}, {"kind", "unreadable"}});
      continue;
    }
    const CodeInfo &code = codes.at(frame.code);
    list.push_back({{"function", code.function},
                    {"file", code.file},
                    {"line", frame.line > 0 ? Json(frame.line) : Json(nullptr)},
                    {"kind", "python"}});
  }
  return list;
}

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

Json task_json(const ProcessSnapshot &snapshot, const TaskSnapshot &task, const CodeTable &codes) {
  Json waiters = Json::array();
  for (const Address waiter : task.awaited_by) {
    waiters.push_back(id_text(waiter));
  }
  const std::optional<ThreadId> tid = thread_of(snapshot, task);
  const std::optional<ThreadId> hop = hop_of(snapshot, task);
  return {{"id", id_text(task.id)},
          {"name", task.name},
          {"coroutine", codes.at(task.coroutine).function},
          {"tid", tid ? Json(*tid) : Json(nullptr)},
          {"state", name_of(task.state)},
          {"frames", frames_json(task.frames, codes)},
          {"awaited_by", std::move(waiters)},
          {"thread_hop", hop ? Json{{"tid", *hop}} : Json(nullptr)}};
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
  Json command = Json::array();
  for (const std::string &word : snapshot.command) {
    command.push_back(valid_utf8(word));
  }
  Json threads = Json::array();
  for (const ThreadSnapshot &thread : snapshot.threads) {
    threads.push_back(thread_json(thread, codes));
  }
  Json tasks = Json::array();
  for (const TaskSnapshot &task : snapshot.tasks) {
    tasks.push_back(task_json(snapshot, task, codes));
  }
  const Json document = {{"schema", 1},
                         {"process",
                          {{"pid", snapshot.pid},
                           {"python", snapshot.python},
                           {"free_threaded", snapshot.free_threaded},
                           {"executable", valid_utf8(snapshot.executable)},
                           {"command", std::move(command)}}},
                         {"threads", std::move(threads)},
                         {"tasks", std::move(tasks)}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
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
