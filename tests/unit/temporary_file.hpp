#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

/// A file with these bytes, removed with this. Tests that run side by side give it different names.
class TemporaryFile {
public:
  TemporaryFile(const std::string &name, const std::string &bytes)
      : path_(std::filesystem::temp_directory_path() / ("awaitscope-" + name + "-" + std::to_string(::getpid()))) {
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }

private:
  std::filesystem::path path_;
};
