#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include <bpf/libbpf.h>

#include "awaitscope/support/error.hpp"

namespace awaitscope::capture {

template <auto Function> struct Calls {
  template <typename T> void operator()(T *pointer) const { Function(pointer); }
};
using Object = std::unique_ptr<bpf_object, Calls<bpf_object__close>>;
using Link = std::unique_ptr<bpf_link, Calls<bpf_link__destroy>>;

/// Null where it cannot be opened: errno says why.
Object open_object(std::span<const std::byte> bytes);

/// The descriptor of a map, which the object keeps; -1 if it has none of that name.
int map_of(const Object &object, const char *name);

/// Null where it cannot be attached: errno says why.
Link attach(const Object &object, const char *program);

/// Of errno, after the kernel has refused an object.
tl::unexpected<Error> refused(int error);

} // namespace awaitscope::capture
