// What is to be done for an account: the table is in docs/reconcilers/user.md.

#include "reconcilers/user.hpp"
#include "unit/reconcilers/plan_table.hpp"

namespace harmony::test {

namespace {

struct user_case {
  desired<user_spec> want{{"User", "web"}, {}, {}, {}};
  user_observed seen{{true, 1000, "web", "/home/web", "/bin/sh", "Web", {"docker"}}, true, true};

  user_case() { want.spec.user = "web"; }
};

vocabulary<user_case> user_now() {
  return {
    {"in place", [](user_case&, const std::string&) {}},
    {"nothing", [](user_case& it, const std::string&) { it.seen.found = {}; }},
    {"foreign", [](user_case& it, const std::string&) { it.seen.owned = it.seen.created = false; }},
    {"adopted", [](user_case& it, const std::string&) { it.seen.created = false; }},
    {"group ", [](user_case& it, const std::string& value) { it.seen.found.group = value; }},
    {"in no group", [](user_case& it, const std::string&) { it.seen.found.groups.clear(); }},
  };
}

vocabulary<user_case> user_wanted() {
  return {
    {"the same", [](user_case&, const std::string&) {}},
    {"uid ",
     [](user_case& it, const std::string& value) {
       it.want.spec.uid = static_cast<std::uint32_t>(std::stoul(value));
     }},
    {"group ", [](user_case& it, const std::string& value) { it.want.spec.group = value; }},
    {"in ", [](user_case& it, const std::string& value) { it.want.spec.groups.push_back(value); }},
    {"home ", [](user_case& it, const std::string& value) { it.want.spec.home = value; }},
    {"shell ", [](user_case& it, const std::string& value) { it.want.spec.shell = value; }},
    {"comment ", [](user_case& it, const std::string& value) { it.want.spec.comment = value; }},
    {"system", [](user_case& it, const std::string&) { it.want.spec.system = true; }},
    {"adopt", [](user_case& it, const std::string&) { it.want.spec.adopt = true; }},
  };
}

} // namespace

TEST_CASE("user plan: the table in docs/reconcilers/user.md -> the planner's answers") {
  check_plans<user_case>("user", {}, user_now(), user_wanted(), [](const user_case& it) {
    return user_operations::plan(it.want, it.seen);
  });
}

} // namespace harmony::test
