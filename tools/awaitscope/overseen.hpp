#pragma once

#include <functional>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/support/error.hpp"
#include "output.hpp"

namespace awaitscope::tools {

/// Runs what reads process `pid` in a thread of its own (OverseenThread) until it is done. Where a page that it reads does not come
/// within some seconds, or when the user asks to stop meanwhile, calls `leave`, which has to end this process.
void run_overseen(ThreadId pid, const std::function<void()> &read, const std::function<void(const Error &)> &leave);

/// The same of a command that writes what it has read: `output`, of which nothing is written yet, is discarded when it leaves.
void run_overseen(ThreadId pid, Output &output, const std::function<void()> &read);

/// Ends this process with the error's status, and without destructors: a thread may still use what they would end.
[[noreturn]] void leave_with(const Error &error);

} // namespace awaitscope::tools
