// In place of the folder bpf, where clang or libbpf was missing when this was built.
#include "awaitscope/capture/register_capture.hpp"
#include "programs.hpp"

namespace awaitscope {
namespace {

tl::unexpected<Error> without_programs() {
  return fail(ExitStatus::failed, "this awaitscope was built without BPF programs",
              "build it where clang and libbpf-dev are installed, or use --engine preempt");
}

} // namespace

Result<std::unique_ptr<capture::Programs>> capture::load_programs() { return without_programs(); }

Result<std::unique_ptr<RegisterCapture>> RegisterCapture::open() { return without_programs(); }

} // namespace awaitscope
