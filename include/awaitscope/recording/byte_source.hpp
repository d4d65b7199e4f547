#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "awaitscope/support/error.hpp"
#include "awaitscope/support/unique_fd.hpp"

namespace awaitscope {

/// Bytes from front to end: a file, a pipe, or memory.
class ByteSource {
public:
  ByteSource() = default;
  ByteSource(const ByteSource &) = delete;
  ByteSource &operator=(const ByteSource &) = delete;
  virtual ~ByteSource() = default;

  /// Fills `buffer` (of `size` bytes) as far as there is something: less than `size` only at the end. Errors of the system
  /// are errors.
  virtual Result<std::size_t> read(char *buffer, std::size_t size) = 0;

  [[nodiscard]] virtual std::string name() const = 0;
};

class FileSource final : public ByteSource {
public:
  /// "-" is standard input. Errors name the file.
  static Result<std::unique_ptr<ByteSource>> open(const std::string &path);

  FileSource(UniqueFd file, std::string name) : file_(std::move(file)), name_(std::move(name)) {}
  Result<std::size_t> read(char *buffer, std::size_t size) override;
  [[nodiscard]] std::string name() const override { return name_; }

private:
  UniqueFd file_;
  std::string name_;
};

class MemorySource final : public ByteSource {
public:
  explicit MemorySource(std::string bytes, std::string name = "the recording")
      : bytes_(std::move(bytes)), name_(std::move(name)) {}
  Result<std::size_t> read(char *buffer, std::size_t size) override;
  [[nodiscard]] std::string name() const override { return name_; }

private:
  std::string bytes_;
  std::string name_;
  std::size_t at_ = 0;
};

} // namespace awaitscope
