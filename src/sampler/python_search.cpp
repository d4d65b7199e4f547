#include "awaitscope/sampler/python_search.hpp"

#include <cstddef>
#include <unordered_set>
#include <utility>

#include "awaitscope/process/image_identity.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_most_processes = 4096;

Result<std::unique_ptr<Target>> attach(ThreadId pid, CodeTable &codes) {
  Result<Process> process = Process::open(pid);
  if (!process) {
    return tl::unexpected(process.error());
  }
  auto target = std::make_unique<Target>(std::move(*process), codes);
  if (const Result<void> attached = target->attach(); !attached) {
    return tl::unexpected(attached.error());
  }
  return target;
}

} // namespace

PythonSearch find_pythons(ThreadId root, CodeTable &codes) {
  PythonSearch search;
  std::vector<ThreadId> processes{root};
  std::unordered_set<ThreadId> met{root};
  for (std::size_t i = 0; i < processes.size(); ++i) {
    const ThreadId pid = processes[i];
    Result<std::unique_ptr<Target>> target = attach(pid, codes);
    if (target) {
      search.found.push_back(std::move(*target));
      continue;
    }
    if (pid == root || target.error().status != ExitStatus::no_target) {
      search.why_not = target.error();
    }
    for (const ThreadId child : children_of(pid)) {
      if (processes.size() < k_most_processes && met.insert(child).second) {
        processes.push_back(child);
      }
    }
  }
  return search;
}

} // namespace awaitscope
