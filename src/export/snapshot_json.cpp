#include "awaitscope/export/snapshot_json.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "awaitscope/export/names.hpp"
#include "awaitscope/support/text.hpp"
#include "frames_json.hpp"

namespace awaitscope {

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

std::optional<ThreadId> thread_of(const ProcessSnapshot &snapshot, const TaskSnapshot &task) {
  const auto found = std::find_if(snapshot.threads.begin(), snapshot.threads.end(), [&](const ThreadSnapshot &thread) {
    return thread.loop != 0 && thread.loop == task.loop;
  });
  return found == snapshot.threads.end() ? std::nullopt : std::optional(found->tid);
}

std::optional<ThreadId> hop_of(const ProcessSnapshot &snapshot, const TaskSnapshot &task) {
  for (const ThreadSnapshot &thread : snapshot.threads) {
    if (std::find(thread.works_for.begin(), thread.works_for.end(), task.id) != thread.works_for.end()) {
      return thread.tid;
    }
  }
  return std::nullopt;
}

nlohmann::ordered_json frames_json(const std::vector<Frame> &frames, const CodeTable &codes) {
  Json list = Json::array();
  for (const Frame &frame : frames) {
    if (!is_named(frame.kind)) {
      const bool native = frame.kind == FrameKind::native_unreadable;
      list.push_back({{"function", mark_text(frame.kind)},
                      {"file", nullptr},
                      {"line", nullptr},
                      {"kind", native ? "native unreadable" : "unreadable"}});
      continue;
    }
    const CodeInfo &code = codes.at(frame.code);
    list.push_back({{"function", code.function},
                    {"file", code.file},
                    {"line", frame.line > 0 ? Json(frame.line) : Json(nullptr)},
                    {"kind", frame.kind == FrameKind::native ? "native" : "python"}});
  }
  return list;
}

nlohmann::ordered_json task_json(const ProcessSnapshot &snapshot, const TaskSnapshot &task, const CodeTable &codes) {
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

nlohmann::ordered_json process_json(const ProcessDescription &process) {
  Json command = Json::array();
  for (const std::string &word : process.command) {
    command.push_back(valid_utf8(word));
  }
  return {{"pid", process.pid},
          {"python", process.python},
          {"free_threaded", process.free_threaded},
          {"executable", valid_utf8(process.executable)},
          {"command", std::move(command)}};
}

} // namespace awaitscope
