#include "terminal.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace awaitscope::tools {

std::size_t output_width() {
  constexpr std::size_t k_narrowest = 40;
  constexpr std::size_t k_widest = 10'000;
  constexpr std::size_t k_usual = 80;
  std::size_t width = 0;
  if (const char *columns = std::getenv("COLUMNS"); columns != nullptr) { // NOLINT(concurrency-mt-unsafe)
    const std::string_view text = columns;
    std::from_chars(text.data(), text.data() + text.size(), width);
  }
  winsize size{};
  if (width == 0 && ::isatty(STDOUT_FILENO) == 1 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
    width = size.ws_col;
  }
  return width == 0 ? k_usual : std::clamp(width, k_narrowest, k_widest);
}

} // namespace awaitscope::tools
