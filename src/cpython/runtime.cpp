#include "awaitscope/cpython/runtime.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "images.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_max_scan = std::size_t{64} << 20U;

std::string read_debug_table(RemoteMemory &memory, Address runtime) {
  std::string table(k_debug_offsets_size, '\0');
  return memory.read(runtime, table.data(), table.size()) == ReadStatus::ok ? table : std::string();
}

/// Where the strings of an image are.
std::vector<std::string> constant_bytes(const ElfImage &elf) {
  std::string constants = elf.section_bytes(".rodata");
  return constants.empty() ? elf.read_only_segments() : std::vector<std::string>{std::move(constants)};
}

/// What tells a Python from any other image.
enum class Evidence : std::uint8_t {
  names,   ///< its symbols, sections or path
  strings, ///< what it says: for one that is linked into a program whose symbols were stripped
};

bool is_python(const Candidate &candidate, const PythonRuntime &runtime, Evidence evidence) {
  if (evidence == Evidence::names) {
    return runtime.address != 0 || candidate.elf.symbol("Py_GetVersion") ||
           candidate.image->path.find("python") != std::string::npos;
  }
  constexpr std::string_view k_said = "PYTHONHASHSEED"; // Python/initconfig.c; since 3.2.3
  const std::vector<std::string> constants = constant_bytes(candidate.elf);
  return std::any_of(constants.begin(), constants.end(), [&](const std::string &bytes) {
    return ::memmem(bytes.data(), bytes.size(), k_said.data(), k_said.size()) != nullptr;
  });
}

PythonVersion version_of(const Candidate &candidate, RemoteMemory &memory, const std::string &debug_table) {
  if (const PythonVersion version = debug_offsets_version(debug_table); version.major != 0) {
    return version;
  }
  if (const auto symbol = candidate.elf.symbol("Py_Version")) {
    std::uint32_t hex = 0;
    if (memory.read(candidate.bias + symbol->address, &hex, sizeof hex) == ReadStatus::ok && hex != 0) {
      return version_from_hex(hex);
    }
  }
  for (const std::string &bytes : constant_bytes(candidate.elf)) {
    if (const PythonVersion version = find_version_string(bytes); version.major != 0) {
      return version;
    }
  }
  return {};
}

bool points_back(RemoteMemory &memory, const Layout &layout, Address interpreter) {
  Address thread = 0;
  Address owner = 0;
  return memory.read(interpreter + layout.is_threads_head, &thread, sizeof thread) == ReadStatus::ok && thread != 0 &&
         memory.read(thread + layout.ts_interp, &owner, sizeof owner) == ReadStatus::ok && owner == interpreter;
}

/// Whether that is the main interpreter, by more than points_back(): obmalloc's pools, linked in both directions, look like
/// one (Objects/obmalloc.c, usedpools). No pool names a thread: what pthread_self() gives begins with its own address
/// (x86-64 psABI, "Thread-Local Storage": the word at %fs:0).
bool is_main(RemoteMemory &memory, const Layout &layout, Address interpreter) {
  std::int64_t id = -1;
  Address thread = 0;
  Address identifier = 0;
  Address self = 0;
  return points_back(memory, layout, interpreter) &&
         memory.read(interpreter + layout.is_id, &id, sizeof id) == ReadStatus::ok && id == 0 &&
         memory.read(interpreter + layout.is_threads_head, &thread, sizeof thread) == ReadStatus::ok &&
         memory.read(thread + layout.ts_thread_id, &identifier, sizeof identifier) == ReadStatus::ok &&
         identifier != 0 && memory.read(identifier, &self, sizeof self) == ReadStatus::ok && self == identifier;
}

/// The first address in `bytes` (8-aligned) at which a _PyRuntime may begin.
std::optional<Address> scan_block(RemoteMemory &memory, const Layout &layout, Address start, std::string_view bytes) {
  const bool has_cookie = layout.rt_interpreters_head > 512; // behind a _Py_DebugOffsets
  for (std::size_t at = 0; at + 16 <= bytes.size(); at += 8) {
    if (has_cookie) {
      if (bytes.substr(at, 8) == "xdebugpy") {
        return start + at;
      }
      continue;
    }
    std::array<Address, 2> heads{};
    std::memcpy(heads.data(), bytes.data() + at, sizeof heads);
    if (heads[0] != 0 && heads[0] == heads[1] && heads[0] % 8 == 0 && is_main(memory, layout, heads[0])) {
      return start + at - layout.rt_interpreters_head;
    }
  }
  return std::nullopt;
}

std::optional<Address> scan_image(RemoteMemory &memory, const Layout &layout, const Image &image) {
  for (const MapEntry &entry : image.data) {
    std::string bytes(std::min<std::size_t>(entry.end - entry.start, k_max_scan), '\0');
    if (memory.read(entry.start, bytes.data(), bytes.size()) != ReadStatus::ok) {
      continue;
    }
    if (const auto found = scan_block(memory, layout, entry.start, bytes)) {
      return found;
    }
  }
  return std::nullopt;
}

bool initialized(const PythonRuntime &runtime, RemoteMemory &memory) {
  Address interpreter = 0;
  const Address field = runtime.address + runtime.layout.rt_interpreters_main;
  return memory.read(field, &interpreter, sizeof interpreter) == ReadStatus::ok && interpreter != 0 &&
         points_back(memory, runtime.layout, interpreter);
}

