#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace harmony::test {

/// Three generations that make, change and remove resources of every kind that the matrix covers,
/// and what must then be true of the device. Together they reach every fault point.
///
///   1: makes everything   2: changes some, removes some, keeps some   3: removes the rest
class scenario {
public:
  static constexpr unsigned last_generation = 3;

  /// Once a device: starts podman and builds the image.
  static void prepare_device();

  scenario();
  /// Takes away whatever a failed run left on the device.
  ~scenario();
  scenario(const scenario&) = delete;
  scenario& operator=(const scenario&) = delete;

  /// The JSON list of resources.
  [[nodiscard]] std::string resources(unsigned generation) const;

  /// The violations of a device whose status just said Converged at `generation`: what is not in
  /// place, what ran too often, what is nobody's, and what was touched and is not to be.
  std::vector<std::string> violations(unsigned generation);

private:
  void check_files(unsigned generation);
  void check_units(unsigned generation);
  void check_containers(unsigned generation);
  void check_jobs(unsigned generation);
  void check_account(unsigned generation);
  void expect(const std::string& what, const std::string& wanted, const std::string& found);

  std::filesystem::path root_;
  std::vector<std::string> found_;
  std::map<std::string, std::string> kept_; ///< identities that must not change
};

} // namespace harmony::test
