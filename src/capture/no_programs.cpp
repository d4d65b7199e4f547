// In place of the folder bpf, where clang or libbpf was missing when this was built.
#include "programs.hpp"

namespace awaitscope::capture {

Result<std::unique_ptr<Programs>> load_programs() {
  return fail(ExitStatus::failed, "this awaitscope was built without BPF programs",
              "build it where clang and libbpf-dev are installed, or use --engine preempt");
}

} // namespace awaitscope::capture
