// ValueReader's second part: values for people, which are read only where they are asked for.

#include <fmt/format.h>

#include "awaitscope/cpython/values.hpp"
#include "awaitscope/support/text.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_longest_text = 40; // bytes
constexpr std::uint64_t k_most_items = 4;

std::string shortened(std::string text) {
  if (text.size() > k_longest_text) {
    text = valid_utf8(std::string_view(text).substr(0, k_longest_text)) + "…";
  }
  return one_line(text);
}

} // namespace

std::string ValueReader::shown(Address object, int depth) {
  if (object == 0) {
    return "?";
  }
  const Address type = objects_.type_of(object);
  const Type known = type_of(type);
  const std::string class_name = one_line(valid_utf8(objects_.type(type).name));
  switch (known.kind) {
  case Kind::integer: {
    const std::optional<std::int64_t> number = objects_.integer(object);
    if (class_name == "bool") {
      return number.value_or(0) != 0 ? "True" : "False";
    }
    return number ? fmt::format("{}", *number) : "<large int>";
  }
  case Kind::floating:
    return fmt::format("{}", objects_.number(object).value_or(0));
  case Kind::text:
    return "'" + shortened(objects_.text(object).value_or("?")) + "'";
  case Kind::constant:
    return class_name == "NoneType" ? "None" : "<" + class_name + ">";
  case Kind::tuple: {
    const auto count = objects_.memory().get<std::uint64_t>(object + objects_.layout().ob_size);
    const auto items = count && *count <= k_most_objects && depth < 2 ? objects_.tuple_elements(object) : std::nullopt;
    if (!items) {
      return "(…)";
    }
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(items->size(), k_most_items); ++i) {
      text += (i == 0 ? "" : ", ") + shown((*items)[i], depth + 1);
    }
    return "(" + text + (items->size() > k_most_items ? ", …)" : ")");
  }
  case Kind::model:
    return fmt::format("<{} {}>", class_name, shown(objects_.attribute(object, known.primary_key), depth + 1));
  default:
    return "<" + class_name + ">";
  }
}

} // namespace awaitscope
