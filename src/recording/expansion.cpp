#include "awaitscope/recording/expansion.hpp"

#include "awaitscope/recording/format.hpp"

namespace awaitscope {

bool Expansion::allows(std::uint64_t content, std::uint64_t bytes) {
  return content <= format::k_content_free + format::k_content_per_byte * bytes;
}

bool Expansion::allows(const RecordingTables &tables, StackId stack, std::uint64_t bytes) {
  counted_.resize(tables.stacks.size());
  if (counted_[stack]) {
    return true;
  }
  counted_[stack] = true;
  const std::uint64_t most = format::k_shown_free + format::k_shown_per_byte * bytes;
  for (StackId at = stack; at != 0 && shown_ <= most; at = tables.stacks.parent(at)) {
    const Frame &frame = tables.stacks.leaf(at);
    shown_ += format::k_shown_per_frame;
    if (is_named(frame.kind)) {
      const CodeInfo &code = tables.codes.at(frame.code);
      shown_ += code.function.size() + code.file.size();
    }
  }
  return shown_ <= most;
}

} // namespace awaitscope
