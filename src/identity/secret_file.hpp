#pragma once

#include <cstddef>
#include <string>

#include "model/outcome.hpp"
#include "model/secret.hpp"

namespace harmony {

/// The content of a small file that holds no secret. Fails as read_small_file does.
outcome<std::string> read_text_file(const std::string& path,
                                    std::size_t most_bytes = std::size_t{1} << 20);

/// The content of a file that only its owner reaches: this user, or root. Fails with
/// permission_denied where it is another's or others reach it, and says how to mend it; otherwise
/// as read_small_file does.
outcome<secret_bytes> read_secret_file(const std::string& path);

/// The same judgement of a file that a library reads.
outcome<void> check_private(const std::string& path);

/// Writes a file of mode 0600 that is there whole or not at all; fails with name_conflict where one
/// is there already. The folder is made with mode 0700 where it is missing.
outcome<void> create_secret_file(const std::string& path, const std::string& content);

/// Writes a file that anybody may read; fails with name_conflict where one is there already.
outcome<void> create_file(const std::string& path, const std::string& content);

/// Writes a file of mode 0600 in place of what is there: old or new, never a part.
outcome<void> replace_secret_file(const std::string& path, const std::string& content);

/// Writes a file that anybody may read, in place of what is there: old or new, never a part.
outcome<void> replace_file(const std::string& path, const std::string& content);

/// Adds a line to a file, made with mode 0600 where it is missing, durably. A last line that was
/// left without its end gets one first.
outcome<void> append_secret_line(const std::string& path, const std::string& line);

} // namespace harmony
