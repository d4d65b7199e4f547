#include "awaitscope/cpython/remote_script.hpp"

#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "awaitscope/process/remote_write.hpp"

namespace awaitscope {
namespace {

/// _PY_EVAL_PLEASE_STOP_BIT (Include/internal/pycore_ceval.h). In the lowest byte of the eval breaker: the bytes above count
/// versions of the instrumentation, and are left alone.
constexpr std::uint8_t k_please_stop = 1U << 5U;

template <typename Number> std::string_view bytes_of(const Number &value) {
  return {reinterpret_cast<const char *>(&value), sizeof value}; // NOLINT: an object is its bytes
}

constexpr std::string_view k_launch_instead =
    "let it start the program: awaitscope trace -m MODULE:FUNCTION -- COMMAND";

} // namespace

Result<RemoteScript> RemoteScript::prepare(const Process &process, const PythonRuntime &runtime, Address interpreter) {
  const Layout &layout = runtime.layout;
  if (layout.ts_debugger_support == k_absent || layout.is_remote_debug == k_absent) {
    return fail(ExitStatus::no_target,
                fmt::format("process {} is Python {}: a running process can be traced since 3.14", process.pid(),
                            layout.version.text()),
                std::string(k_launch_instead));
  }
  int enabled = 0;
  ProcessMemory memory = process.memory();
  if (memory.read(interpreter + layout.is_remote_debug, &enabled, sizeof enabled) != ReadStatus::ok) {
    return tl::unexpected(no_such_process(process.pid()));
  }
  if (enabled != 1) {
    return fail(ExitStatus::failed,
                fmt::format("process {} forbids remote debugging (-X disable-remote-debug, "
                            "PYTHON_DISABLE_REMOTE_DEBUG, or a Python built without it)",
                            process.pid()),
                fmt::format("start it without that, or {}", k_launch_instead));
  }
  return RemoteScript(process.pid(), layout);
}

Result<void> RemoteScript::request(Address thread_state, const std::string &path) const {
  if (path.size() + 1 > layout_.debugger_script_path_size) {
    return fail(ExitStatus::failed, fmt::format("the path {} is too long for Python", path), "report this");
  }
  const Address support = thread_state + layout_.ts_debugger_support;
  const Address breaker = thread_state + layout_.ts_eval_breaker;
  const std::int32_t pending = 1;
  const std::string_view with_nul(path.c_str(), path.size() + 1);
  ReadStatus status = write_memory(pid_, support + layout_.debugger_script_path, with_nul);
  if (status == ReadStatus::ok) {
    status = write_memory(pid_, support + layout_.debugger_pending_call, bytes_of(pending));
  }
  std::uint8_t bits = 0;
  if (status == ReadStatus::ok) {
    status = ProcessMemory(pid_).read(breaker, &bits, sizeof bits);
  }
  if (status == ReadStatus::ok) {
    bits |= k_please_stop;
    status = write_memory(pid_, breaker, bytes_of(bits));
  }
  switch (status) {
  case ReadStatus::ok:
    return {};
  case ReadStatus::denied:
    return tl::unexpected(denied_error(pid_));
  default:
    return tl::unexpected(no_such_process(pid_));
  }
}

void RemoteScript::withdraw(Address thread_state) const {
  const std::int32_t none = 0;
  write_memory(pid_, thread_state + layout_.ts_debugger_support + layout_.debugger_pending_call, bytes_of(none));
}

} // namespace awaitscope
