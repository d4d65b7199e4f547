#include "process_cpu.hpp"

namespace awaitscope::tools {

std::optional<std::uint64_t> ProcessCpu::used() {
  const std::optional<std::uint64_t> current = clock_.now();
  if (start_ && current && *current >= *start_) {
    used_ = *current - *start_;
  }
  return used_;
}

} // namespace awaitscope::tools
