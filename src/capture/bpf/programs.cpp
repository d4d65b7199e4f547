#include "capture/programs.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "awaitscope/support/clock.hpp"
#include "loaded_object.hpp"
#include "object_bytes.hpp"

namespace awaitscope::capture {
namespace {

struct Unmaps {
  void operator()(CaptureMemory *memory) const { ::munmap(memory, sizeof *memory); }
};
using Ring = std::unique_ptr<ring_buffer, Calls<ring_buffer__free>>;
using Memory = std::unique_ptr<CaptureMemory, Unmaps>;

/// The variables of the programs. libbpf maps only a copy of them: this is what the kernel has.
Memory map_memory(const Object &object) {
  void *const mapped = ::mmap(nullptr, sizeof(CaptureMemory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                              map_of(object, ".bss"), 0);
  return Memory(mapped == MAP_FAILED ? nullptr
                                     : static_cast<CaptureMemory *>(mapped)); // NOLINT: a macro of the C library
}

class BpfPrograms final : public Programs {
public:
  /// The error is errno's.
  static tl::expected<std::unique_ptr<BpfPrograms>, int> load() {
    auto programs = std::make_unique<BpfPrograms>();
    programs->object_ = open_object(switch_capture_bytes());
    if (programs->object_ && ::access("/sys/kernel/btf/vmlinux", R_OK) != 0) { // nothing says where its fields are
      bpf_program__set_autoload(bpf_object__find_program_by_name(programs->object_.get(), "at_waking"), false);
    }
    if (!programs->object_ || bpf_object__load(programs->object_.get()) != 0) {
      return tl::unexpected(errno);
    }
    programs->memory_ = map_memory(programs->object_);
    const auto ignore = [](void *, void *, std::size_t) { return 0; };
    programs->ring_ = Ring(ring_buffer__new(map_of(programs->object_, "wakeups"), ignore, nullptr, nullptr));
    if (!programs->memory_ || !programs->ring_) {
      return tl::unexpected(errno);
    }
    programs->at_switch_ = attach(programs->object_, "at_switch");
    if (!programs->at_switch_) {
      return tl::unexpected(errno);
    }
    programs->at_timer_ = attach(programs->object_, "at_timer");
    programs->at_waking_ = attach(programs->object_, "at_waking");
    return programs;
  }

  CaptureMemory &memory() override { return *memory_; }
  [[nodiscard]] bool at_timers() const override { return at_timer_ != nullptr; }
  [[nodiscard]] bool at_wakings() const override { return at_waking_ != nullptr; }

  bool count(int event) override {
    const std::uint32_t first = 0;
    return bpf_map_update_elem(map_of(object_, "counter"), &first, &event, BPF_ANY) == 0;
  }

  void wait(std::int64_t until_ns) override {
    const std::int64_t left = std::max<std::int64_t>(0, until_ns - monotonic_ns());
    const timespec timeout{left / k_ns_per_second, left % k_ns_per_second};
    pollfd ring{ring_buffer__epoll_fd(ring_.get()), POLLIN, 0};
    ::ppoll(&ring, 1, &timeout, nullptr);
    ring_buffer__consume(ring_.get());
  }

private:
  Object object_;
  Memory memory_;
  Ring ring_;
  Link at_switch_;
  Link at_timer_;
  Link at_waking_;
};

} // namespace

Result<std::unique_ptr<Programs>> load_programs() {
  auto programs = BpfPrograms::load();
  if (!programs) {
    return refused(programs.error());
  }
  return std::move(*programs);
}

} // namespace awaitscope::capture
