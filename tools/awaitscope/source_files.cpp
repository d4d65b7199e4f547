#include "source_files.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "awaitscope/report/hot_files.hpp"
#include "awaitscope/support/text.hpp"
#include "awaitscope/support/unique_fd.hpp"
#include "recorded_here.hpp"

namespace awaitscope::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_most_files = 10;
constexpr std::size_t k_most_asked = 100;       ///< of which as many as that are shown
constexpr std::size_t k_longest = 300'000;      ///< bytes of one file
constexpr std::size_t k_most_bytes = 1'000'000; ///< of all

/// The recording is not trusted in what it names: a regular file of Python, whatever links lead there.
std::optional<std::string> text_of(const fs::path &path) {
  std::error_code failed;
  const fs::path real = fs::canonical(path, failed);
  if (failed || real.extension() != ".py") {
    return std::nullopt;
  }
  const UniqueFd file(::open(real.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  std::string text;
  std::array<char, 1U << 16U> buffer{};
  for (ssize_t got = 0; (got = ::read(file.get(), buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > k_longest) {
      return std::nullopt;
    }
  }
  return text;
}

/// Of folder/srv/shop/views.py, folder/shop/views.py, folder/views.py the first that is there.
std::optional<std::string> text_below(const fs::path &folder, const std::string &file) {
  fs::path rest = fs::path(file).relative_path();
  for (const fs::path &part : rest) {
    if (part == "..") {
      return std::nullopt;
    }
  }
  while (!rest.empty()) {
    if (std::optional<std::string> text = text_of(folder / rest)) {
      return text;
    }
    fs::path shorter;
    for (auto part = std::next(rest.begin()); part != rest.end(); ++part) {
      shorter /= *part;
    }
    rest = std::move(shorter);
  }
  return std::nullopt;
}

std::optional<SourceFile> source_of(const std::optional<std::string> &text, const std::string &file,
                                    const CodeTable &codes) {
  if (!text) {
    return std::nullopt;
  }
  SourceFile source{file, lines_of(*text), false};
  source.differs = !defines_functions(source.lines, file, codes);
  return source;
}

std::size_t size_of(const SourceFile &source) {
  std::size_t size = 0;
  for (const std::string &line : source.lines) {
    size += line.size() + 1;
  }
  return size;
}

} // namespace

std::vector<SourceFile> read_sources(const RecordingReader &reader, const CostHistory &history,
                                     const std::string &folder) {
  const CodeTable &codes = reader.tables().codes;
  const bool is_here = reader.info().host == recorded_here({}).host;
  std::vector<SourceFile> sources;
  std::size_t bytes = 0;
  for (const std::string &file : hottest_files(history, codes, k_most_asked)) {
    std::optional<SourceFile> source = folder.empty() ? std::nullopt : source_of(text_below(folder, file), file, codes);
    if (!source && is_here && fs::path(file).is_absolute()) {
      source = source_of(text_of(file), file, codes);
      source = source && source->differs ? std::nullopt : source;
    }
    if (source && bytes + size_of(*source) <= k_most_bytes) {
      bytes += size_of(*source);
      sources.push_back(std::move(*source));
    }
    if (sources.size() == k_most_files) {
      break;
    }
  }
  return sources;
}

} // namespace awaitscope::tools
