#pragma once

#include <array>
#include <string_view>

namespace awaitscope {

/// greenlet, src/greenlet/PyGreenlet.cpp (1.0 to 3.5): tp_name of its class; a program's own classes derive from it.
inline constexpr std::string_view k_greenlet_type = "greenlet.greenlet";

/// How the stack of a thread begins that is in no greenlet of its own.
inline constexpr std::array k_first_functions{
    std::string_view{"<module>"}, std::string_view{"_run_module_as_main"},
    std::string_view{"Thread._bootstrap"}, // Lib/threading.py
    std::string_view{"_bootstrap"},        // the same before 3.11
};

} // namespace awaitscope
