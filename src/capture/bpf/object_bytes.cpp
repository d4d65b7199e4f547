// The compiled programs, as bytes of the executable.
#include "object_bytes.hpp"

asm(".pushsection .rodata\n"
    ".balign 16\n"
    "k_bpf_object:\n"
    ".incbin \"" AWAITSCOPE_BPF_OBJECT "\"\n"
    "k_bpf_object_end:\n"
    ".popsection\n");

extern "C" const std::byte k_bpf_object;
extern "C" const std::byte k_bpf_object_end;

namespace awaitscope::capture {

std::span<const std::byte> object_bytes() { return {&k_bpf_object, &k_bpf_object_end}; }

} // namespace awaitscope::capture
