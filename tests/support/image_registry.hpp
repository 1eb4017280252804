#pragma once

#include <memory>
#include <string>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

/// Tells podman that the registry at `address` speaks plain HTTP. Its service reads that only once,
/// so it is stopped; its socket starts it again.
void trust_registry(const std::string& address);

/// A registry of images (Debian: docker-registry) on a free port of a disposable device, its data
/// in a private folder; podman trusts it.
class image_registry {
public:
  /// Waits until it accepts connections. Throws std::runtime_error when it does not.
  image_registry();

  void down();
  [[nodiscard]] std::string address() const { return address_; }
  /// `repository` in it, e.g. "app:1".
  [[nodiscard]] std::string reference(const std::string& repository) const {
    return address_ + "/" + repository;
  }

  /// Pushes a new image as `repository`, drops it from the device; gives its digest. `marker`: as
  /// of `build_test_image`.
  std::string publish(const std::string& marker, const std::string& repository = "app:1") const;

private:
  temp_dir folder_;
  std::string address_;
  std::unique_ptr<process> server_;
};

} // namespace harmony::test
