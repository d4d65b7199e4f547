#include "first_namespace.hpp"

#include <sys/stat.h>

namespace awaitscope::capture {

bool in_first_namespace() {
  constexpr ino_t k_first = 0xEFFFFFFC; // include/linux/proc_ns.h, PROC_PID_INIT_INO
  struct stat status {};
  return ::stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == k_first;
}

Error other_namespace() {
  return {ExitStatus::failed, "the BPF programs work in the first PID namespace only, and this is another one",
          "run awaitscope on the host, or use --engine preempt"};
}

} // namespace awaitscope::capture
