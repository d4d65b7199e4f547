#pragma once

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>

// What several tests use.

constexpr std::int64_t k_ms = 1'000'000; ///< in nanoseconds
constexpr std::int64_t k_second = 1000 * k_ms;

inline bool has(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

inline std::string bytes_of(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}
