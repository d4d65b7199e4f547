#include "native/cfi_check.hpp"

#include <cstring>
#include <string>

#include "catch.hpp"

using namespace awaitscope;

namespace {

constexpr Address k_image_base = 0x10000;

struct Frames {
  std::string letters = "zR";
  std::string augmentation = "\x1b"; ///< pc-relative, four bytes
  std::uint8_t return_column = 16;
  std::string common =
      std::string("\x0c\x07\x08\x90\x01", 5); ///< the CFA is rsp + 8, the return address is right below it
  std::string own;                            ///< instructions of the function's description
};

std::string entry(const std::string &body) {
  std::string padded = body;
  padded.resize((padded.size() + 3) / 4 * 4, '\0');
  const auto length = static_cast<std::uint32_t>(padded.size());
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + padded;
}

bool is_sound(const Frames &frames) {
  std::string common(4, '\0');
  common += '\x01'; // version
  common += frames.letters + std::string(1, '\0') + "\x01\x78";
  common += static_cast<char>(frames.return_column);
  common += static_cast<char>(frames.augmentation.size()) + frames.augmentation + frames.common;
  std::string bytes = entry(common);
  const Address description = bytes.size();
  const auto back = static_cast<std::uint32_t>(description + 4);
  std::string own(sizeof back, '\0');
  std::memcpy(own.data(), &back, sizeof back);
  own += std::string(8, '\x10') + std::string(1, '\0') + frames.own; // an address, a size, no augmentation
  bytes += entry(own);
  return is_sound_description(
      [&](Address address, void *out, std::size_t size) {
        if (address < k_image_base || address - k_image_base > bytes.size() ||
            size > bytes.size() - (address - k_image_base)) {
          return false;
        }
        std::memcpy(out, bytes.data() + (address - k_image_base), size);
        return true;
      },
      k_image_base + description);
}

Frames with_own(const std::string &own) {
  Frames frames;
  frames.own = own;
  return frames;
}

} // namespace

TEST_CASE("what compilers write is sound", "[native]") {
  CHECK(is_sound({}));
  CHECK(is_sound(with_own("\x41\x0e\x10\x86\x02\x0d\x06"))); // push rbp, and the CFA by it
  CHECK(is_sound(with_own("\x0a\x0b")));                     // remember, restore
  // Of .plt: rsp + 8 + ((((rip & 15) >= 11) << 3).
  CHECK(is_sound(with_own(std::string("\x0f\x0b\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22", 13))));
}

TEST_CASE("what libunwind would believe is not sound", "[native]") {
  Frames frames;
  frames.return_column = 200; // an index beyond its registers
  CHECK_FALSE(is_sound(frames));
  frames = {};
  frames.common = std::string("\x90\x01", 2); // no rule for the CFA
  CHECK_FALSE(is_sound(frames));
  CHECK_FALSE(is_sound(with_own("\x09\x06\xff\x7f")));     // register 6 is in register 16383
  CHECK_FALSE(is_sound(with_own("\x0f\x03\x31\x2f\xfd"))); // DW_OP_skip
  CHECK_FALSE(is_sound(with_own("\x0f\x03\x31\x31\x1b"))); // DW_OP_div
  CHECK_FALSE(is_sound(with_own("\x15\x06\x08")));         // DW_CFA_val_offset_sf: unknown to it
  CHECK_FALSE(is_sound(with_own("\x0f\x7f\x31")));         // an expression that goes beyond the end
  frames = {};
  frames.letters = "zX";
  CHECK_FALSE(is_sound(frames));
  frames = {};
  frames.letters = "zP";
  frames.augmentation = std::string("\x50\x00", 2); // an aligned pointer
  CHECK_FALSE(is_sound(frames));
}

TEST_CASE("descriptions of any bytes are sound or not", "[native]") {
  std::uint64_t seed = 1;
  for (int round = 0; round < 20000; ++round) {
    std::string own;
    for (int i = 0; i < 12; ++i) {
      seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
      own += static_cast<char>(seed >> 56U);
    }
    is_sound(with_own(own)); // reads nothing that is not there: the sanitizers watch
  }
  SUCCEED();
}
