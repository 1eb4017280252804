#pragma once

#include <string>
#include <string_view>

#include "core/failover/events.hpp"
#include "model/outcome.hpp"

namespace harmony::failover {

/// As JSON, and back. Strict, as the documents of `model/failover.hpp`.
std::string write(const memory& m);
outcome<memory> read_memory(std::string_view json);

/// What a member remembers on the device, in one file that is replaced as a whole.
class memory_file {
public:
  explicit memory_file(std::string path) : path_(std::move(path)) {}

  /// Nothing remembered where there is no file. One that cannot be read or understood is a failure:
  /// its member must not begin as if it had promised nothing.
  [[nodiscard]] outcome<memory> load() const;
  /// Durable when it returns.
  [[nodiscard]] outcome<void> save(const memory& m) const;

private:
  std::string path_;
};

} // namespace harmony::failover
