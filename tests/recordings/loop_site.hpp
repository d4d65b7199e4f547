#pragma once

#include "synthetic.hpp"

namespace awaitscope::testing {

RecordingInfo loop_site_info();

/// Six seconds at 100 Hz of a web server that never was: a thread whose event loop is busy with short steps of tasks, and held now and
/// then; and one that handles requests, which execute statements, one of them again and again. Always the same. The recorder is one of
/// loop_site_info().
void record_loop_site(MemoryRecorder &recorder);

} // namespace awaitscope::testing
