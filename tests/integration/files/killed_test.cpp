// Every interrupted prefix: a process of its own converges a resource, with its state on disk, and
// is ended without warning before its n-th change, for every n. Afterwards nothing half-done may be
// seen, and the next agent must finish the work.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "integration/files/stepping_device.hpp"
#include "reconcilers/directory.hpp"
#include "reconcilers/file.hpp"
#include "state/state_store.hpp"
#include "support/catch.hpp"
#include "unit/reconcilers/file_world.hpp"

namespace harmony {
namespace {

using test::file_world;
using test::stepping_device;
using test::stepping_inventory;

/// What an agent does in one process.
struct agent {
  std::unique_ptr<state_store> state;
  stepping_inventory owned;
  stepping_device device;
  file_reconciler<stepping_device> files{device};
  directory_reconciler<stepping_device> directories{device};
  op_context ctx{"pi-0042", owned, {}};

  agent(const file_world& world, const test::before_step& before)
    : state(std::move(*state_store::open(world / "state"))),
      owned(*state, before),
      device(before) {}

  template <class Reconciler, class Spec>
  static bool converge_with(Reconciler& r, const desired<Spec>& want, op_context& ctx) {
    const auto seen = r.observe(want, ctx);
    if (!seen)
      return false;
    const auto todo = r.plan(want, *seen);
    return todo && (todo->empty() || r.apply(want, *todo, ctx));
  }
  bool converge(const desired<file_spec>& want) { return converge_with(files, want, ctx); }
  bool converge(const desired<directory_spec>& want) {
    return converge_with(directories, want, ctx);
  }
  bool remove(const resource_id& id) {
    for (const auto& t : ctx.owned.of(id)) {
      const auto done = id.kind == "File" ? files.remove(t, ctx) : directories.remove(t, ctx);
      if (!done)
        return false;
    }
    return true;
  }
};

enum class fate { finished, killed };

/// Runs `work` in a process that ends before its `n`-th change (from 1).
fate run_killed_at(int n, const file_world& world, const std::function<bool(agent&)>& work) {
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int steps = 0;
    agent a{world, [&](const std::string&) {
              if (++steps == n)
                ::_exit(9);
            }};
    ::_exit(work(a) ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9));
  return WEXITSTATUS(status) == 0 ? fate::finished : fate::killed;
}

const test::before_step nothing = [](const std::string&) {};

desired<file_spec> motd(const file_world& world, const std::string& content,
                        const std::string& mode) {
  desired<file_spec> want{{"File", "motd"}, {}, {}, {}};
  want.spec.path = world / "etc/motd";
  want.spec.content = content;
  want.spec.mode = mode;
  return want;
}

/// Names in the managed folder: nothing but what is managed may be there in the end.
std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> all;
  for (const auto& e : std::filesystem::directory_iterator{folder})
    all.push_back(e.path().filename().string());
  return all;
}

bool is_ours(const file_world& world, const desired<file_spec>& want) {
  const agent a{world, nothing};
  return a.state->find(want.id, want.spec.path).has_value();
}

/// Kills `work` before each of its changes in turn; `before` sets a fresh world up, `check` looks
/// right after the kill, `after` is the next agent's turn. Gives the number of kills.
int kill_everywhere(const std::function<void(file_world&)>& before,
                    const std::function<bool(agent&, file_world&)>& work,
                    const std::function<void(file_world&)>& check,
                    const std::function<void(agent&, file_world&)>& after) {
  for (int n = 1;; ++n) {
    INFO("killed before change " << n);
    file_world world;
    std::filesystem::create_directory(world / "etc");
    before(world);
    const auto end = run_killed_at(n, world, [&](agent& a) { return work(a, world); });
    check(world);
    agent next{world, nothing};
    after(next, world);
    if (end == fate::finished)
      return n - 1;
  }
}

TEST_CASE("file killed: while created -> nothing or all of it, claimed; then finished") {
  const int kills = kill_everywhere(
    [](file_world&) {},
    [](agent& a, file_world& w) { return a.converge(motd(w, "new content", "0640")); },
    [](file_world& w) {
      if (!w.exists("etc/motd"))
        return;
      CHECK(w.read("etc/motd") == "new content");
      CHECK(w.mode("etc/motd") == 0640);
      CHECK(is_ours(w, motd(w, "", "0640")));
    },
    [](agent& a, file_world& w) {
      CHECK(a.converge(motd(w, "new content", "0640")));
      CHECK(w.read("etc/motd") == "new content");
      CHECK(names_in(w / "etc") == std::vector<std::string>{"motd"});
    });
  CHECK(kills >= 9);
}

TEST_CASE("file killed: while replaced -> the old or the new, whole; then finished") {
  const int kills = kill_everywhere(
    [](file_world& w) {
      agent a{w, nothing};
      REQUIRE(a.converge(motd(w, "old content", "0600")));
    },
    [](agent& a, file_world& w) { return a.converge(motd(w, "new content", "0640")); },
    [](file_world& w) {
      const bool is_new = w.read("etc/motd") == "new content";
      CHECK((is_new || w.read("etc/motd") == "old content"));
      CHECK(w.mode("etc/motd") == (is_new ? 0640U : 0600U));
    },
    [](agent& a, file_world& w) {
      CHECK(a.converge(motd(w, "new content", "0640")));
      CHECK(w.read("etc/motd") == "new content");
      CHECK(names_in(w / "etc") == std::vector<std::string>{"motd"});
    });
  CHECK(kills >= 8);
}

