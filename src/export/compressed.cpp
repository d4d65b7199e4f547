#include "compressed.hpp"

#include <algorithm>
#include <new>

#include <zlib.h>

namespace awaitscope {
namespace {

std::string compressed(std::string_view text) {
  std::string bytes;
  uLongf size = ::compressBound(text.size());
  bytes.resize(size);
  const auto *from = reinterpret_cast<const Bytef *>(text.data());
  auto *to = reinterpret_cast<Bytef *>(bytes.data());
  if (::compress2(to, &size, from, text.size(), Z_DEFAULT_COMPRESSION) != Z_OK) {
    throw std::bad_alloc(); // there is room enough, so that memory is all that it can lack (zlib.h)
  }
  bytes.resize(size);
  return bytes;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view k_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) { // three bytes become four letters
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    unsigned number = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      number = number << 8U | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text += j <= count ? k_letters[number >> (18 - 6 * j) & 63U] : '=';
    }
  }
  return text;
}

} // namespace

std::string compressed_base64(std::string_view text) { return base64(compressed(text)); }

} // namespace awaitscope
