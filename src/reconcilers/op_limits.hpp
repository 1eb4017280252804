#pragma once

#include "reconcilers/reconciler.hpp"
#include "topology/files.hpp"

namespace harmony {

/// What ends an operation early, as topologies take it.
inline op_limits limits_of(const op_context& ctx) {
  return {ctx.cancel, ctx.deadline};
}

} // namespace harmony