/// What was learned of an image that is a Python's but cannot be read, for the error.
struct Findings {
  std::optional<Error> unsupported;
};

std::optional<PythonRuntime> probe(const Candidate &candidate, RemoteMemory &memory, Evidence evidence,
                                   Findings &findings) {
  PythonRuntime runtime;
  runtime.image = candidate.image->path;
  if (const auto symbol = candidate.elf.symbol("_PyRuntime")) {
    runtime.address = candidate.bias + symbol->address;
    runtime.found_by = "symbol";
  } else if (const auto section = candidate.elf.section(".PyRuntime")) {
    runtime.address = candidate.bias + section->address;
    runtime.found_by = "section";
  }
  const std::string table = runtime.address != 0 ? read_debug_table(memory, runtime.address) : std::string();
  if (!is_python(candidate, runtime, evidence)) {
    return std::nullopt;
  }
  const PythonVersion version = version_of(candidate, memory, table);
  if (version.major == 0) {
    return std::nullopt;
  }
  Result<Layout> layout = layout_for(version, debug_offsets_build(table));
  if (!layout) {
    findings.unsupported = layout.error();
    return std::nullopt;
  }
  runtime.layout = *layout;
  if (!layout->next_code_version_symbol.empty()) {
    const auto counter = candidate.elf.symbol(layout->next_code_version_symbol);
    runtime.next_code_version = counter ? candidate.bias + counter->address : 0;
  }
  if (runtime.address == 0) {
    const std::optional<Address> found = scan_image(memory, runtime.layout, *candidate.image);
    if (!found) {
      return std::nullopt;
    }
    runtime.address = *found;
    runtime.found_by = "scan";
  }
  const std::string offsets = table.empty() ? read_debug_table(memory, runtime.address) : table;
  if (debug_offsets_version(offsets).major == 0) {
    if (runtime.layout.presumed) {
      findings.unsupported = unknown_layout(version);
      return std::nullopt;
    }
    return runtime;
  }
  layout = layout_for(version, debug_offsets_build(offsets));
  if (!layout || !apply_debug_offsets(offsets, *layout)) {
    findings.unsupported =
        unknown_layout(version); // its own table contradicts itself, or what is presumed of a newer one
    return std::nullopt;
  }
  runtime.layout = *layout;
  return runtime;
}

Error not_python(const Process &process, const Findings &findings) {
  if (findings.unsupported) {
    Error error = *findings.unsupported;
    error.what = fmt::format("process {}: {}", process.pid(), error.what);
    return error;
  }
  return {ExitStatus::no_target,
          fmt::format("process {} is not a supported Python process{}", process.pid(),
                      process.executable().empty() ? "" : fmt::format(" ({})", process.executable())),
          "give the PID of the Python process itself, not of its shell or supervisor (pgrep -af python)"};
}

} // namespace

bool runtime_initialized(const PythonRuntime &runtime, SnapshotMemory &memory) {
  const Address interpreter = memory.pointer(runtime.address + runtime.layout.rt_interpreters_main);
  const Address thread = interpreter == 0 ? 0 : memory.pointer(interpreter + runtime.layout.is_threads_head);
  return thread != 0 && memory.pointer(thread + runtime.layout.ts_interp) == interpreter;
}

Result<PythonRuntime> find_runtime(const Process &process, RemoteMemory &memory) {
  const Result<std::vector<MapEntry>> maps = process.maps();
  if (!maps) {
    return tl::unexpected(maps.error());
  }
  Findings findings;
  std::optional<PythonRuntime> sleeping; // mapped, but with no interpreter yet, or never
  const std::vector<Image> images = images_of(*maps, process.executable());
  for (const Evidence evidence : {Evidence::names, Evidence::strings}) {
    for (const Image &image : images) {
      const std::optional<Candidate> candidate = open_candidate(process, image);
      if (!candidate) {
        continue;
      }
      std::optional<PythonRuntime> runtime = probe(*candidate, memory, evidence, findings);
      if (runtime && initialized(*runtime, memory)) {
        return *runtime;
      }
      if (runtime && !sleeping) {
        sleeping = std::move(runtime);
      }
    }
    if (sleeping || findings.unsupported) {
      break;
    }
  }
  if (sleeping) {
    return *sleeping;
  }
  if (!process.alive()) {
    return tl::unexpected(no_such_process(process.pid()));
  }
  return tl::unexpected(not_python(process, findings));
}

bool overlay_asyncio(const Process &process, RemoteMemory &memory, PythonRuntime &runtime) {
  const Result<std::vector<MapEntry>> maps = process.maps();
  for (const Image &image : maps ? images_of(*maps, process.executable()) : std::vector<Image>{}) {
    if (image.path != runtime.image && image.path.find("_asyncio") == std::string::npos) {
      continue;
    }
    const std::optional<Candidate> candidate = open_candidate(process, image);
    const std::optional<ElfSpan> section = candidate ? candidate->elf.section(".AsyncioDebug") : std::nullopt;
    std::array<std::uint64_t, k_asyncio_debug_words> table{};
    if (section && section->size >= sizeof table &&
        memory.read(candidate->bias + section->address, table.data(), sizeof table) == ReadStatus::ok) {
      return apply_asyncio_debug(table, runtime.layout);
    }
  }
  return false;
}

} // namespace awaitscope
