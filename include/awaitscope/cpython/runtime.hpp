#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "awaitscope/capture/snapshot_memory.hpp"
#include "awaitscope/cpython/layout.hpp"
#include "awaitscope/process/process.hpp"

namespace awaitscope {

/// Where a process's CPython keeps its _PyRuntime, and how it is laid out.
struct PythonRuntime {
  Address address = 0;
  Layout layout;
  Address next_code_version = 0; ///< the counter of all code objects made; 0: each interpreter has its own, or unknown
  Offset descriptor_tid = k_absent; ///< from a thread pointer to its TID, where thread states lack it
  std::string found_by;             ///< "symbol", "section" or "scan"
  std::string image;                ///< path of the file that holds the interpreter
};

/// Finds the interpreter in the process: by symbol (_PyRuntime), by section (.PyRuntime, 3.10+) or by a scan of the
/// writable data behind each image. The layout has been checked against the live interpreter.
/// no_target: no Python, or one that is not supported; denied: ptrace access refused.
Result<PythonRuntime> find_runtime(const Process &process, RemoteMemory &memory);

/// True once the interpreter at `runtime` has a main interpreter with a thread that points back to it.
bool runtime_initialized(const PythonRuntime &runtime, SnapshotMemory &memory);

/// The PY_VERSION string of a CPython (Python/getversion.c) among the NUL-terminated strings of read-only data:
/// the first one of the form 2.7.18, 3.13.0, 3.14.0rc1, or else that ends like that. major 0 if there is none.
PythonVersion find_version_string(std::string_view read_only_data);

/// `__rseq_offset` of the target's own C library (glibc 2.35+): where a thread's rseq area lies, from its thread
/// pointer. Nothing if it has none, or registers none.
std::optional<std::int64_t> find_rseq_offset(const Process &process, RemoteMemory &memory);

/// Where the C library's descriptor of a thread keeps its TID, from the thread pointer: for Pythons that do not say it
/// themselves. k_absent if no place fits all these threads.
Offset find_descriptor_tid(const Process &process, RemoteMemory &memory, const std::vector<Address> &thread_pointers);

/// Takes over what the target's .AsyncioDebug section says of its tasks (CPython 3.14+). False if it has none that makes sense.
bool overlay_asyncio(const Process &process, RemoteMemory &memory, PythonRuntime &runtime);

} // namespace awaitscope
