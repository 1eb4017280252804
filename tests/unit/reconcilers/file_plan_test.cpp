// The tables of `plan`: what is found and what is wanted -> what is to be done.

#include <cerrno>
#include <string>
#include <vector>

#include "reconcilers/directory.hpp"
#include "reconcilers/file.hpp"
#include "support/catch.hpp"
#include "topology/files_digest.hpp"
#include "topology/files_posix.hpp"

namespace harmony {
namespace {

using files = file_reconciler<posix_device>;
using directories = directory_reconciler<posix_device>;

enum class whose { foreign, ours };

struct found {
  file_type type = file_type::absent;
  std::string content;
  std::uint32_t mode = 0644;
  uid_t uid = 0;
  gid_t gid = 0;
  whose owner = whose::ours;
};

struct row {
  std::string name;
  found there;
  std::string wanted_content;
  std::string mode;
  bool adopt;
  std::string plan; ///< "create content, create mode", "" for none, or "!Reason"
};

constexpr auto absent = file_type::absent;
constexpr auto file = file_type::regular;
constexpr auto folder = file_type::directory;
constexpr auto link = file_type::symlink;
constexpr auto fifo = file_type::fifo;
constexpr auto foreign = whose::foreign;
constexpr auto ours = whose::ours;

/// The wanted owner is always root:root.
observed_entry entry_of(const found& f) {
  observed_entry seen;
  seen.owned = f.owner == ours;
  seen.found.type = f.type;
  seen.found.mode = f.mode;
  seen.found.uid = f.uid;
  seen.found.gid = f.gid;
  seen.found.links = 1;
  if (f.type == file && f.content != "(unreadable)")
    seen.found.sha256 = sha256_of(f.content);
  if (f.uid != 0)
    seen.owner = "somebody", seen.wanted_owner = "root";
  if (f.gid != 0)
    seen.group = "users", seen.wanted_group = "root";
  return seen;
}

std::string text_of(const outcome<std::vector<change>>& plan) {
  if (!plan)
    return "!" + std::string{reason_of(plan.error().code)};
  std::string text;
  for (const auto& c : *plan)
    text += (text.empty() ? "" : ", ") + std::string{name_of(c.what)} + " " + c.field;
  return text;
}

TEST_CASE("file plan: found and wanted -> changes, field by field") {
  const std::string create = "create content, create mode";
  const std::vector<row> table{
    // -- nothing there
    {"absent", {}, "new", "0644", false, create},
    {"absent, never ours", {.owner = foreign}, "new", "0644", false, create},
    {"absent, adopt", {.owner = foreign}, "new", "0644", true, create},
    // -- ours
    {"equal", {file, "a"}, "a", "0644", false, ""},
    {"equal, adopt set later", {file, "a"}, "a", "0644", true, ""},
    {"equal, empty", {file, ""}, "", "0644", false, ""},
    {"content", {file, "b"}, "a", "0644", false, "update content"},
    {"truncated", {file, ""}, "a", "0644", false, "update content"},
    {"mode", {file, "a", 0600}, "a", "0644", false, "update mode"},
    {"set-user-id bit", {file, "a", 04755}, "a", "0755", false, "update mode"},
    {"wanted set-user-id bit", {file, "a", 0755}, "a", "4755", false, "update mode"},
    {"owner", {file, "a", 0644, 1000}, "a", "0644", false, "update owner"},
    {"group", {file, "a", 0644, 0, 100}, "a", "0644", false, "update group"},
    {"owner and group",
     {file, "a", 0644, 1000, 100},
     "a",
     "0644",
     false,
     "update owner, update group"},
    {"all",
     {file, "b", 0600, 1000, 100},
     "a",
     "0644",
     false,
     "update content, update mode, update owner, update group"},
    {"unreadable and of another mode",
     {file, "(unreadable)", 0},
     "a",
     "0644",
     false,
     "update content, update mode"},
    {"unreadable by its own mode",
     {file, "(unreadable)", 0},
     "a",
     "0000",
     false,
     "!PermissionDenied"},
    {"symlink", {link}, "a", "0644", false, "replace type, " + create},
    {"directory", {folder}, "a", "0644", false, "!NameConflict"},
    {"FIFO", {fifo}, "a", "0644", false, "!NameConflict"},
    {"socket", {file_type::socket}, "a", "0644", false, "!NameConflict"},
    {"device", {file_type::device}, "a", "0644", false, "!NameConflict"},
    // -- somebody else's
    {"foreign, equal", {file, "a", 0644, 0, 0, foreign}, "a", "0644", false, ""},
    {"foreign, content", {file, "b", 0644, 0, 0, foreign}, "a", "0644", false, "!NameConflict"},
    {"foreign, mode", {file, "a", 0600, 0, 0, foreign}, "a", "0644", false, "!NameConflict"},
    {"foreign, owner", {file, "a", 0644, 7, 0, foreign}, "a", "0644", false, "!NameConflict"},
    {"foreign, unreadable",
     {file, "(unreadable)", 0, 0, 0, foreign},
     "a",
     "0644",
     false,
     "!NameConflict"},
    {"foreign symlink", {link, "", 0777, 0, 0, foreign}, "a", "0644", false, "!NameConflict"},
    // -- somebody else's, to be taken over
    {"adopt, equal", {file, "a", 0644, 0, 0, foreign}, "a", "0644", true, ""},
    {"adopt, content", {file, "b", 0644, 0, 0, foreign}, "a", "0644", true, "update content"},
    {"adopt, mode", {file, "a", 0600, 0, 0, foreign}, "a", "0644", true, "update mode"},
    {"adopt, symlink", {link, "", 0777, 0, 0, foreign}, "a", "0644", true, "!NameConflict"},
    {"adopt, directory", {folder, "", 0755, 0, 0, foreign}, "a", "0644", true, "!NameConflict"},
    // -- what cannot be
    {"mode that is none", {file, "a"}, "a", "rw-r--r--", false, "!InvalidSpec"},
  };
  for (const auto& r : table) {
    desired<file_spec> want{{"File", "motd"}, {}, {}, {}};
    want.spec.path = "/etc/motd";
    want.spec.content = r.wanted_content;
    want.spec.mode = r.mode;
    want.spec.adopt = r.adopt;
    INFO(r.name);
    CHECK(text_of(files::plan(want, entry_of(r.there))) == r.plan);
  }
}

TEST_CASE("file plan: changes -> say from what to what") {
  desired<file_spec> want{{"File", "motd"}, {}, {}, {}};
  want.spec.path = "/etc/motd";
  want.spec.content = "a";
  const auto plan = files::plan(want, entry_of({file, "b", 0600, 1000, 100}));
  REQUIRE(plan.ok());
  const std::vector<change> expected{
    {action::update, "content", "sha256:" + sha256_of("b"), "sha256:" + sha256_of("a")},
    {action::update, "mode", "0600", "0644"},
    {action::update, "owner", "somebody", "root"},
    {action::update, "group", "users", "root"}};
  CHECK(*plan == expected);
}

TEST_CASE("file plan: absent with an owner and a group -> named in the plan") {
  desired<file_spec> want{{"File", "motd"}, {}, {}, {}};
  want.spec.path = "/etc/motd";
  want.spec.source = remote_content{"https://example.org/motd", std::string(64, 'a')};
  want.spec.owner = "www-data";
  want.spec.group = "adm";
  const auto plan = files::plan(want, {});
  REQUIRE(plan.ok());
  const std::vector<change> expected{
    {action::create, "content", "", "sha256:" + std::string(64, 'a')},
    {action::create, "mode", "", "0644"},
    {action::create, "owner", "", "www-data"},
    {action::create, "group", "", "adm"}};
  CHECK(*plan == expected);
}

TEST_CASE("file plan: foreign file in the way -> message names path, fields and remedy") {
  desired<file_spec> want{{"File", "motd"}, {}, {}, {}};
  want.spec.path = "/etc/motd";
  want.spec.content = "a";
  const auto plan = files::plan(want, entry_of({file, "b", 0600, 0, 100, foreign}));
  REQUIRE_FALSE(plan.ok());
  CHECK(plan.error().message
        == "'/etc/motd' exists, is not this agent's and differs in content, mode and group: "
           "remove it, or set adopt: true");
}

TEST_CASE("directory plan: found and wanted -> changes, field by field") {
  const std::vector<row> table{
    {"absent", {}, "", "0755", false, "create mode"},
    {"equal", {folder, "", 0755}, "", "0755", false, ""},
    {"mode", {folder, "", 0700}, "", "0755", false, "update mode"},
    {"sticky bit", {folder, "", 0777}, "", "1777", false, "update mode"},
    {"owner and group", {folder, "", 0755, 7, 7}, "", "0755", false, "update owner, update group"},
    {"file", {file, "a"}, "", "0755", false, "!NameConflict"},
    {"symlink", {link}, "", "0755", false, "!NameConflict"},
    {"FIFO", {fifo}, "", "0755", false, "!NameConflict"},
    {"foreign, equal", {folder, "", 0755, 0, 0, foreign}, "", "0755", false, ""},
    {"foreign, mode", {folder, "", 0700, 0, 0, foreign}, "", "0755", false, "!NameConflict"},
    {"adopt, mode", {folder, "", 0700, 0, 0, foreign}, "", "0755", true, "update mode"},
    {"adopt, file", {file, "a", 0644, 0, 0, foreign}, "", "0755", true, "!NameConflict"},
  };
  for (const auto& r : table) {
    desired<directory_spec> want{{"Directory", "conf"}, {}, {}, {}};
    want.spec.path = "/etc/conf.d";
    want.spec.mode = r.mode;
    want.spec.adopt = r.adopt;
    INFO(r.name);
    CHECK(text_of(directories::plan(want, entry_of(r.there))) == r.plan);
  }
}

TEST_CASE("from_errno: errno -> code, path, the system's words, remedy") {
  const std::vector<std::pair<int, ec>> table{
    {ENOSPC, ec::disk_full},        {EDQUOT, ec::disk_full}, {EACCES, ec::permission_denied},
    {EPERM, ec::permission_denied}, {EROFS, ec::read_only},  {EIO, ec::io_error},
    {ENAMETOOLONG, ec::io_error},   {EMFILE, ec::io_error},  {ELOOP, ec::io_error},
  };
  for (const auto& [error, code] : table)
    CHECK(from_errno(error, "write", "/etc/motd").code == code);
  CHECK(from_errno(ENOSPC, "write", "/etc/motd").message
        == "cannot write '/etc/motd': No space left on device: free space on its file system");
}

} // namespace
} // namespace harmony
