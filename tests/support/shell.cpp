#include "support/shell.hpp"

#include <sys/wait.h>

#include <array>
#include <cstdio>

namespace harmony::test {

std::string shell(const std::string& command, int* status) {
  std::string out;
  auto* pipe = ::popen((command + " 2>&1").c_str(), "r");
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

} // namespace harmony::test
