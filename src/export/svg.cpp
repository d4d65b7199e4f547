#include "awaitscope/export/svg.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "awaitscope/report/file_origin.hpp"
#include "awaitscope/support/text.hpp"
#include "awaitscope/support/units.hpp"

namespace awaitscope {
namespace {

constexpr double k_width = 1200;
constexpr double k_row = 17;
constexpr double k_top = 44;               ///< for the title
constexpr double k_least_width = 0.4;      ///< what is narrower cannot be seen
constexpr double k_letter = 6.7;           ///< the widest that is usual in a font of 11 pixels
constexpr std::size_t k_deepest_row = 500; ///< rows; what is below belongs to the last one's width

std::string escaped(const std::string &text) { return markup_text(one_line(valid_utf8(text))); }

/// As many letters as fit, without a torn UTF-8 sequence.
std::string fitting(const std::string &text, double width) {
  const auto room = static_cast<std::size_t>(std::max(0.0, (width - 6) / k_letter));
  std::size_t letters = 0;
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) {
      end = letters + 1 == room ? i : end; // the last letter that fits is taken by the dots
      ++letters;
    }
  }
  if (letters <= room) {
    return text;
  }
  return room < 3 ? std::string() : text.substr(0, end) + "…";
}

/// FNV-1a, as the HTML page has it.
std::uint32_t hash_of(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char letter : text) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 16777619U;
  }
  return hash ^ hash >> 15U;
}

/// Hue in degrees, saturation and lightness in percent (CSS Color 4, 7.1), as all programs know colours.
std::string color(std::uint32_t hue, std::uint32_t saturation, std::uint32_t lightness) {
  const double light = lightness / 100.0;
  const double spread = saturation / 100.0 * std::min(light, 1 - light);
  const auto part = [&](std::uint32_t shift) {
    const double k = std::fmod(shift + hue / 30.0, 12);
    return static_cast<int>(std::lround(255 * (light - spread * std::max(-1.0, std::min({k - 3, 9 - k, 1.0})))));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", part(0), part(8), part(4));
}

/// The page's colours: the project's own functions are warm, libraries cool (a hue each), Python's own library grey.
std::string color_of(const Frame &frame, const CodeTable &codes) {
  if (!is_named(frame.kind)) {
    return color(0, 85, 62);
  }
  const CodeInfo &code = codes.at(frame.code);
  if (frame.kind == FrameKind::task_border) {
    return color(282, 35, 78);
  }
  const std::uint32_t hash = hash_of(code.function);
  const FileOrigin origin = file_origin(code.file);
  switch (origin.kind) {
  case FileOrigin::Kind::project:
    return color(18 + hash % 34, 88, 68 + hash % 9);
  case FileOrigin::Kind::library:
    return color(165 + hash_of(origin.package) % 80, 38, 72 + hash % 7);
  case FileOrigin::Kind::standard:
    break;
  }
  return color(220, 8, 72 + hash % 7);
}

std::string color_of_root(const std::string &name) {
  return name.starts_with("task ") ? color(282, 35, 78) : color(220, 12, 78);
}

struct Node {
  std::uint64_t total = 0;
  std::string color;
  std::map<std::string, std::unique_ptr<Node>> children; ///< by name: the same picture every time
};

Node &child_of(Node &parent, const std::string &name, const std::string &color) {
  std::unique_ptr<Node> &child = parent.children[name];
  if (!child) {
    child = std::make_unique<Node>();
    child->color = color;
  }
  return *child;
}

class Picture {
public:
  Picture(std::uint64_t whole, SvgUnit unit) : whole_(whole), unit_(std::move(unit)) {}

  /// Rows below `depth` are drawn from a list: stacks may be deep.
  void draw(const Node &root) {
    struct Open {
      const Node *node;
      double left;
      std::size_t depth;
    };
    std::vector<Open> open{{&root, 0, 0}};
    while (!open.empty()) {
      const Open at = open.back();
      open.pop_back();
      double left = at.left;
      for (const auto &[name, child] : at.node->children) {
        const double width = k_width * static_cast<double>(child->total) / static_cast<double>(whole_);
        if (width >= k_least_width && at.depth < k_deepest_row) {
          rectangle(name, *child, left, width, at.depth);
          open.push_back({child.get(), left, at.depth + 1});
        }
        left += width;
      }
    }
  }

  [[nodiscard]] std::string svg(const std::string &title) const {
    const double height = k_top + static_cast<double>(rows_) * k_row + 8;
    return fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                       "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
                       "font-family=\"Verdana, DejaVu Sans, sans-serif\" font-size=\"11\">\n"
                       "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
                       "<text x=\"6\" y=\"18\" font-size=\"14\">{2}</text>\n"
                       "<text x=\"6\" y=\"36\" fill=\"#5b6472\">{3} in all; orange: your code, blue and green: "
                       "libraries, grey: Python's library</text>\n{4}</svg>\n",
                       k_width, height, escaped(title), cost(whole_), shapes_);
  }

private:
  [[nodiscard]] std::string cost(std::uint64_t value) const {
    const std::string number = unit_.is_time ? short_duration(static_cast<std::int64_t>(value)) : with_thousands(value);
    return escaped(number + " " + unit_.text);
  }

  void rectangle(const std::string &name, const Node &node, double left, double width, std::size_t depth) {
    rows_ = std::max(rows_, depth + 1);
    const double top = k_top + static_cast<double>(depth) * k_row;
    const double percent = 100.0 * static_cast<double>(node.total) / static_cast<double>(whole_);
    fmt::format_to(std::back_inserter(shapes_),
                   "<g><title>{} – {}, {:.1f} %</title><rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" "
                   "fill=\"{}\" rx=\"1\"/>",
                   escaped(name), cost(node.total), percent, left, top, std::max(0.3, width - 0.4), k_row - 1,
                   node.color);
    if (const std::string text = fitting(name, width); !text.empty()) {
      fmt::format_to(std::back_inserter(shapes_), R"(<text x="{:.1f}" y="{}">{}</text>)", left + 3, top + 12,
                     escaped(text));
    }
    shapes_ += "</g>\n";
  }

  std::uint64_t whole_;
  SvgUnit unit_;
  std::string shapes_;
  std::size_t rows_ = 0;
};

/// Not by the destructors: those of a deep tree call each other.
void clear(Node &root) {
  std::vector<std::unique_ptr<Node>> open;
  const auto take = [&](Node &node) {
    for (auto &[name, child] : node.children) {
      open.push_back(std::move(child));
    }
    node.children.clear();
  };
  take(root);
  while (!open.empty()) {
    const std::unique_ptr<Node> node = std::move(open.back());
    open.pop_back();
    take(*node);
  }
}

} // namespace

std::string svg_flame_graph(const std::vector<WeightedStack> &profile, FrameNames &names, const CodeTable &codes,
                            const std::string &title, const SvgUnit &unit) {
  Node root;
  for (const WeightedStack &stack : profile) {
    root.total += stack.weight;
    Node *at = &root;
    for (const std::string *name : {&stack.process, &stack.root}) {
      if (!name->empty()) {
        at = &child_of(*at, *name, color_of_root(*name));
        at->total += stack.weight;
      }
    }
    for (const Frame &frame : stack.frames) {
      at = &child_of(*at, names.name(frame), color_of(frame, codes));
      at->total += stack.weight;
    }
  }
  Picture picture(std::max<std::uint64_t>(1, root.total), unit);
  picture.draw(root);
  clear(root);
  return picture.svg(title);
}

} // namespace awaitscope
