#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "awaitscope/support/text.hpp"

namespace awaitscope {

inline std::string json_lines(const nlohmann::ordered_json &value) {
  return printable_json(value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

/// A document as it is printed, with a line feed behind it: names of any kind in it are safe on a terminal.
inline std::string json_text(const nlohmann::ordered_json &document) { return json_lines(document) + "\n"; }

/// The same text, of an object that is never in memory as a whole: values take ten times the memory of their text, and of a list of
/// very many there is one at a time.
class JsonWriter {
public:
  void member(std::string_view name, const nlohmann::ordered_json &value) {
    begin(name);
    put(value, 2);
  }

  /// `make` makes a value of each element.
  template <typename List, typename Make> void list(std::string_view name, const List &elements, const Make &make) {
    begin(name);
    out_ += '[';
    bool any = false;
    for (const auto &element : elements) {
      out_ += any ? ",\n    " : "\n    ";
      any = true;
      put(make(element), 4);
    }
    out_ += any ? "\n  ]" : "]";
  }

  /// The document, with a line feed behind it.
  std::string finish() {
    out_ += "\n}\n";
    return std::move(out_);
  }

private:
  void begin(std::string_view name) {
    out_ += out_.empty() ? "{\n  " : ",\n  ";
    out_ += json_lines(std::string(name)) + ": ";
  }
  void put(const nlohmann::ordered_json &value, std::size_t indentation) {
    for (const char letter : json_lines(value)) {
      out_ += letter;
      if (letter == '\n') { // there is none in a string
        out_.append(indentation, ' ');
      }
    }
  }

  std::string out_;
};

} // namespace awaitscope