TEST_CASE("file killed: while replaced, then desired as it was -> no temporary stays") {
  kill_everywhere(
    [](file_world& w) {
      agent a{w, nothing};
      REQUIRE(a.converge(motd(w, "old content", "0600")));
    },
    [](agent& a, file_world& w) { return a.converge(motd(w, "new content", "0640")); },
    [](file_world&) {},
    [](agent& a, file_world& w) {
      CHECK(a.converge(motd(w, "old content", "0600")));
      CHECK(w.read("etc/motd") == "old content");
      CHECK(names_in(w / "etc") == std::vector<std::string>{"motd"});
    });
}

TEST_CASE("file killed: while created, then not desired any more -> all of it goes") {
  kill_everywhere(
    [](file_world&) {},
    [](agent& a, file_world& w) { return a.converge(motd(w, "new content", "0640")); },
    [](file_world&) {},
    [](agent& a, file_world& w) {
      CHECK(a.remove({"File", "motd"}));
      CHECK(names_in(w / "etc").empty());
      CHECK(a.state->all().empty());
    });
}

TEST_CASE("file killed: while adopted -> the foreign file or the new one; never deleted later") {
  const auto adopting = [](const file_world& w) {
    auto want = motd(w, "new content", "0644");
    want.spec.adopt = true;
    return want;
  };
  kill_everywhere([](file_world& w) { w.write("etc/motd", "somebody's"); },
                  [&](agent& a, file_world& w) { return a.converge(adopting(w)); },
                  [](file_world& w) {
                    CHECK(
                      (w.read("etc/motd") == "somebody's" || w.read("etc/motd") == "new content"));
                  },
                  [&](agent& a, file_world& w) {
                    CHECK(a.converge(adopting(w)));
                    CHECK(a.remove({"File", "motd"}));
                    CHECK(w.read("etc/motd") == "new content");
                    CHECK(names_in(w / "etc") == std::vector<std::string>{"motd"});
                  });
}

TEST_CASE("file killed: while removed -> removed by the next, and nobody else's then") {
  const int kills = kill_everywhere(
    [](file_world& w) {
      agent a{w, nothing};
      REQUIRE(a.converge(motd(w, "content", "0600")));
    },
    [](agent& a, file_world&) {
      return a.remove({"File", "motd"});
    },
    [](file_world& w) { CHECK((!w.exists("etc/motd") || is_ours(w, motd(w, "", "0600")))); },
    [](agent& a, file_world& w) {
      CHECK(a.remove({"File", "motd"}));
      CHECK(names_in(w / "etc").empty());
      CHECK(a.state->all().empty());
    });
  CHECK(kills >= 3);
}

TEST_CASE("directory killed: while created or removed -> finished by the next") {
  const auto wanted = [](const file_world& w) {
    desired<directory_spec> want{{"Directory", "conf"}, {}, {}, {}};
    want.spec.path = w / "etc/conf.d";
    want.spec.mode = "0750";
    return want;
  };
  kill_everywhere([](file_world&) {},
                  [&](agent& a, file_world& w) { return a.converge(wanted(w)); },
                  [](file_world&) {},
                  [&](agent& a, file_world& w) {
                    CHECK(a.converge(wanted(w)));
                    CHECK(w.mode("etc/conf.d") == 0750);
                    CHECK(a.state->all().size() == 1);
                  });
  kill_everywhere(
    [&](file_world& w) {
      agent a{w, nothing};
      REQUIRE(a.converge(wanted(w)));
    },
    [&](agent& a, file_world&) {
      return a.remove({"Directory", "conf"});
    },
    [](file_world&) {},
    [&](agent& a, file_world& w) {
      CHECK(a.remove({"Directory", "conf"}));
      CHECK(names_in(w / "etc").empty());
      CHECK(a.state->all().empty());
    });
}

TEST_CASE("file: somebody creates the file during the apply -> theirs stays, claim given back") {
  file_world world;
  std::filesystem::create_directory(world / "etc");
  for (const std::string step : {"claim", "create_temporary", "write", "sync", "publish"}) {
    INFO("created before " << step);
    std::filesystem::remove(world / "etc/motd");
    agent a{world, [&](const std::string& now) {
              if (now == step)
                world.write("etc/motd", "somebody's");
            }};
    CHECK_FALSE(a.converge(motd(world, "ours", "0644")));
    CHECK(world.read("etc/motd") == "somebody's");
    CHECK(a.state->all().empty());
    CHECK(names_in(world / "etc") == std::vector<std::string>{"motd"});
  }
}

TEST_CASE("file: folder swapped for a symlink during the apply -> never followed") {
  for (const std::string step : {"claim", "create_temporary", "write", "publish", "sync_folder"}) {
    INFO("swapped before " << step);
    file_world world;
    std::filesystem::create_directory(world / "etc");
    std::filesystem::create_directory(world / "victim");
    world.write("victim/motd", "precious");
    agent a{world, [&](const std::string& now) {
              if (now != step)
                return;
              std::filesystem::rename(world / "etc", world / "moved");
              std::filesystem::create_directory_symlink(world / "victim", world / "etc");
            }};
    (void)a.converge(motd(world, "attack", "0644"));
    CHECK(world.read("victim/motd") == "precious");
    CHECK(names_in(world / "victim") == std::vector<std::string>{"motd"});
  }
}

} // namespace
} // namespace harmony
