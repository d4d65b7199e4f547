#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

// zstd's own names of its contexts.
struct ZSTD_CCtx_s; // NOLINT(readability-identifier-naming)
struct ZSTD_DCtx_s; // NOLINT(readability-identifier-naming)

namespace awaitscope {

/// The head of a recording in this revision of the format.
std::string recording_head();

enum class HeadStatus : std::uint8_t { readable, newer, foreign };

/// `head` has format::k_head_size bytes.
HeadStatus check_head(std::string_view head, std::uint32_t &revision);

/// Blocks → frames.
class FrameEncoder {
public:
  FrameEncoder();

  /// The frame of a block, which must not be larger than format::k_max_block. To be written in the order of calls.
  std::string encode(std::string_view block);

private:
  struct Free {
    void operator()(ZSTD_CCtx_s *context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
};

/// A frame's own description: lengths, and what must be true of its data.
struct FrameHead {
  std::uint32_t length = 0;
  std::uint32_t block_length = 0;
  std::uint64_t checksum = 0;

  static FrameHead parse(std::string_view bytes);
  /// Whether a writer can have written it.
  [[nodiscard]] bool plausible() const;
  [[nodiscard]] bool vouches_for(std::string_view data) const;
};

/// Frames → blocks, in order and without a gap.
class FrameDecoder {
public:
  FrameDecoder();

  /// Replaces `block`. False if the data is not what the head says: nothing more can be decoded then.
  bool decode(const FrameHead &head, std::string_view data, std::string &block);

private:
  struct Free {
    void operator()(ZSTD_DCtx_s *context) const;
  };
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
};

} // namespace awaitscope
