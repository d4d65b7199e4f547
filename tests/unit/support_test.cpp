#include <array>
#include <string_view>

#include "awaitscope/support/text.hpp"
#include "awaitscope/support/units.hpp"
#include "catch.hpp"

using namespace awaitscope;

TEST_CASE("durations take units and refuse nonsense") {
  CHECK(*parse_duration("10") == 10'000'000'000);
  CHECK(*parse_duration("500ms") == 500'000'000);
  CHECK(*parse_duration("2m") == 120'000'000'000);
  CHECK(*parse_duration("1.5s") == 1'500'000'000);
  CHECK(*parse_duration("1m30s") == 90'000'000'000);
  CHECK(*parse_duration("1h1s500ms") == 3'601'500'000'000);
  CHECK_FALSE(parse_duration("1m30"));
  CHECK_FALSE(parse_duration("30s1m"));
  CHECK_FALSE(parse_duration("1m-30s"));
  CHECK_FALSE(parse_duration("0m0s"));
  for (const char *bad : {"", "0", "-1", "ten", "5x", "nan", "inf", "1e300", "0ns", "10 s"}) {
    INFO(bad);
    REQUIRE_FALSE(parse_duration(bad));
    CHECK(parse_duration(bad).error().status == ExitStatus::usage);
  }
}

TEST_CASE("rates take units and refuse nonsense") {
  CHECK(*parse_rate("100") == 100);
  CHECK(*parse_rate("10kHz") == 10'000);
  CHECK(*parse_rate("0.5Hz") == 0.5);
  CHECK(*parse_rate("0.001") == 0.001);
  for (const char *bad : {"", "0", "-5", "fast", "2MHz", "1ms", "1e-12", "0.0001"}) {
    INFO(bad);
    CHECK_FALSE(parse_rate(bad));
  }
}

TEST_CASE("percentages refuse nonsense") {
  CHECK(*parse_percent("1") == 0.01);
  CHECK(*parse_percent("0.5") == 0.005);
  CHECK(*parse_percent("2%") == 0.02);
  CHECK(*parse_percent("100") == 1);
  CHECK(*parse_percent("0") == 0);
  for (const char *bad : {"", "-1", "101", "1Hz", "nan", "%"}) {
    INFO(bad);
    REQUIRE_FALSE(parse_percent(bad));
    CHECK(parse_percent(bad).error().status == ExitStatus::usage);
  }
}

TEST_CASE("numbers for people") {
  CHECK(with_thousands(0) == "0");
  CHECK(with_thousands(999) == "999");
  CHECK(with_thousands(1000) == "1,000");
  CHECK(with_thousands(1234567) == "1,234,567");
  CHECK(human_duration(999) == "999 ns");
  CHECK(human_duration(24'300) == "24.3 µs");
  CHECK(human_duration(1'500'000'000) == "1.5 s");
}

TEST_CASE("malformed UTF-8 becomes U+FFFD, byte by byte") {
  CHECK(valid_utf8("naïve") == "naïve");
  CHECK(valid_utf8("a\xFFz") == "a\xEF\xBF\xBDz");
  CHECK(valid_utf8("\xC0\xAF") == "\xEF\xBF\xBD\xEF\xBF\xBD");                 // overlong
  CHECK(valid_utf8("\xED\xA0\x80").find("\xED\xA0\x80") == std::string::npos); // a surrogate
  CHECK(valid_utf8("\xF0\x9F\x90") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"); // cut short
  CHECK(valid_utf8("\xF0\x9F\x90\x8D") == "\xF0\x9F\x90\x8D");
}

TEST_CASE("one line of text cannot move the terminal, and hides nothing") {
  CHECK(one_line("a\nb\tc\x1b[2Jd") == R"(a\x0ab\x09c\x1b[2Jd)");
  CHECK(one_line("x\u202Ey\u202C") == R"(x\u202ey\u202c)"); // right-to-left override
  CHECK(one_line("\xC2\x9B") == R"(\x9b)");                 // C1 control sequence introducer
  CHECK(one_line("\u200B\u200F\u061C\u2028\u2060\u2069\uFEFF") == R"(\u200b\u200f\u061c\u2028\u2060\u2069\ufeff)");
  CHECK(one_line("\U000E0041") == R"(\U000e0041)"); // a tag
  CHECK(one_line("žluťoučký שלום مرحبا 名前 \U0001F40D \\") == "žluťoučký שלום مرحبا 名前 \U0001F40D \\");
  CHECK(one_line("\xFF") == "?");
}

TEST_CASE("a JSON document for a terminal means what it meant") {
  CHECK(printable_json("{\n  \"a\u202E\u0085\x7F\": \"\U000E0041é\"\n}") ==
        "{\n  \"a\\u202e\\u0085\\u007f\": \"\\udb40\\udc41é\"\n}");
}

TEST_CASE("a name with a letter mistyped differs little from the right one") {
  for (const char *meant : {"HOT", "ho", "hott", "hat"}) {
    CHECK(differ_little(meant, "hot"));
  }
  CHECK_FALSE(differ_little("hto", "hot")); // two of three letters
  CHECK(differ_little("speedscop", "speedscope"));
  CHECK(differ_little("foldde", "folded"));
  CHECK_FALSE(differ_little("pprof", "info"));
  CHECK_FALSE(differ_little("", "hot"));
  CHECK_FALSE(differ_little(std::string(1000, 'x'), "hot"));
}

TEST_CASE("a mistyped or abbreviated word has a closest name") {
  constexpr std::array<std::string_view, 4> k_names{"record", "report", "dump", "top"};
  CHECK(closest_name("recrod", k_names) == "record");
  CHECK(closest_name("repotr", k_names) == "report");
  CHECK(closest_name("rec", k_names) == "record");
  CHECK(closest_name("DUMP", k_names) == "dump");
  CHECK(closest_name("re", k_names).empty());
  CHECK(closest_name("attach", k_names).empty());
  CHECK(closest_name("", k_names).empty());
  CHECK(did_you_mean("dump") == " (did you mean 'dump'?)");
  CHECK(did_you_mean("").empty());
}

TEST_CASE("sizes in the unit that reads best") {
  CHECK(human_size(812) == "812 bytes");
  CHECK(human_size(12'345) == "12.3 kB");
  CHECK(human_size(1'234'567) == "1.2 MB");
}
