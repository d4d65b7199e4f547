#include "images.hpp"

#include <algorithm>

namespace awaitscope {
namespace {

constexpr std::size_t k_max_images = 512;

bool is_file(const MapEntry &entry) { return entry.inode != 0 && !entry.path.empty() && entry.path.front() == '/'; }

} // namespace

std::vector<Image> images_of(const std::vector<MapEntry> &maps, const std::string &executable) {
  std::vector<Image> images;
  for (std::size_t i = 0; i < maps.size() && images.size() < k_max_images; ++i) {
    const MapEntry &entry = maps[i];
    if (!is_file(entry)) {
      continue;
    }
    auto image =
        std::find_if(images.begin(), images.end(), [&](const Image &known) { return known.path == entry.path; });
    if (image == images.end()) {
      images.push_back({entry.path, {}, {}});
      image = std::prev(images.end());
    }
    image->mappings.push_back(entry);
    if (entry.writable) {
      image->data.push_back(entry);
      if (i + 1 < maps.size() && maps[i + 1].start == entry.end && maps[i + 1].writable && maps[i + 1].inode == 0) {
        image->data.push_back(maps[i + 1]);
      }
    }
  }
  const auto rank = [&](const Image &image) {
    const bool libpython = image.path.find("libpython") != std::string::npos;
    return libpython ? 0 : image.path == executable ? 1 : 2;
  };
  std::stable_sort(images.begin(), images.end(), [&](const Image &a, const Image &b) { return rank(a) < rank(b); });
  return images;
}

std::optional<Candidate> open_candidate(const Process &process, const Image &image) {
  const bool executes = std::any_of(image.mappings.begin(), image.mappings.end(),
                                    [](const MapEntry &mapping) { return mapping.executable; });
  if (!executes) {
    return std::nullopt;
  }
  std::optional<ElfImage> elf = process.open_mapped(image.mappings.front());
  const std::optional<Address> bias = elf ? elf->load_bias(image.mappings.front()) : std::nullopt;
  if (!bias) {
    return std::nullopt;
  }
  return Candidate{&image, std::move(*elf), *bias};
}

} // namespace awaitscope
