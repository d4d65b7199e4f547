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
          {"system_call", thread.system_call.empty() ? Json(nullptr) : Json(thread.system_call)},
          {"holds_gil", thread.holds_gil},
          {"running_task", id_json(thread.running_task)},
          {"frames", frames_json(thread.frames, codes)}};
}

Json native_json(const NativeCounts &counts) {
  Json lost = Json::object();
  for (std::size_t i = 0; i < counts.lost.size(); ++i) {
    if (counts.lost[i] > 0) {
      lost[std::string(name_of(static_cast<NativeLoss>(i)))] = counts.lost[i];
    }
  }
  return {{"stacks", counts.stacks}, {"lost", std::move(lost)}};
}

} // namespace

std::string dump_json(const ProcessSnapshot &snapshot, const CodeTable &codes) {
  JsonWriter out;
  out.member("schema", 1);
  out.member("one_instant", snapshot.pieces == 0);
  out.member("stopped_ns", snapshot.stopped_ns);
  out.member("process", process_json(snapshot));
  if (snapshot.native) {
    out.member("native", native_json(*snapshot.native));
  }
  out.list("threads", snapshot.threads, [&](const ThreadSnapshot &thread) { return thread_json(thread, codes); });
  out.list("tasks", snapshot.tasks, [&](const TaskSnapshot &task) { return task_json(snapshot, task, codes); });
  return out.finish();
}

} // namespace awaitscope
