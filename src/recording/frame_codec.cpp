#include "awaitscope/recording/frame_codec.hpp"

#include <new>

#include <xxhash.h>
#include <zstd.h>

#include "awaitscope/recording/bytes.hpp"
#include "awaitscope/recording/format.hpp"

namespace awaitscope {
namespace {

constexpr int k_level = 3;

std::uint64_t checksum_of(std::string_view data, std::uint32_t length, std::uint32_t block_length) {
  return XXH3_64bits_withSeed(data.data(), data.size(), std::uint64_t{block_length} << 32U | length);
}

} // namespace

std::string recording_head() {
  std::string head(format::k_magic);
  put_fixed(head, format::k_revision);
  put_fixed(head, static_cast<std::uint32_t>(XXH3_64bits(head.data(), head.size())));
  return head;
}

HeadStatus check_head(std::string_view head, std::uint32_t &revision) {
  const std::size_t behind = head.size() - sizeof revision;
  if (head.substr(0, format::k_magic.size()) != format::k_magic ||
      fixed_at<std::uint32_t>(head, behind) != static_cast<std::uint32_t>(XXH3_64bits(head.data(), behind))) {
    return HeadStatus::foreign;
  }
  revision = fixed_at<std::uint32_t>(head, format::k_magic.size());
  return revision > format::k_revision ? HeadStatus::newer : HeadStatus::readable;
}

void FrameEncoder::Free::operator()(ZSTD_CCtx_s *context) const { ZSTD_freeCCtx(context); }

FrameEncoder::FrameEncoder() : context_(ZSTD_createCCtx()) {
  if (!context_) {
    throw std::bad_alloc();
  }
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, k_level);
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, format::k_window_log);
}

std::string FrameEncoder::encode(std::string_view block) {
  std::string frame(format::k_frame_head_size + ZSTD_compressBound(block.size()) + ZSTD_CStreamOutSize(), '\0');
  ZSTD_outBuffer out{frame.data(), frame.size(), format::k_frame_head_size};
  ZSTD_inBuffer in{block.data(), block.size(), 0};
  // Room for the worst case was made above, so that one call flushes all; an error would be a fault of parameters.
  while (ZSTD_compressStream2(context_.get(), &out, &in, ZSTD_e_flush) != 0 && out.pos < out.size) {
  }
  frame.resize(out.pos);
  const auto length = static_cast<std::uint32_t>(out.pos - format::k_frame_head_size);
  const auto block_length = static_cast<std::uint32_t>(block.size());
  std::string head;
  put_fixed(head, length);
  put_fixed(head, block_length);
  put_fixed(head, checksum_of(std::string_view(frame).substr(format::k_frame_head_size), length, block_length));
  frame.replace(0, head.size(), head);
  return frame;
}

FrameHead FrameHead::parse(std::string_view bytes) {
  return {fixed_at<std::uint32_t>(bytes, 0), fixed_at<std::uint32_t>(bytes, 4), fixed_at<std::uint64_t>(bytes, 8)};
}

bool FrameHead::plausible() const {
  return length > 0 && length <= format::k_max_frame && block_length > 0 && block_length <= format::k_max_block;
}

bool FrameHead::vouches_for(std::string_view data) const { return checksum_of(data, length, block_length) == checksum; }

void FrameDecoder::Free::operator()(ZSTD_DCtx_s *context) const { ZSTD_freeDCtx(context); }

FrameDecoder::FrameDecoder() : context_(ZSTD_createDCtx()) {
  if (!context_) {
    throw std::bad_alloc();
  }
  ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, format::k_window_log);
}

bool FrameDecoder::decode(const FrameHead &head, std::string_view data, std::string &block) {
  block.resize(head.block_length + std::size_t{1}); // one byte more tells that there would be more
  ZSTD_outBuffer out{block.data(), block.size(), 0};
  ZSTD_inBuffer in{data.data(), data.size(), 0};
  while (in.pos < in.size) {
    const std::size_t in_before = in.pos;
    const std::size_t out_before = out.pos;
    const std::size_t status = ZSTD_decompressStream(context_.get(), &out, &in);
    if (ZSTD_isError(status) != 0 || (in.pos == in_before && out.pos == out_before)) {
      return false;
    }
  }
  block.resize(out.pos);
  return out.pos == head.block_length;
}

} // namespace awaitscope
