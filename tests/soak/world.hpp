#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model/ids.hpp"
#include "soak/dice.hpp"

namespace harmony::soak {

enum class kind { directory, file, unit, container, job };

/// One resource that is desired.
struct item {
  kind what = kind::file;
  int number = 0;           ///< part of its name; few, so that names come back
  int variant = 0;          ///< of its spec; never used twice
  bool broken = false;      ///< cannot succeed
  std::string after;        ///< id of what it depends on; empty: of nothing
  std::filesystem::path at; ///< of a file or directory

  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::string id() const; ///< "File/f3"
  [[nodiscard]] std::string mode() const { return variant % 2 == 0 ? "0700" : "0750"; }
};

/// What the driver wants of the device, and whether it is there. Resources depend on earlier kinds
/// only, so there is no cycle.
class world {
public:
  /// Everything lies in `root` or has a name that begins with "soak".
  explicit world(std::filesystem::path root) : root_(std::move(root)) {}

  // Changes of the desire; they do nothing where there is nothing to do it to.
  void add(dice& d);
  void change(dice& d);
  void remove(dice& d); ///< with what depends on it
  void spoil(dice& d);  ///< makes one impossible, or adds one that is rejected
  void mend();          ///< nothing is impossible any more
  void clear();

  [[nodiscard]] const std::vector<item>& items() const { return items_; }
  /// The JSON of all, for a manifest's list.
  [[nodiscard]] std::string resources() const;

  /// Looks at the device: each thing that is not as desired or does not belong there, in words.
  [[nodiscard]] std::vector<std::string> out_of_place() const;

  static std::string unit_of(const item& i) { return "soak-" + i.name() + ".service"; }
  static std::string container_of(const item& i) { return "harmony-" + i.name(); }
  [[nodiscard]] std::filesystem::path site() const { return root_ / "site"; }
  [[nodiscard]] std::filesystem::path jobs() const { return root_ / "jobs"; }
  static constexpr const char* image(int variant) {
    return variant % 4 == 0 ? "localhost/harmony-soak:2" : "localhost/harmony-soak:1";
  }

private:
  [[nodiscard]] std::string json_of(const item& i) const;
  void look_at_files(std::vector<std::string>& wrong) const;
  void look_at_units(std::vector<std::string>& wrong) const;
  void look_at_containers(std::vector<std::string>& wrong) const;
  void look_at_jobs(std::vector<std::string>& wrong) const;

  std::filesystem::path root_;
  std::vector<item> items_;
  int variants_ = 0;
  bool unknown_kind_ = false; ///< a resource that is rejected
};

} // namespace harmony::soak
