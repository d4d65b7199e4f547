#include "recorded_here.hpp"

#include <array>

#include <unistd.h>

#include "version.hpp"

namespace awaitscope::tools {

RecordingInfo recorded_here(const std::vector<std::string> &words) {
  RecordingInfo info;
  info.tool_version = k_version;
  info.tool_command = words;
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0) {
    info.host = host.data();
  }
  return info;
}

} // namespace awaitscope::tools
