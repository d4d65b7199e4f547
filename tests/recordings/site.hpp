#pragma once

#include <cstdint>

#include "synthetic.hpp"

namespace awaitscope::testing {

RecordingInfo site_info();

/// Two seconds at 1 kHz of a web server that never was: functions of the project, of packages and of the standard library, with long,
/// wide and combining names; requests in tasks; a thread whose calls' arguments are known, and one that runs no Python; CPU time that no
/// sample stands for. The same for the same seed, on every machine. The recorder is one of site_info().
void record_site(MemoryRecorder &recorder, std::uint64_t seed);

} // namespace awaitscope::testing
