#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace awaitscope {

inline void put_varint(std::string &out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  out += static_cast<char>(value);
}

inline std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
}

inline std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1U) ^ (0 - (value & 1U)));
}

inline void put_text(std::string &out, std::string_view text) {
  put_varint(out, text.size());
  out += text;
}

template <typename Number> void put_fixed(std::string &out, Number value) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    out += static_cast<char>(value >> (8 * i));
  }
}

template <typename Number> Number fixed_at(std::string_view bytes, std::size_t at) {
  Number value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) {
    value |= static_cast<Number>(static_cast<Number>(static_cast<unsigned char>(bytes[at + i])) << (8 * i));
  }
  return value;
}

/// Takes values off the front of bytes that nobody vouches for. What is not there reads as 0 or empty, and ok() is false
/// from then on.
class ByteReader {
public:
  ByteReader() = default;
  explicit ByteReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  std::uint64_t varint() {
    if (at_ != end_ && static_cast<unsigned char>(*at_) < 0x80) {
      return static_cast<unsigned char>(*at_++);
    }
    return long_varint();
  }

  std::string_view bytes(std::uint64_t size) {
    if (size > left()) {
      give_up();
      return {};
    }
    const std::string_view taken(at_, size);
    at_ += size;
    return taken;
  }

  std::string_view text() { return bytes(varint()); }

  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] bool ok() const { return ok_; }

private:
  std::uint64_t long_varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) {
        return value;
      }
    }
    give_up();
    return 0;
  }

  void give_up() {
    ok_ = false;
    at_ = end_;
  }

  const char *at_ = nullptr;
  const char *end_ = nullptr;
  bool ok_ = true;
};

} // namespace awaitscope
