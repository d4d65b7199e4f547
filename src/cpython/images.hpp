#pragma once

#include <optional>
#include <string>
#include <vector>

#include "awaitscope/process/process.hpp"

namespace awaitscope {

/// A mapped file with the mappings that belong to it, in the order of the address space.
struct Image {
  std::string path;
  std::vector<MapEntry> mappings;
  std::vector<MapEntry> data; ///< writable: its own, and the anonymous one right behind (.bss)
};

/// The mapped files of a process: libpythons first, then the executable.
std::vector<Image> images_of(const std::vector<MapEntry> &maps, const std::string &executable);

/// An image with code, opened.
struct Candidate {
  const Image *image;
  ElfImage elf;
  Address bias;
};

/// Nothing if it holds no code or cannot be read.
std::optional<Candidate> open_candidate(const Process &process, const Image &image);

} // namespace awaitscope
