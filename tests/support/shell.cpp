#include "support/shell.hpp"

#include <sys/wait.h>

#include <array>
#include <cstdio>

namespace harmony::test {

std::string shell(const std::string& command, int* status) {
  std::string out;
  auto* pipe = ::popen(("exec 2>&1; " + command).c_str(), "re");
  if (pipe == nullptr)
    return "popen failed";
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    out.append(buffer.data(), n);
  const auto ended = ::pclose(pipe);
  if (status != nullptr)
    *status = WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
  if (!out.empty() && out.back() == '\n')
    out.pop_back();
  return out;
}

bool succeeds(const std::string& command) {
  int status = -1;
  shell(command, &status);
  return status == 0;
}

} // namespace harmony::test
