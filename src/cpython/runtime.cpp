#include "awaitscope/cpython/runtime.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

namespace awaitscope {
namespace {

constexpr std::size_t k_max_images = 512;
constexpr std::size_t k_max_scan = std::size_t{64} << 20U;

/// A mapped file with the mappings that belong to it, in the order of the address space.
struct Image {
  std::string path;
  std::vector<MapEntry> mappings;
  std::vector<MapEntry> data; ///< writable: its own, and the anonymous one right behind (.bss)
};

bool is_file(const MapEntry &entry) { return entry.inode != 0 && !entry.path.empty() && entry.path.front() == '/'; }

std::vector<Image> images_of(const std::vector<MapEntry> &maps, const std::string &executable) {
  std::vector<Image> images;
  for (std::size_t i = 0; i < maps.size() && images.size() < k_max_images; ++i) {
    const MapEntry &entry = maps[i];
    if (!is_file(entry)) {
      continue;
    }
    auto image =
        std::find_if(images.begin(), images.end(), [&](const Image &known) { return known.path == entry.path; });
    if (image == images.end()) {
      images.push_back({entry.path, {}, {}});
      image = std::prev(images.end());
    }
    image->mappings.push_back(entry);
    if (entry.writable) {
      image->data.push_back(entry);
      if (i + 1 < maps.size() && maps[i + 1].start == entry.end && maps[i + 1].writable && maps[i + 1].inode == 0) {
        image->data.push_back(maps[i + 1]);
      }
    }
  }
  const auto rank = [&](const Image &image) {
    const bool libpython = image.path.find("libpython") != std::string::npos;
    return libpython ? 0 : image.path == executable ? 1 : 2;
  };
  std::stable_sort(images.begin(), images.end(), [&](const Image &a, const Image &b) { return rank(a) < rank(b); });
  return images;
}

/// One image that may hold an interpreter, opened.
struct Candidate {
  const Image *image;
  ElfImage elf;
  Address bias;
};

std::optional<Candidate> open_candidate(const Process &process, const Image &image) {
  const bool executes = std::any_of(image.mappings.begin(), image.mappings.end(),
                                    [](const MapEntry &mapping) { return mapping.executable; });
  if (!executes) {
    return std::nullopt;
  }
  std::optional<ElfImage> elf = process.open_mapped(image.mappings.front());
  const std::optional<Address> bias = elf ? elf->load_bias(image.mappings.front()) : std::nullopt;
  if (!bias) {
    return std::nullopt;
  }
  return Candidate{&image, std::move(*elf), *bias};
}

std::string read_debug_table(RemoteMemory &memory, Address runtime) {
  std::string table(k_debug_offsets_size, '\0');
  return memory.read(runtime, table.data(), table.size()) == ReadStatus::ok ? table : std::string();
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
  return find_version_string(candidate.elf.section_bytes(".rodata"));
}

bool points_back(RemoteMemory &memory, const Layout &layout, Address interpreter) {
  Address thread = 0;
  Address owner = 0;
  return memory.read(interpreter + layout.is_threads_head, &thread, sizeof thread) == ReadStatus::ok && thread != 0 &&
         memory.read(thread + layout.ts_interp, &owner, sizeof owner) == ReadStatus::ok && owner == interpreter;
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
    if (heads[0] != 0 && heads[0] == heads[1] && heads[0] % 8 == 0 && points_back(memory, layout, heads[0])) {
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

/// What was learned of an image that is a Python's but cannot be read, for the error.
struct Findings {
  PythonVersion unsupported;
  bool unreadable = false;
};

std::optional<PythonRuntime> probe(const Candidate &candidate, RemoteMemory &memory, Findings &findings) {
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
  const bool is_python = runtime.address != 0 || candidate.elf.symbol("Py_GetVersion") ||
                         candidate.image->path.find("python") != std::string::npos;
  if (!is_python) {
    return std::nullopt;
  }
  const PythonVersion version = version_of(candidate, memory, table);
  if (version.major == 0) {
    return std::nullopt;
  }
  Result<Layout> layout = layout_for(version);
  if (!layout) {
    findings.unsupported = version;
    return std::nullopt;
  }
  runtime.layout = *layout;
  if (runtime.address == 0) {
    const std::optional<Address> found = scan_image(memory, runtime.layout, *candidate.image);
    if (!found) {
      return std::nullopt;
    }
    runtime.address = *found;
    runtime.found_by = "scan";
  }
  const std::string offsets = table.empty() ? read_debug_table(memory, runtime.address) : table;
  if (debug_offsets_version(offsets).major != 0 && !apply_debug_offsets(offsets, runtime.layout)) {
    findings.unreadable = true; // its own table contradicts itself, or it is a free-threaded build
    return std::nullopt;
  }
  return runtime;
}

Error not_python(const Process &process, const Findings &findings) {
  if (findings.unsupported.major != 0) {
    return {
        ExitStatus::no_target,
        fmt::format("process {} runs Python {}, which is not supported", process.pid(), findings.unsupported.text()),
        "this version of awaitscope reads CPython 3.11, 3.12 and 3.13"};
  }
  if (findings.unreadable) {
    return {ExitStatus::no_target,
            fmt::format("process {} runs a Python whose own layout table is not usable", process.pid()),
            "free-threaded builds are not supported yet; use a default build of CPython 3.11, 3.12 or 3.13"};
  }
  return {ExitStatus::no_target,
          fmt::format("process {} is no Python that can be read ({})", process.pid(), process.executable()),
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
  const std::vector<Image> images = images_of(*maps, process.executable());
  for (const Image &image : images) {
    const std::optional<Candidate> candidate = open_candidate(process, image);
    if (!candidate) {
      continue;
    }
    if (std::optional<PythonRuntime> runtime = probe(*candidate, memory, findings)) {
      return *runtime;
    }
  }
  if (!process.alive()) {
    return tl::unexpected(no_such_process(process.pid()));
  }
  return tl::unexpected(not_python(process, findings));
}

std::optional<std::int64_t> find_rseq_offset(const Process &process, RemoteMemory &memory) {
  const Result<std::vector<MapEntry>> maps = process.maps();
  if (!maps) {
    return std::nullopt;
  }
  for (const Image &image : images_of(*maps, {})) {
    const bool loader =
        image.path.find("/ld-linux") != std::string::npos || image.path.find("/ld-2.") != std::string::npos;
    const std::optional<Candidate> candidate = loader ? open_candidate(process, image) : std::nullopt;
    if (!candidate) {
      continue;
    }
    const auto offset_symbol = candidate->elf.symbol("__rseq_offset");
    const auto size_symbol = candidate->elf.symbol("__rseq_size");
    std::int64_t offset = 0;
    std::uint32_t size = 0;
    if (offset_symbol && size_symbol &&
        memory.read(candidate->bias + offset_symbol->address, &offset, sizeof offset) == ReadStatus::ok &&
        memory.read(candidate->bias + size_symbol->address, &size, sizeof size) == ReadStatus::ok && size != 0) {
      return offset;
    }
  }
  return std::nullopt;
}

} // namespace awaitscope
