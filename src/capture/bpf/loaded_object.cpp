#include "loaded_object.hpp"

#include <cerrno>
#include <cstring>

#include <bpf/bpf.h>
#include <fmt/format.h>

namespace awaitscope::capture {

Object open_object(std::span<const std::byte> bytes) {
  libbpf_set_print(nullptr); // it would write to stderr
  bpf_object_open_opts options{};
  options.sz = sizeof options;
  options.object_name = "awaitscope";
  return Object(bpf_object__open_mem(bytes.data(), bytes.size(), &options));
}

int map_of(const Object &object, const char *name) {
  const bpf_map *const map = bpf_object__find_map_by_name(object.get(), name);
  return map == nullptr ? -1 : bpf_map__fd(map);
}

Link attach(const Object &object, const char *program) {
  return Link(bpf_program__attach(bpf_object__find_program_by_name(object.get(), program)));
}

tl::unexpected<Error> refused(int error) {
  if (error == EPERM || error == EACCES) {
    return fail(ExitStatus::denied, "the kernel does not permit BPF programs here",
                "run as root, or with CAP_BPF and CAP_PERFMON; or use --engine preempt");
  }
  return fail(ExitStatus::failed, fmt::format("the kernel refuses the BPF programs: {}", std::strerror(error)),
              "use --engine preempt");
}

} // namespace awaitscope::capture
