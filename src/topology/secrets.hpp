#pragma once

#include <string>
#include <string_view>

#include "model/ids.hpp"
#include "model/outcome.hpp"
#include "model/secret.hpp"

namespace harmony {

/// The secrets that this device has. Calls are thread-safe and block.
class secret_port {
public:
  virtual ~secret_port() = default;

  /// The value of `ref`, for the use of resource `user`. Fails with secret_unavailable; the message
  /// names the reference and what is in the way, and never has a part of a value.
  virtual outcome<secret_bytes> read(const secret_ref& ref, const resource_id& user) = 0;

  /// Tells equal values from different ones, to this device alone: nobody else can try what value
  /// it is of. Outlives the agent. Fails with secret_unavailable.
  virtual outcome<std::string> mark(std::string_view value) = 0;

  /// Differs when what `ref` names may have another value; reads none.
  virtual std::string stamp(const secret_ref& ref) = 0;
};

} // namespace harmony
