#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace awaitscope {

/// greenlet, src/greenlet/PyGreenlet.cpp (1.0 to 3.5): tp_name of its class; a program's own classes derive from it.
inline constexpr std::string_view k_greenlet_type = "greenlet.greenlet";

/// Of a greenlet that waits: where its innermost frame object is (`_top_frame`, null while it runs), in bytes.
///
/// 2.0 to 3.5, greenlet.h: behind the PyObject weakreflist, dict and pimpl, the C++ object Greenlet (TGreenlet.hpp;
/// greenlet_greenlet.hpp before 3.1): the vtable; from 3.1 on _self; exc_info and exc_state, which is of four words up to
/// CPython 3.10 and of two since; two of SwitchingArgs; five of StackState; the context; then _top_frame.
inline constexpr std::uint32_t k_greenlet_pimpl = 16;
inline constexpr std::array<std::uint32_t, 4> k_greenlet_top_frames{96, 104, 112, 120};
inline constexpr std::int64_t k_greenlet_size = 24;
/// 1.0 and 1.1, greenlet.h: all is in the object: five words of its C stack, parent and run_info come before top_frame.
inline constexpr std::uint32_t k_greenlet_top_frame_before_2 = 56;

/// How the stack of a thread begins that is in no greenlet of its own.
inline constexpr std::array k_first_functions{
    std::string_view{"<module>"}, std::string_view{"_run_module_as_main"},
    std::string_view{"Thread._bootstrap"}, // Lib/threading.py
    std::string_view{"_bootstrap"},        // the same before 3.11
};

} // namespace awaitscope
