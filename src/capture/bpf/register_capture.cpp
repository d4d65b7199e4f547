#include "awaitscope/capture/register_capture.hpp"

#include <cerrno>
#include <utility>

#include <bpf/bpf.h>

#include "capture/first_namespace.hpp"
#include "loaded_object.hpp"
#include "object_bytes.hpp"
#include "register_capture.h"

namespace awaitscope {
namespace {

using capture::LastRegisters;

class KernelRegisters final : public RegisterCapture {
public:
  /// The error is errno's.
  static tl::expected<std::unique_ptr<KernelRegisters>, int> load() {
    auto made = std::make_unique<KernelRegisters>();
    made->object_ = capture::open_object(capture::register_capture_bytes());
    if (!made->object_ || bpf_object__load(made->object_.get()) != 0) {
      return tl::unexpected(errno);
    }
    made->processes_ = capture::map_of(made->object_, "processes");
    made->threads_ = capture::map_of(made->object_, "threads");
    made->at_leave_ = capture::attach(made->object_, "at_leave");
    if (!made->at_leave_) {
      return tl::unexpected(errno);
    }
    return made;
  }

  bool follow(ThreadId process) override {
    const auto key = static_cast<std::uint32_t>(process);
    const std::uint8_t followed = 1;
    return bpf_map_update_elem(processes_, &key, &followed, BPF_ANY) == 0;
  }

  void leave(ThreadId process) override {
    const auto key = static_cast<std::uint32_t>(process);
    bpf_map_delete_elem(processes_, &key);
  }

  [[nodiscard]] std::optional<Registers> last_of(ThreadId tid) const override {
    const auto key = static_cast<std::uint32_t>(tid);
    LastRegisters of{};
    if (bpf_map_lookup_elem(threads_, &key, &of) != 0) {
      return std::nullopt;
    }
    return Registers{of.rax, of.rdx, of.rcx, of.rbx, of.rsi, of.rdi, of.rbp, of.rsp, of.r8,
                     of.r9,  of.r10, of.r11, of.r12, of.r13, of.r14, of.r15, of.rip};
  }

private:
  capture::Object object_;
  capture::Link at_leave_;
  int processes_ = -1; ///< of the object
  int threads_ = -1;   ///< likewise
};

} // namespace

Result<std::unique_ptr<RegisterCapture>> RegisterCapture::open() {
  if (!capture::in_first_namespace()) {
    return tl::unexpected(capture::other_namespace());
  }
  auto loaded = KernelRegisters::load();
  if (!loaded) {
    return capture::refused(loaded.error());
  }
  return std::move(*loaded);
}

} // namespace awaitscope
