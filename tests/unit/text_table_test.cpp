#include "awaitscope/export/text_table.hpp"

#include "awaitscope/support/text_width.hpp"
#include "awaitscope/support/units.hpp"
#include "catch.hpp"

using namespace awaitscope;

TEST_CASE("a text takes as many columns as a terminal shows") {
  CHECK(text_width("") == 0);
  CHECK(text_width("views.py:20") == 11);
  CHECK(text_width("Запрос") == 6);
  CHECK(text_width("µs ≥ …") == 6);
  CHECK(text_width("商品") == 4);
  CHECK(text_width("ｆ") == 2);           // fullwidth
  CHECK(text_width("e\u0301") == 1);      // an accent that combines
  CHECK(text_width("\u0e01\u0e34") == 1); // a vowel that stands above
  CHECK(text_width("😀") == 2);
}

TEST_CASE("what does not fit is left out at the beginning or at the end") {
  CHECK(cut_begin("shop/views.py:20", 16) == "shop/views.py:20");
  CHECK(cut_begin("shop/views.py:20", 12) == "…views.py:20");
  CHECK(cut_end("gunicorn: worker", 16) == "gunicorn: worker");
  CHECK(cut_end("gunicorn: worker", 10) == "gunicorn:…");
  CHECK(cut_end("商品一覧", 6) == "商品…");
  CHECK(cut_end("商品一覧", 7) == "商品一…");
  CHECK(cut_begin("商品一覧", 4) == "…覧"); // half of a character would be in its place
  CHECK(cut_begin("abe\u0301c", 2) == "…c");
  CHECK(cut_begin("e\u0301abc", 3) == "…bc"); // an accent goes with its letter
  CHECK(cut_end("e\u0301abc", 2) == "e\u0301…");
  CHECK(cut_end("abc", 1) == "…");
}

TEST_CASE("a text is wrapped at spaces") {
  CHECK(wrapped("", 10) == "\n");
  CHECK(wrapped("one two three", 13) == "one two three\n");
  CHECK(wrapped("one two three", 12, 2) == "one two\n  three\n");
  CHECK(wrapped("    one two three", 11, 4) == "    one two\n    three\n");
  CHECK(wrapped("a_word_that_is_long and", 8, 1) == "a_word_that_is_long\n and\n");
  CHECK(wrapped("商品 商品 商品", 9) == "商品 商品\n商品\n");
}

TEST_CASE("a list is wrapped between its parts") {
  CHECK(wrapped_list({"one s", "two s", "three s"}, 80) == "one s, two s, three s\n");
  CHECK(wrapped_list({"one s", "two s", "three s"}, 21) == "one s, two s, three s\n");
  CHECK(wrapped_list({"one s", "two s", "three s"}, 20, 2) == "one s, two s,\n  three s\n");
  CHECK(wrapped_list({"one s", "two s and more", "three"}, 12, 1) == "one s,\n two s and\n more,\n three\n");
  CHECK(wrapped_list({}, 80) == "\n");
}

TEST_CASE("numbers stand at the right, and what names need beyond what is left is cut") {
  const std::vector<TextTable::Column> columns{
      {"calls"}, {"function", TextTable::Kind::name}, {"file:line", TextTable::Kind::name}};
  TextTable table(40, columns);
  table.add_row({"7", "main", "shop/catalogue/views.py:20"});
  table.add_row({"1,234,567", "商品", "b.py:3"});
  table.add_text("and three more of them, which are far too long", 4);
  CHECK(table.text() == "    calls  function  file:line\n"
                        "        7  main      …alogue/views.py:20\n"
                        "1,234,567  商品      b.py:3\n"
                        "    and three more of them, which are\n"
                        "    far too long\n");
}

TEST_CASE("a name that needs less than its share leaves the rest to the others") {
  const std::vector<TextTable::Column> columns{
      {"f", TextTable::Kind::name}, {"place", TextTable::Kind::name}, {"note", TextTable::Kind::words}};
  TextTable table(40, columns);
  table.add_row({"ab", "a/very/long/path/to/views.py:20", "short"});
  CHECK(table.text() == "f   place                          note\n"
                        "ab  …ery/long/path/to/views.py:20  short\n");
  TextTable both(30, columns);
  both.add_row({"a.qualified.name", "a/very/long/path/to/views.py:20", "a note of many words"});
  CHECK(both.text() == "f         place      note\n"
                       "…ed.name  …ws.py:20  a note o…\n");
}

TEST_CASE("a duration in three digits") {
  CHECK(short_duration(0) == "0 ns");
  CHECK(short_duration(999) == "999 ns");
  CHECK(short_duration(1'000) == "1.00 µs");
  CHECK(short_duration(12'345) == "12.3 µs");
  CHECK(short_duration(159'949'999) == "160 ms");
  CHECK(short_duration(999'400'000) == "999 ms");
  CHECK(short_duration(999'600'000) == "1.00 s");
  CHECK(short_duration(9'996'000'000) == "10.0 s");
  CHECK(short_duration(1'234'000'000'000) == "1234 s");
}
