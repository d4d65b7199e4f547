#include "awaitscope/export/svg.hpp"

#include <algorithm>
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
constexpr double k_top = 44;           ///< for the title
constexpr double k_least = 0.4;        ///< what is narrower cannot be seen
constexpr double k_letter = 6.7;       ///< the widest that is usual in a font of 11 pixels
constexpr std::size_t k_deepest = 500; ///< rows; what is below belongs to the last one's width

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

enum class Shade : std::uint8_t { root, project, library, standard, unreadable };

struct Node {
  std::uint64_t total = 0;
  Shade shade = Shade::root;
  std::map<std::string, std::unique_ptr<Node>> children; ///< by name: the same picture every time
};

Node &child_of(Node &parent, const std::string &name, Shade shade) {
  std::unique_ptr<Node> &child = parent.children[name];
  if (!child) {
    child = std::make_unique<Node>();
    child->shade = shade;
  }
  return *child;
}

Shade shade_of(const Frame &frame, const CodeTable &codes) {
  if (frame.kind == FrameKind::unreadable) {
    return Shade::unreadable;
  }
  if (frame.kind == FrameKind::task_border) {
    return Shade::root;
  }
  switch (file_origin(codes.at(frame.code).file).kind) {
  case FileOrigin::Kind::project:
    return Shade::project;
  case FileOrigin::Kind::library:
    return Shade::library;
  case FileOrigin::Kind::standard:
    break;
  }
  return Shade::standard;
}

std::string_view color_of(Shade shade) {
  switch (shade) {
  case Shade::root:
    return "#c9b8dc";
  case Shade::project:
    return "#f4a259";
  case Shade::library:
    return "#8fc1b5";
  case Shade::standard:
    return "#c3c7ce";
  case Shade::unreadable:
    break;
  }
  return "#e5484d";
}

class Picture {
public:
  Picture(std::uint64_t whole, std::string unit) : whole_(whole), unit_(std::move(unit)) {}

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
        if (width >= k_least && at.depth < k_deepest) {
          rectangle(name, *child, left, width, at.depth);
          open.push_back({child.get(), left, at.depth + 1});
        }
        left += width;
      }
    }
  }

  [[nodiscard]] std::string svg(const std::string &title) const {
    const double height = k_top + static_cast<double>(rows_) * k_row + 8;
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
        "font-family=\"Verdana, DejaVu Sans, sans-serif\" font-size=\"11\">\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
        "<text x=\"6\" y=\"18\" font-size=\"14\">{2}</text>\n"
        "<text x=\"6\" y=\"36\" fill=\"#5b6472\">{3} {4} in all; orange: your code, green: libraries, grey: "
        "Python's library</text>\n{5}</svg>\n",
        k_width, height, escaped(title), with_thousands(whole_), escaped(unit_), shapes_);
  }

private:
  void rectangle(const std::string &name, const Node &node, double left, double width, std::size_t depth) {
    rows_ = std::max(rows_, depth + 1);
    const double top = k_top + static_cast<double>(depth) * k_row;
    const double percent = 100.0 * static_cast<double>(node.total) / static_cast<double>(whole_);
    fmt::format_to(std::back_inserter(shapes_),
                   "<g><title>{} – {} {}, {:.1f} %</title><rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" "
                   "fill=\"{}\" rx=\"1\"/>",
                   escaped(name), with_thousands(node.total), escaped(unit_), percent, left, top,
                   std::max(0.3, width - 0.4), k_row - 1, color_of(node.shade));
    if (const std::string text = fitting(name, width); !text.empty()) {
      fmt::format_to(std::back_inserter(shapes_), R"(<text x="{:.1f}" y="{}">{}</text>)", left + 3, top + 12,
                     escaped(text));
    }
    shapes_ += "</g>\n";
  }

  std::uint64_t whole_;
  std::string unit_;
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
                            const std::string &title, const std::string &unit) {
  Node root;
  for (const WeightedStack &stack : profile) {
    root.total += stack.weight;
    Node *at = &root;
    for (const std::string *name : {&stack.process, &stack.root}) {
      if (!name->empty()) {
        at = &child_of(*at, *name, Shade::root);
        at->total += stack.weight;
      }
    }
    for (const Frame &frame : stack.frames) {
      at = &child_of(*at, names.name(frame), shade_of(frame, codes));
      at->total += stack.weight;
    }
  }
  Picture picture(std::max<std::uint64_t>(1, root.total), unit);
  picture.draw(root);
  clear(root);
  return picture.svg(title);
}

} // namespace awaitscope
