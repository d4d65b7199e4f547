// The compiled programs, as bytes of the executable. Both files are in the folder that the build names.
#include "object_bytes.hpp"

#define AWAITSCOPE_OBJECT(name)                                                                                        \
  asm(".pushsection .rodata\n"                                                                                         \
      ".balign 16\n"                                                                                                   \
      "k_" #name ":\n"                                                                                                 \
      ".incbin \"" AWAITSCOPE_BPF_OBJECTS "/" #name ".bpf.o\"\n"                                                       \
      "k_" #name "_end:\n"                                                                                             \
      ".popsection\n");                                                                                                \
  extern "C" const std::byte k_##name;                                                                                 \
  extern "C" const std::byte k_##name##_end

AWAITSCOPE_OBJECT(switch_capture);
AWAITSCOPE_OBJECT(register_capture);

namespace awaitscope::capture {

std::span<const std::byte> switch_capture_bytes() { return {&k_switch_capture, &k_switch_capture_end}; }

std::span<const std::byte> register_capture_bytes() { return {&k_register_capture, &k_register_capture_end}; }

} // namespace awaitscope::capture
