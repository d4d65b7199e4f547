#include "awaitscope/integrations/sql_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "awaitscope/support/text.hpp"

namespace awaitscope {
namespace {

/// A name in double quotes may follow these.
constexpr std::array<std::string_view, 14> k_before_names{"FROM",   "JOIN",   "INTO", "UPDATE",    "TABLE",
                                                          "AS",     "INDEX",  "BY",   "SET",       "USING",
                                                          "COLUMN", "EXISTS", "ONLY", "CONSTRAINT"};
/// Names in a list may follow these, each behind a comma.
constexpr std::array<std::string_view, 4> k_before_lists{"FROM", "INTO", "BY", "SET"};

template <std::size_t N> bool is_one_of(std::string_view word, const std::array<std::string_view, N> &words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_letter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalpha(byte) != 0 || c == '_' || byte >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_letter(c) || is_digit(c); }
bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

class Normaliser {
public:
  explicit Normaliser(std::string_view sql) : sql_(sql) {}

  std::string run() {
    while (at_ < sql_.size() && !over_ && out_.size() <= k_longest_statement) {
      step();
    }
    if (at_ < sql_.size() || out_.size() > k_longest_statement) {
      cut();
    }
    while (!out_.empty() && (out_.back() == ' ' || out_.back() == ';')) {
      out_.pop_back();
    }
    return std::move(out_);
  }

private:
  [[nodiscard]] char next(std::size_t ahead = 0) const { return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0'; }

  void step() {
    const char c = next();
    if (is_space(c)) {
      ++at_;
      space();
    } else if (comment()) {
      space();
    } else if (c == '\'') {
      string();
    } else if (c == '"') {
      quoted();
    } else if (c == '`') {
      name_in('`');
    } else if (is_digit(c) || (c == '.' && is_digit(next(1)) && !ends_name())) {
      number();
    } else if (is_letter(c)) {
      word();
    } else if (!placeholder()) {
      sign(c);
    }
  }

  void space() {
    if (!out_.empty() && out_.back() != ' ' && out_.back() != '(') {
      out_ += ' ';
    }
  }

  [[nodiscard]] bool ends_name() const {
    return !out_.empty() && (is_word(out_.back()) || out_.back() == '"' || out_.back() == '`' || out_.back() == ']');
  }

  bool comment() {
    const bool dashes = next() == '-' && next(1) == '-';
    const bool hash = next() == '#' && next(1) != '>' && next(1) != '-' && next(1) != '=';
    if (dashes || hash) {
      at_ = std::min(sql_.find('\n', at_), sql_.size());
      return true;
    }
    if (next() == '/' && next(1) == '*') {
      const std::size_t end = sql_.find("*/", at_ + 2);
      at_ = end == std::string_view::npos ? sql_.size() : end + 2;
      return true;
    }
    return false;
  }

  /// Behind what is in quotes, which begins here; "" is a quote inside. Sets over_ where that is not certain.
  std::string_view take_quoted(char quote) {
    const std::size_t first = ++at_;
    for (; at_ < sql_.size(); ++at_) {
      if (next() == '\\' && quote != '`') {
        over_ = over_ || next(1) == quote || next(1) == '\\';
        continue;
      }
      if (next() != quote) {
        continue;
      }
      if (next(1) != quote) {
        return sql_.substr(first, at_++ - first);
      }
      ++at_;
    }
    over_ = true; // it has no end
    return {};
  }

  void string() {
    take_quoted('\'');
    value();
  }

  /// In double quotes.
  void quoted() {
    const bool behind_dot = !out_.empty() && out_.back() == '.';
    const std::string_view text = take_quoted('"');
    const bool in_list = list_depth_ == depth_ && out_.ends_with(", ");
    const bool opens_list = list_depth_ == depth_ && out_.ends_with("(");
    const bool is_name = behind_dot || next() == '.' || in_list || opens_list || is_one_of(last_word_, k_before_names);
    if (over_ || !is_name) {
      value();
      return;
    }
    out_ += '"';
    out_ += text;
    out_ += '"';
    last_word_.clear();
  }

  void name_in(char quote) {
    const std::string_view text = take_quoted(quote);
    out_ += quote;
    out_ += text;
    out_ += quote;
    last_word_.clear();
  }

  void number() {
    while (is_word(next()) || next() == '.' ||
           ((next() == '+' || next() == '-') && (sql_[at_ - 1] == 'e' || sql_[at_ - 1] == 'E') && is_digit(next(1)))) {
      ++at_;
    }
    value();
  }

  void word() {
    const std::size_t first = at_;
    while (is_word(next()) || next() == '$') {
      ++at_;
    }
    if (next() == '\'' || (next() == '&' && next(1) == '\'')) { // E'…', N'…', U&'…'
      at_ += next() == '&' ? 1U : 0U;
      return;
    }
    const std::string_view text = sql_.substr(first, at_ - first);
    out_ += text;
    last_word_.assign(text);
    std::transform(last_word_.begin(), last_word_.end(), last_word_.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (is_one_of(last_word_, k_before_lists)) {
      list_depth_ = depth_ + (last_word_ == "INTO" ? 1 : 0); // INSERT INTO t (names)
    } else if (last_word_ == "VALUES" || last_word_ == "IN" || last_word_ == "WHERE" || last_word_ == "SELECT") {
      list_depth_ = k_no_list;
    }
  }

  /// %s, %(name)s, :name, $1, ?, and what PostgreSQL has between $tag$ and $tag$.
  bool placeholder() {
    const char c = next();
    const char behind = next(1);
    if (c == '?') {
      ++at_;
    } else if (c == '%' && behind == 's') {
      at_ += 2;
    } else if (c == '%' && behind == '(') {
      const std::size_t end = sql_.find(")s", at_);
      at_ = end == std::string_view::npos ? sql_.size() : end + 2;
    } else if (c == ':' && behind == ':') {
      at_ += 2;
      out_ += "::";
      return true;
    } else if ((c == ':' && is_word(behind)) || (c == '$' && is_digit(behind))) {
      skip_word();
    } else if (c == '$' && !ends_name()) {
      const std::size_t tag = sql_.find('$', at_ + 1);
      const std::string_view mark = tag == std::string_view::npos ? "" : sql_.substr(at_, tag - at_ + 1);
      const std::size_t end = mark.empty() ? tag : sql_.find(mark, tag + 1);
      over_ = over_ || end == std::string_view::npos;
      at_ = over_ ? sql_.size() : end + mark.size();
    } else {
      return false;
    }
    value();
    return true;
  }

  void skip_word() {
    ++at_;
    while (is_word(next())) {
      ++at_;
    }
  }

  /// One more of a list is none more.
  void value() {
    last_word_.clear();
    if (out_.ends_with("?, …, ")) {
      out_.erase(out_.size() - 2);
    } else if (out_.ends_with("?, ")) {
      out_ += "…";
    } else {
      out_ += '?';
    }
  }

  void sign(char c) {
    ++at_;
    if ((c == ',' || c == ')') && out_.ends_with(' ')) {
      out_.pop_back();
    }
    out_ += c;
    depth_ += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c != '(' && c != '.') {
      last_word_.clear();
    }
    if (c == ',') {
      out_ += ' ';
    } else if (c == ')') {
      join_rows();
    }
  }

  /// (?, …), (?, …), (?, …)
  void join_rows() {
    for (const std::string_view row : {"(?, …)", "(?)"}) {
      const std::string two = std::string(row) + ", " + std::string(row);
      const std::string more = std::string(row) + ", …, " + std::string(row);
      if (out_.ends_with(more)) {
        out_.erase(out_.size() - row.size() - 2);
      } else if (out_.ends_with(two)) {
        out_.erase(out_.size() - row.size());
        out_ += "…";
      }
    }
  }

  /// At a whole letter.
  void cut() {
    constexpr std::string_view k_more = "…";
    out_.erase(first_bytes(out_, k_longest_statement - k_more.size()).size());
    if (!out_.ends_with(k_more)) {
      out_ += k_more;
    }
  }

  static constexpr int k_no_list = -1000;

  std::string_view sql_;
  std::string out_;
  std::string last_word_; ///< in capitals; empty behind anything else
  std::size_t at_ = 0;
  int depth_ = 0; ///< of parentheses
  int list_depth_ = k_no_list;
  bool over_ = false; ///< nobody knows what the rest is
};

} // namespace

std::string normalised_sql(std::string_view sql) { return Normaliser(sql).run(); }

} // namespace awaitscope
