#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "awaitscope/export/names.hpp"
#include "awaitscope/model/code_table.hpp"
#include "awaitscope/model/process_snapshot.hpp"

namespace awaitscope {

enum class FrameOrder : std::uint8_t { innermost_first, outermost_first };

struct DumpLayout {
  std::size_t width = 80; ///< columns of the terminal
  FrameOrder order = FrameOrder::innermost_first;
  FileNames files = FileNames::importable;
  std::vector<std::string> import_paths; ///< of the process, to shorten file names by
};

/// For people: who holds the GIL, each thread and each task with its stack. Idle threads with equal stacks are one entry.
std::string dump_text(const ProcessSnapshot &snapshot, const CodeTable &codes, const DumpLayout &layout = {});

/// One JSON object, schema 1. Frames are root first.
std::string dump_json(const ProcessSnapshot &snapshot, const CodeTable &codes);

} // namespace awaitscope
