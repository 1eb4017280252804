#pragma once

#include <cstddef>
#include <string>

#include "model/outcome.hpp"
#include "model/secret.hpp"

namespace harmony {

/// In whose hands a file must be so that what it holds is used.
enum class file_keeping {
  anybodys, ///< not asked: what it holds is judged otherwise
  guarded,  ///< nobody but root and this user can change it
  secret,   ///< nobody but root and this user can do anything with it
};

struct small_file_terms {
  file_keeping keeping = file_keeping::anybodys;
  bool follow_link = true; ///< then what it leads to is judged; else a link is refused
  std::size_t most_bytes = std::size_t{1} << 20;
};

/// The whole of a regular file. What is judged is what was opened, so that nobody can exchange it
/// in between; a FIFO is not waited for. Fails with not_found, permission_denied (also where it is
/// in the wrong hands: how to mend that is in the message) or io_error (also where it is a refused
/// link, no regular file or too large).
outcome<secret_bytes> read_small_file(const std::string& path, const small_file_terms& terms = {});

/// Judges the file as `read_small_file` would, and reads nothing: for what a library will read.
outcome<void> check_small_file(const std::string& path, const small_file_terms& terms);

/// The failure of the system call that `doing` ("read 'x'") came down to; `error` is its errno.
failure failure_of(int error, const std::string& doing);

} // namespace harmony
