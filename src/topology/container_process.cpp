#include "topology/container_process.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>

namespace harmony {

namespace {

std::string proc(pid_t process, const char* what) {
  return "/proc/" + std::to_string(process) + "/" + what;
}

bool in_one_pid_namespace(pid_t a, pid_t b) {
  struct stat of_a {};
  struct stat of_b {};
  return ::stat(proc(a, "ns/pid").c_str(), &of_a) == 0
         && ::stat(proc(b, "ns/pid").c_str(), &of_b) == 0 && of_a.st_ino == of_b.st_ino
         && of_a.st_dev == of_b.st_dev;
}

/// 0 where it is not known.
pid_t parent_of(pid_t process) {
  std::ifstream in{proc(process, "status")};
  for (std::string word; in >> word;)
    if (word == "PPid:") {
      pid_t parent = 0;
      in >> parent;
      return parent;
    }
  return 0;
}

} // namespace

bool kill_in_container(pid_t process, pid_t first) {
  if (process <= 0 || first <= 0 || process == first || !in_one_pid_namespace(process, first))
    return false;
  const auto group = ::getpgid(process);
  const auto parent = parent_of(process);
  return group > 1 && parent > 0 && group != ::getpgid(parent) && group != ::getpgid(first)
         && group != ::getpgrp() && ::kill(-group, SIGKILL) == 0;
}

} // namespace harmony
