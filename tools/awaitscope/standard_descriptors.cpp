#include "standard_descriptors.hpp"

#include <initializer_list>

#include <fcntl.h>
#include <unistd.h>

namespace awaitscope::tools {

void open_standard_descriptors() {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(standard, F_GETFD) < 0) {
      // The lowest free number is this one: those below it are open (open(2)). "/" is there even without /dev.
      static_cast<void>(::open("/", O_PATH | O_CLOEXEC));
    }
  }
}

} // namespace awaitscope::tools
