#include "awaitscope/capture/register_capture.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <bpf/bpf.h>

#include "awaitscope/process/registers.hpp"
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
    LastRegisters last{};
    if (bpf_map_lookup_elem(threads_, &key, &last) != 0) {
      return std::nullopt;
    }
    user_regs_struct all{};
    static_assert(sizeof last <= sizeof all);
    std::memcpy(&all, &last, sizeof last);
    return registers_of(all);
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
