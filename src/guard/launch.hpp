#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "guard/data_directory.hpp"
#include "guard/tree.hpp"
#include "model/outcome.hpp"

namespace harmony::guard {

/// Which PostgreSQL.
struct instance {
  std::string data_dir;
  std::string bin_dir;              ///< empty: Debian's of the data directory's version
  std::vector<std::string> options; ///< further arguments of postgres
};

/// The program that serves `data`. Fails where there is none, or where it is of another major
/// version: both are named.
outcome<std::string> program_for(const instance& i, const data_directory& data);

/// The major version in what `postgres --version` prints: "15" of "postgres (PostgreSQL) 15.18
/// (Debian …)", "17" of "postgres (PostgreSQL) 17beta1"; empty where there is none.
std::string major_of(const std::string& printed);

/// Starts `program` on `data` as the owner of that, within `place`, and answers its pid; the kernel
/// kills it when the guard's process dies.
outcome<pid_t> launch(const std::string& program, const instance& i, const data_directory& data,
                      const tree& place);

} // namespace harmony::guard
