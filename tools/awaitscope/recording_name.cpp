#include "recording_name.hpp"

#include <ctime>

#include <fmt/format.h>

namespace awaitscope::tools {

std::string recording_name(ThreadId pid) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  std::string text(32, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y%m%d-%H%M%S", &parts));
  return fmt::format("awaitscope-{}-{}.ascope", pid, text);
}

} // namespace awaitscope::tools
