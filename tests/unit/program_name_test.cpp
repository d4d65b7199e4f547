#include "awaitscope/integrations/program_name.hpp"

#include "catch.hpp"

using namespace awaitscope;

TEST_CASE("a process is called what its Python runs") {
  CHECK(program_name({"/venv/bin/python3", "/venv/bin/gunicorn", "app:app"}) == "gunicorn");
  CHECK(program_name({"python", "manage.py", "runserver", "/srv/data"}) == "manage.py");
  CHECK(program_name({"python3.13t", "-m", "uvicorn", "app:app"}) == "uvicorn");
  CHECK(program_name({"python3", "-Bum", "celery", "-A", "shop"}) == "celery");
  CHECK(program_name({"python3", "-Werror", "-X", "dev", "--check-hash-based-pycs", "never", "app.py"}) == "app.py");
  CHECK(program_name({"python3", "-Xdev", "-mhttp.server"}) == "http.server");
  CHECK(program_name({"python3", "-c", "import secrets; print(1)"}) == "python -c");
  CHECK(program_name({"python3", "-c", "from multiprocessing.spawn import spawn_main; spawn_main(5)",
                      "--multiprocessing-fork"}) == "multiprocessing.spawn");
  CHECK(program_name({"python3"}) == "python3");
  CHECK(program_name({"python3", "-X"}) == "python3");
  CHECK(program_name({"python3", "/srv/app/"}) == "app");
}

TEST_CASE("another program is called by its file, or by the title that it gave itself") {
  CHECK(program_name({"/usr/sbin/uwsgi", "--ini", "/etc/uwsgi/shop.ini"}) == "uwsgi");
  CHECK(program_name({"./dist/one_file"}) == "one_file");
  CHECK(program_name({"/opt/my app/run"}) == "run");
  CHECK(program_name({"gunicorn: worker [shop.wsgi:application]", "", ""}) ==
        "gunicorn: worker [shop.wsgi:application]");
  CHECK(program_name({"server: serving /srv/secret/place now  "}) == "server: serving place now");
  CHECK(program_name({}).empty());
  CHECK(program_name({"", ""}).empty());
}
