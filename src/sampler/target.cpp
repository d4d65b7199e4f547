#include "awaitscope/sampler/target.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "awaitscope/integrations/program_name.hpp"
#include "awaitscope/support/clock.hpp"
#include "awaitscope/support/text.hpp"

namespace awaitscope {

namespace {

constexpr const char *k_unnamed = "unnamed";

} // namespace

Target::Target(Process process, CodeTable &codes)
    : process_(std::move(process)), remote_(process_.memory()), snapshot_(remote_), codes_(codes),
      objects_(snapshot_, runtime_.layout), code_cache_(objects_, codes_, runtime_.next_code_version),
      stacks_(objects_, code_cache_), call_marks_(objects_), arguments_(objects_, code_cache_, call_marks_),
      interpreters_(objects_, runtime_), tasks_(objects_, code_cache_, stacks_, interpreters_),
      lineages_(objects_, code_cache_, stacks_, interpreters_, tasks_) {}

Result<void> Target::attach() {
  // Before anything is searched for: maps and files may be read with fewer rights than memory (fs/proc/base.c, proc_mem_open();
  // CAP_PERFMON).
  if (Result<void> readable = process_.check_readable();
      !readable && readable.error().status != ExitStatus::no_target) {
    return readable;
  }
  Result<PythonRuntime> found = find_runtime(process_, remote_);
  if (!found) {
    return tl::unexpected(found.error());
  }
  runtime_ = std::move(*found);
  // A process that has just been started has an interpreter in a moment; one that ends has none any more.
  constexpr std::int64_t k_patience_ns = k_ns_per_second;
  const std::int64_t deadline = monotonic_ns() + k_patience_ns;
  while (true) {
    const ReadStatus status = snapshot_.begin();
    const bool initialized = runtime_initialized(runtime_, snapshot_);
    if (initialized && (!runtime_.layout.presumed || reads_well())) {
      break;
    }
    if (status == ReadStatus::denied || snapshot_.status() == ReadStatus::denied) {
      return tl::unexpected(denied_error(process_.pid()));
    }
    if (!process_.alive()) {
      return tl::unexpected(no_such_process(process_.pid()));
    }
    if (monotonic_ns() > deadline && initialized) {
      Error error = unknown_layout(runtime_.layout.version);
      error.what = fmt::format("process {}: {}", process_.pid(), error.what);
      return tl::unexpected(error);
    }
    if (monotonic_ns() > deadline) {
      return fail(ExitStatus::no_target,
                  fmt::format("the Python {} of process {} is not as its headers say, or not initialized",
                              runtime_.layout.version.text(), process_.pid()),
                  "if it runs normally, report its exact version and where the build comes from");
    }
    ::usleep(2000);
  }
  rseq_offset_ = find_rseq_offset(process_, remote_);
  same_namespace_ = process_.inner_id(process_.pid()) == process_.pid();
  choose_native_ids();
  set_threads(interpreters_.threads());
  read_names();
  locate_tasks();
  // What was read by its PID was this process's, if it still is there.
  // Nor did it stay hidden for another reason.
  return process_.check_readable();
}

bool Target::reads_well() {
  if (interpreters_.module_dict(interpreters_.main_interpreter(), "sys") == 0) {
    return false;
  }
  code_cache_.begin(0);
  PythonStack stack;
  const std::vector<ThreadEntry> entries = interpreters_.threads();
  return std::any_of(entries.begin(), entries.end(), [&](const ThreadEntry &entry) {
    stacks_.read(entry.state, stack);
    return !stack.frames.empty() && stack.frames.front().frame.kind != FrameKind::unreadable;
  });
}

void Target::choose_native_ids() {
  const std::vector<Address> pointers = interpreters_.thread_pointers();
  if (runtime_.layout.ts_native_id == k_absent) {
    runtime_.descriptor_tid = find_descriptor_tid(process_, remote_, pointers);
    return;
  }
  std::unordered_map<ThreadId, ThreadId> ids = host_ids();
  const std::vector<ThreadEntry> entries = interpreters_.threads();
  if (entries.empty() || std::any_of(entries.begin(), entries.end(),
                                     [&](const ThreadEntry &entry) { return ids.count(entry.native_id); })) {
    return;
  }
  // A forked child whose states still name its parent's threads: 3.11.0 and 3.11.1 never refresh them (gh-100649), nor does
  // a library that calls fork(2) by itself; all others need a moment. The C library does in fork(2), and clears those of the
  // threads that the child has not (sysdeps/nptl/fork.h, reclaim_stacks): one of the states is the thread that forked.
  for (const Address pointer : pointers) {
    if (const Offset place = find_descriptor_tid(process_, remote_, {pointer}); place != k_absent) {
      runtime_.descriptor_tid = place;
      runtime_.layout.ts_native_id = k_absent;
      return;
    }
  }
}

void Target::locate_tasks() {
  if (tasks_.locate() && runtime_.layout.task_registry == TaskRegistry::thread_lists &&
      overlay_asyncio(process_, remote_, runtime_)) {
    tasks_.locate();
  }
}

std::vector<std::string> Target::import_paths() {
  snapshot_.begin();
  std::vector<std::string> paths = interpreters_.import_paths(interpreters_.main_interpreter());
  // Modules found through '' and other relative entries have absolute file names (Lib/importlib/_bootstrap_external.py,
  // PathFinder._path_importer_cache() and FileFinder). The folder itself counts whether it is listed or not: a server may
  // add it to sys.path after it was attached to.
  const std::string here = process_.working_directory();
  if (here.empty() || here.front() != '/') {
    return paths;
  }
  for (std::size_t i = 0, count = paths.size(); i < count; ++i) {
    if (!paths[i].empty() && paths[i].front() != '/') {
      paths.push_back(std::filesystem::path(here).append(paths[i]).lexically_normal());
    }
  }
  paths.push_back(here);
  return paths;
}

MetProcess Target::describe() {
  const std::string name = program_name(process_.command_line());
  return {process_.pid(), name.empty() ? process_.command_name() : name, import_paths()};
}

std::unordered_map<ThreadId, ThreadId> Target::host_ids() {
  std::unordered_map<ThreadId, ThreadId> ids;
  for (const ThreadId tid : process_.threads()) {
    ids.emplace(process_.inner_id(tid), tid);
  }
  return ids;
}

std::optional<ThreadId> Target::host_id(ThreadId inner, std::unordered_map<ThreadId, ThreadId> &ids) {
  if (same_namespace_) {
    return inner;
  }
  if (ids.empty()) {
    ids = host_ids();
  }
  const auto found = ids.find(inner);
  return found == ids.end() ? std::nullopt : std::optional(found->second);
}

bool Target::knows(const ThreadEntry &entry) const {
  return std::any_of(threads_.begin(), threads_.end(), [&](const TargetThread &thread) {
    return thread.entry.state == entry.state && thread.entry.native_id == entry.native_id &&
           thread.entry.interpreter == entry.interpreter;
  });
}

std::vector<TargetThread *> Target::states_of(ThreadId tid) {
  std::vector<TargetThread *> states;
  for (TargetThread &thread : threads_) {
    if (thread.watch.tid() == tid) {
      states.push_back(&thread);
    }
  }
  return states;
}

bool Target::leads(const TargetThread &thread) const {
  return !thread.shared || &thread == &*std::find_if(threads_.begin(), threads_.end(), [&](const TargetThread &other) {
    return other.watch.tid() == thread.watch.tid();
  });
}

void Target::mark_shared() {
  std::unordered_map<ThreadId, unsigned> count;
  for (const TargetThread &thread : threads_) {
    ++count[thread.watch.tid()];
  }
  for (TargetThread &thread : threads_) {
    thread.shared = count[thread.watch.tid()] > 1;
  }
}

/// The thread whose state this is. A state may name a thread that the process has not: in a child of fork(2) by a library
/// (uWSGI), without PyOS_AfterFork_Child(), the first thread's state still names the parent's. The C library's descriptor has the
/// right one, since its fork() puts that right (sysdeps/nptl/_Fork.c).
std::optional<ThreadWatch> Target::watch_of(const ThreadEntry &entry, std::unordered_map<ThreadId, ThreadId> &ids) {
  if (const std::optional<ThreadId> named = host_id(entry.native_id, ids)) {
    ThreadWatch watch(process_.pid(), *named);
    if (watch.schedstat()) {
      return watch;
    }
  }
  const Offset place =
      entry.thread_pointer == 0 ? k_absent : find_descriptor_tid(process_, remote_, {entry.thread_pointer});
  std::int32_t inner = 0;
  if (place == k_absent || remote_.read(entry.thread_pointer + place, &inner, sizeof inner) != ReadStatus::ok) {
    return std::nullopt;
  }
  const std::optional<ThreadId> tid = host_id(inner, ids);
  return tid ? std::optional(ThreadWatch(process_.pid(), *tid)) : std::nullopt;
}

bool Target::add_threads(const std::vector<ThreadEntry> &entries) {
  std::unordered_map<ThreadId, ThreadId> ids;
  bool added = false;
  for (const ThreadEntry &entry : entries) {
    if (knows(entry)) {
      continue;
    }
    std::optional<ThreadWatch> watch = watch_of(entry, ids);
    if (!watch) {
      continue;
    }
    TargetThread fresh;
    fresh.entry = entry;
    fresh.watch = std::move(*watch);
    const auto there = std::find_if(threads_.begin(), threads_.end(),
                                    [&](const TargetThread &thread) { return thread.entry.state == entry.state; });
    // A thread state that was another thread's: freed and used again, or, up to 3.11, made by the thread that starts the new
    // one and in its name (Python/pystate.c, _PyThreadState_Prealloc()).
    if (there != threads_.end()) {
      *there = std::move(fresh);
    } else {
      threads_.push_back(std::move(fresh));
    }
    added = true;
  }
  if (added) {
    mark_shared();
  }
  return added;
}

void Target::set_threads(const std::vector<ThreadEntry> &entries) {
  add_threads(entries);
  for (TargetThread &thread : threads_) {
    // A thread takes its thread state off the list before it ends.
    const bool listed = std::any_of(entries.begin(), entries.end(), [&](const ThreadEntry &entry) {
      return entry.state == thread.entry.state && entry.native_id == thread.entry.native_id;
    });
    thread.left = thread.left || (!listed && !thread.watch.schedstat());
  }
  drop_left_threads();
}

void Target::drop_left_threads() {
  threads_.erase(
      std::remove_if(threads_.begin(), threads_.end(), [](const TargetThread &thread) { return thread.left; }),
      threads_.end());
  mark_shared();
}

TargetThread &Target::thread_of(Address state, TargetThread &otherwise) {
  const auto found = std::find_if(threads_.begin(), threads_.end(),
                                  [&](const TargetThread &thread) { return thread.entry.state == state; });
  if (state == 0 || found == threads_.end()) {
    return otherwise;
  }
  return *std::find_if(threads_.begin(), threads_.end(),
                       [&](const TargetThread &thread) { return thread.watch.tid() == found->watch.tid(); });
}

const std::string &Target::name_of(TargetThread &thread) const {
  if (!thread.name.empty()) {
    return thread.name;
  }
  if (thread.kernel_name.empty()) {
    // A thread has its process's name until somebody gives it another one: that says nothing of it.
    const std::string name = process_.thread_name(thread.watch.tid());
    thread.kernel_name = name.empty() || name == process_.command_name() ? k_unnamed : valid_utf8(name);
  }
  return thread.kernel_name;
}

void Target::read_name(TargetThread &thread) {
  if (!thread.name.empty()) {
    return;
  }
  name(thread, interpreters_.thread_name(thread.entry));
}

void Target::name(TargetThread &thread, std::string name) const {
  thread.name = std::move(name);
  if (thread.name.empty() && thread.watch.tid() == process_.pid()) {
    thread.name = "MainThread"; // Lib/threading.py, _MainThread: what it is called once threading is imported
  }
}

void Target::read_names() {
  std::vector<ThreadEntry> entries;
  for (const TargetThread &thread : threads_) {
    entries.push_back(thread.entry);
  }
  std::vector<std::string> names = interpreters_.thread_names(entries);
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    name(threads_[i], std::move(names[i]));
  }
}

} // namespace awaitscope
