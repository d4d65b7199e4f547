// usage: code_lines PID < "ADDRESS BYTES" lines
//
// Prints, for each code object of that live process named on stdin by its address (decimal) and the size of its bytecode,
// what the reader makes of it: one JSON object a line, {"function", "file", "first_line", "lines": the line at each
// instruction, null where there is none}, or null if it cannot be read. Exit status 1 if the process cannot.
#include <charconv>
#include <cstdint>
#include <iostream>
#include <string_view>

#include <nlohmann/json.hpp>

#include "awaitscope/cpython/code_cache.hpp"
#include "awaitscope/cpython/runtime.hpp"

namespace {

using namespace awaitscope;

constexpr std::int64_t k_instruction = 2; // bytes, in every CPython since 3.6

nlohmann::json described(CodeCache &cache, Address address, std::int64_t size) {
  const std::optional<CodeId> id = cache.find(address);
  if (!id) {
    return nullptr;
  }
  nlohmann::json lines = nlohmann::json::array();
  for (std::int64_t at = 0; at < size; at += k_instruction) {
    const std::int32_t line = cache.line(address, at);
    lines.push_back(line == 0 ? nlohmann::json(nullptr) : nlohmann::json(line));
  }
  const CodeInfo &info = cache.info(*id);
  return {{"function", info.function}, {"file", info.file}, {"first_line", info.first_line}, {"lines", lines}};
}

int run(ThreadId pid) {
  const Result<Process> process = Process::open(pid);
  if (!process) {
    std::cerr << process.error().what << '\n';
    return 1;
  }
  ProcessMemory remote = process->memory();
  const Result<PythonRuntime> runtime = find_runtime(*process, remote);
  if (!runtime) {
    std::cerr << runtime.error().what << '\n';
    return 1;
  }
  SnapshotMemory snapshot(remote);
  ObjectReader objects(snapshot, runtime->layout);
  CodeTable table;
  constexpr Address k_no_counter = 0;
  CodeCache cache(objects, table, k_no_counter);
  Address address = 0;
  std::int64_t size = 0;
  while (std::cin >> address >> size) {
    snapshot.begin();
    cache.begin(0);
    std::cout << described(cache, address, size).dump() << '\n';
  }
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  ThreadId pid = 0;
  const std::string_view word = argc == 2 ? argv[1] : "";
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), pid);
  if (word.empty() || error != std::errc{} || end != word.data() + word.size()) {
    std::cerr << "usage: code_lines PID\n";
    return 2;
  }
  return run(pid);
}
