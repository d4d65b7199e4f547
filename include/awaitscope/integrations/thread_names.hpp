#pragma once

#include <string>
#include <vector>

#include "awaitscope/model/code_table.hpp"
#include "awaitscope/model/stack.hpp"

namespace awaitscope {

/// A thread's name without the numbers that a library gave it, so that equal work folds: "ThreadPoolExecutor-3_0" is
/// "ThreadPoolExecutor", "Thread-7 (poll)" is "Thread (poll)". "db_0" is "db" if `frames` (of the thread) stand below a
/// worker of a pool, which numbers its threads behind the name that the program gave it. A name that the program gave whole stays.
std::string lasting_thread_name(const std::string &name, const CodeTable &codes, const std::vector<Frame> &frames);

} // namespace awaitscope
