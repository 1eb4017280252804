#include "core/graph.hpp"

#include <algorithm>

#include "support/catch.hpp"

namespace harmony::test {

namespace {

using ids = std::vector<resource_id>;
using needs = std::vector<dependency>;

resource file(const std::string& name, const std::string& path, needs depends_on = {}) {
  file_spec spec;
  spec.path = path;
  resource r;
  r.id = {"File", name};
  r.spec = spec;
  r.depends_on = std::move(depends_on);
  return r;
}

resource folder(const std::string& name, const std::string& path, needs depends_on = {}) {
  directory_spec spec;
  spec.path = path;
  resource r;
  r.id = {"Directory", name};
  r.spec = spec;
  r.depends_on = std::move(depends_on);
  return r;
}

manifest of(std::vector<resource> all) {
  manifest m;
  m.resources = std::move(all);
  return m;
}

TEST_CASE("graph: paths -> below only at a whole step") {
  CHECK(lies_below("/a/b", "/a"));
  CHECK(lies_below("/a/b/c", "/a"));
  CHECK(lies_below("/a", "/"));
  CHECK_FALSE(lies_below("/a", "/a"));
  CHECK_FALSE(lies_below("/ab", "/a"));
  CHECK_FALSE(lies_below("/", "/"));
  CHECK_FALSE(lies_below("/a", "/a/b"));
}

TEST_CASE("graph: a file in managed folders -> waits for the nearest") {
  const resource_graph g{of({file("x", "/srv/app/conf/x"), folder("srv", "/srv"),
                             folder("app", "/srv/app"), folder("other", "/srv/ap")})};
  CHECK(g.prerequisites({"File", "x"}) == needs{{{"Directory", "app"}}});
  CHECK(g.prerequisites({"Directory", "app"}) == needs{{{"Directory", "srv"}}});
  CHECK(g.prerequisites({"Directory", "srv"}).empty());
  CHECK(g.dependents({"Directory", "app"}) == ids{{"File", "x"}});
}

TEST_CASE("graph: a member of a PostgreSQL cluster -> after its account and the folder above") {
  resource db;
  db.id = {"PostgresCluster", "db"};
  postgres_cluster_spec spec;
  spec.data_dir = "/srv/pg/data";
  spec.owner = "pg";
  db.spec = spec;
  resource account;
  account.id = {"User", "pg"};
  user_spec user;
  user.user = "pg";
  account.spec = user;
  const resource_graph g{of({db, folder("srv", "/srv/pg"), account})};
  CHECK(g.prerequisites(db.id) == needs{{{"Directory", "srv"}}, {{"User", "pg"}}});
}

TEST_CASE("graph: a folder that depends on what lies in it -> no cycle") {
  const resource_graph g{of({file("x", "/srv/x"), folder("srv", "/srv", {{{"File", "y"}}}),
                             file("y", "/y", {{{"File", "x"}}})})};
  CHECK(g.prerequisites({"File", "x"}).empty());
  CHECK(g.prerequisites({"Directory", "srv"}) == needs{{{"File", "y"}}});
}

TEST_CASE("graph: named and implied, or named twice -> once") {
  auto x = file("x", "/srv/x", {{{"Directory", "srv"}}});
  x.restart_on = {{"Directory", "srv"}};
  const resource_graph g{of({x, folder("srv", "/srv")})};
  CHECK(g.prerequisites({"File", "x"}) == needs{{{"Directory", "srv"}}});
  CHECK(g.dependents({"Directory", "srv"}) == ids{{"File", "x"}});
}

TEST_CASE("graph: unknown ids -> nothing before, nothing after") {
  const resource_graph g;
  CHECK(g.prerequisites({"File", "x"}).empty());
  CHECK(g.dependents({"File", "x"}).empty());
}

TEST_CASE("graph: the root folder -> before everything else") {
  const resource_graph g{of({folder("root", "/"), file("x", "/x"), folder("d", "/d")})};
  CHECK(g.prerequisites({"File", "x"}) == needs{{{"Directory", "root"}}});
  CHECK(g.prerequisites({"Directory", "d"}) == needs{{{"Directory", "root"}}});
  CHECK(g.prerequisites({"Directory", "root"}).empty());
}

} // namespace

} // namespace harmony::test
