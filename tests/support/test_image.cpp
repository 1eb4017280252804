#include "support/test_image.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <string_view>

#include "support/temp_dir.hpp"

extern char** environ;

namespace harmony::test {

namespace fs = std::filesystem;

std::string run_tool(const std::vector<std::string>& argv) {
  std::vector<char*> args;
  args.reserve(argv.size() + 1);
  for (const auto& arg : argv)
    args.push_back(const_cast<char*>(arg.c_str()));
  args.push_back(nullptr);
  std::array<int, 2> out{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0)
    throw std::runtime_error{"pipe2 failed"};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, out[1], 2);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, args[0], &actions, nullptr, args.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto size = error == 0 ? ::read(out[0], buffer.data(), buffer.size()) : 0;
    if (size < 0 && errno == EINTR)
      continue;
    if (size <= 0)
      break;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  ::close(out[0]);
  int status = -1;
  while (error == 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  if (error != 0 || status != 0) {
    std::string line;
    for (const auto& arg : argv)
      line += arg + ' ';
    throw std::runtime_error{"'" + line + "' failed: " + text};
  }
  return text;
}

void build_test_image(const std::string& reference, const std::string& marker) {
  constexpr std::string_view idle = "#!/bin/sh\n"
                                    "trap 'exit 0' TERM INT\n"
                                    "echo ready\n"
                                    "while :; do sleep 3600 & wait $!; done\n";
  const temp_dir root;
  const auto image = root / "image";
  fs::create_directories(image / "bin");
  fs::create_directories(image / "tmp");
  fs::copy_file("/bin/busybox", image / "bin/busybox");
  for (const auto* tool : {"sh", "sleep", "cat", "echo", "httpd", "id", "env", "true", "false"})
    fs::create_symlink("busybox", image / "bin" / tool);
  write_file(image / "bin/idle", idle);
  fs::permissions(image / "bin/idle", fs::perms{0755});
  write_file(image / "marker", marker);
  write_file(image / "etc/passwd", "root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n");
  write_file(image / "etc/group", "root:x:0:\napp:x:1000:\n");
  const auto archive = root / "image.tar";
  run_tool({"tar", "-C", image.string(), "--owner=0", "--group=0", "-cf", archive.string(), "."});
  run_tool({"podman", "import", "--quiet", "--change", "CMD=[\"/bin/idle\"]", archive.string(),
            reference});
}

} // namespace harmony::test
