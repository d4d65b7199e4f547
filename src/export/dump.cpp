#include "awaitscope/export/dump.hpp"

#include "awaitscope/export/snapshot_json.hpp"
#include "frames_json.hpp"
#include "json_text.hpp"

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

} // namespace

std::string dump_json(const ProcessSnapshot &snapshot, const CodeTable &codes) {
  JsonWriter out;
  out.member("schema", 1);
  out.member("one_instant", snapshot.pieces == 0);
  out.member("stopped_ns", snapshot.stopped_ns);
  out.member("process", process_json(snapshot));
  out.list("threads", snapshot.threads, [&](const ThreadSnapshot &thread) { return thread_json(thread, codes); });
  out.list("tasks", snapshot.tasks, [&](const TaskSnapshot &task) { return task_json(snapshot, task, codes); });
  return out.finish();
}

} // namespace awaitscope
