#include "awaitscope/integrations/sql_text.hpp"

#include "catch.hpp"

using namespace awaitscope;

TEST_CASE("statements that differ in values only are the same") {
  const std::string orders = R"(SELECT "shop_order"."id" FROM "shop_order" WHERE "shop_order"."user_id" = ? LIMIT ?)";
  CHECK(normalised_sql(R"(SELECT "shop_order"."id" FROM "shop_order" WHERE "shop_order"."user_id" = %s LIMIT 21)") ==
        orders);
  CHECK(normalised_sql("SELECT \"shop_order\".\"id\"\n  FROM \"shop_order\" -- of user 7\n WHERE "
                       "\"shop_order\".\"user_id\" = 17 /* all */ LIMIT 3;") == orders);
  CHECK(normalised_sql("select a1, b from t_2 where a1 > .5 and b < 1e-5 or c = -3 or d = 0xFF") ==
        "select a1, b from t_2 where a1 > ? and b < ? or c = -? or d = ?");
  CHECK(normalised_sql("SELECT a::text, b FROM t WHERE c = :name AND d = $1 AND e = %(key)s AND f = ?") ==
        "SELECT a::text, b FROM t WHERE c = ? AND d = ? AND e = ? AND f = ?");
}

TEST_CASE("lists of values are one, and so are rows of them") {
  CHECK(normalised_sql("SELECT 1 FROM t WHERE a IN (1, 2,3 , 4)") == "SELECT ? FROM t WHERE a IN (?, …)");
  CHECK(normalised_sql("SELECT 1 FROM t WHERE a IN ( %s )") == "SELECT ? FROM t WHERE a IN (?)");
  CHECK(normalised_sql("INSERT INTO t (a, b) VALUES (%s, %s), (%s, %s), (%s, %s)") ==
        "INSERT INTO t (a, b) VALUES (?, …), …");
}

TEST_CASE("no string of any database is left") {
  CHECK(
      normalised_sql("SELECT * FROM t WHERE a = 'secret' AND b = 'it''s secret' AND c = E'secret' AND d = N'secret'") ==
      "SELECT * FROM t WHERE a = ? AND b = ? AND c = ? AND d = ?");
  CHECK(normalised_sql("SELECT $$secret$$, $tag$secret $$ secret$tag$ FROM t") == "SELECT ?, … FROM t");
  for (const char *const statement :
       {R"(SELECT 1 FROM t WHERE a = 'x\' AND b = ' secret ')", R"(SELECT 1 FROM t WHERE a = 'it\'s secret' AND b = 2)",
        R"(SELECT 1 FROM t WHERE a = 'x\\' AND b = 'secret')", "SELECT 1 FROM t WHERE a = 'secret",
        R"(SELECT LOWER("secret"), "secret" FROM t WHERE a = "secret" AND b IN ("secret", "secret"))",
        R"(INSERT INTO "t" ("a", "b") VALUES ("secret", "secret"))", R"(SAVEPOINT "secret")", "SELECT 1 # secret",
        "SELECT 1 -- secret", "SELECT 1 /* secret", "SELECT $x$ secret", R"(SELECT 1 WHERE "secret" = a)"}) {
    INFO(statement);
    CHECK(normalised_sql(statement).find("secret") == std::string::npos);
  }
}

TEST_CASE("names in double quotes are kept where only names stand") {
  CHECK(normalised_sql(R"(INSERT INTO "t" ("a", "b") VALUES (%s, %s))") ==
        R"(INSERT INTO "t" ("a", "b") VALUES (?, …))");
  CHECK(normalised_sql(R"(UPDATE "t" SET "a" = %s, "b" = %s WHERE "t"."id" = %s)") ==
        R"(UPDATE "t" SET "a" = ?, "b" = ? WHERE "t"."id" = ?)");
  CHECK(normalised_sql(R"(SELECT COUNT(*) AS "__count" FROM "t" INNER JOIN "u" ON ("t"."u_id" = "u"."id"))") ==
        R"(SELECT COUNT(*) AS "__count" FROM "t" INNER JOIN "u" ON ("t"."u_id" = "u"."id"))");
}

TEST_CASE("long statements are cut at a letter, and hostile ones end") {
  const std::string cut = normalised_sql("SELECT é" + std::string(3000, 'a'));
  CHECK(cut.size() <= k_longest_statement);
  CHECK(cut.ends_with("…"));
  std::string many = "SELECT ";
  for (int i = 0; i < 600; ++i) {
    many += "é, ";
  }
  CHECK(normalised_sql(many).size() <= k_longest_statement);
  for (const char *const odd :
       {"", "'", "\"", "$", "$$", "%", "%(", "\\", "))))", "((((", "--", "/*", "#", "E'", "1e-", ".", ":", "`"}) {
    CHECK(normalised_sql(odd).size() <= 8);
  }
}
