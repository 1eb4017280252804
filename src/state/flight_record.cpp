#include "state/flight_record.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "topology/files_error.hpp"
#include "topology/files_posix.hpp"

namespace harmony {

namespace {

constexpr std::size_t page_size = 4096;
constexpr std::array<char, 8> magic{'h', 'a', 'f', 'l', 'i', 'g', 'h', '1'};
constexpr std::size_t no_entry = ~std::size_t{0};

/// Text in a fixed place; what does not fit is not written.
template <std::size_t N>
void put(std::array<char, N>& to, const std::string& text) {
  to.fill('\0');
  if (text.size() < N)
    std::copy(text.begin(), text.end(), to.begin());
}

template <std::size_t N>
std::string text_in(const std::array<char, N>& from) {
  return {from.begin(), std::find(from.begin(), from.end(), '\0')};
}

/// Names this boot of the device.
std::string kernel_boot() {
  std::ifstream in{"/proc/sys/kernel/random/boot_id"};
  std::string id;
  in >> id;
  return id;
}

std::chrono::milliseconds since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::duration_cast<std::chrono::milliseconds>(
    std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec});
}

nlohmann::json json_of(const crash_record& c) {
  nlohmann::json j{{"generation", c.on.generation},
                   {"keyEpoch", c.on.key_epoch},
                   {"hash", c.on.hash},
                   {"atMs", c.at.count()},
                   {"changing", nlohmann::json::array()},
                   {"lookingAt", nlohmann::json::array()}};
  for (const auto& each : c.under_way)
    j[each.acting ? "changing" : "lookingAt"].push_back(each.id.str());
  return j;
}

void read_ids(const nlohmann::json& list, bool acting, std::vector<operation_under_way>& to) {
  for (const auto& each : list)
    if (resource_id id; parse_resource_id(each.get<std::string>(), id))
      to.push_back({std::move(id), acting});
}

crash_record crash_in(const nlohmann::json& j) {
  crash_record c{{j.at("keyEpoch").get<std::uint32_t>(),
                  j.at("generation").get<generation_number>(), j.at("hash").get<std::string>()},
                 std::chrono::milliseconds{j.at("atMs").get<std::int64_t>()},
                 {}};
  read_ids(j.at("changing"), true, c.under_way);
  read_ids(j.at("lookingAt"), false, c.under_way);
  return c;
}

/// The history of this boot; none where it cannot be read, which at worst costs a few crashes more.
crash_history read_history(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  crash_history h;
  try {
    const auto j = nlohmann::json::parse(text);
    if (j.at("boot").get<std::string>() != kernel_boot())
      return {};
    h.tripped = j.at("tripped").get<bool>();
    for (const auto& each : j.at("crashes"))
      h.crashes.push_back(crash_in(each));
  } catch (const nlohmann::json::exception&) {
    return {};
  }
  return h;
}

} // namespace

/// The file, byte for byte.
struct flight_record::page {
  struct slot {
    enum : char { free, looking, acting };
    char use;
    std::array<char, 127> id;
  };
  static constexpr std::size_t slots = 30;

  std::array<char, 8> magic;
  std::array<char, 40> boot; ///< of the device
  std::uint32_t running;     ///< 1 until the run ends in order
  std::uint32_t key_epoch;
  std::uint64_t generation;
  std::array<char, 72> hash;
  std::array<slot, slots> entries;
};

outcome<std::unique_ptr<flight_record>> flight_record::open(const std::string& folder,
                                                            const crash_loop_policy& policy) {
  static_assert(sizeof(page) <= page_size);
  const auto file = folder + "/flight";
  const open_fd fd{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!fd)
    return from_errno(errno, "open", file);
  // Room first: to write to a mapped page that the disk has no room for is a SIGBUS.
  if (const int error = ::posix_fallocate(fd.get(), 0, page_size); error != 0)
    return from_errno(error, "make room for", file);
  auto* mapped = ::mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (mapped == MAP_FAILED)
    return from_errno(errno, "map", file);
  return std::unique_ptr<flight_record>{
    new flight_record{folder, static_cast<page*>(mapped), policy}};
}

flight_record::flight_record(std::string folder, page* mapped, const crash_loop_policy& policy)
  : folder_(std::move(folder)), policy_(policy), page_(mapped) {
  take_over();
}

flight_record::~flight_record() {
  ::munmap(page_, page_size);
}

/// Draws the conclusion from what the former run left, and begins anew.
void flight_record::take_over() {
  auto& p = *page_;
  const auto boot = kernel_boot();
  if (p.magic == magic && text_in(p.boot) == boot && p.running == 1) {
    crash_record crash{{p.key_epoch, p.generation, text_in(p.hash)}, since_boot(), {}};
    for (const auto& each : p.entries)
      if (resource_id id; each.use != page::slot::free && parse_resource_id(text_in(each.id), id))
        crash.under_way.push_back({std::move(id), each.use == page::slot::acting});
    const auto history =
      after_crash(read_history(folder_ + "/crashes.json"), std::move(crash), policy_);
    save(history);
    held_back_ = why_held_back(history, policy_);
  }
  p = {};
  p.magic = magic;
  put(p.boot, boot);
  p.running = 1;
}

void flight_record::save(const crash_history& h) const {
  nlohmann::json j{
    {"boot", kernel_boot()}, {"tripped", h.tripped}, {"crashes", nlohmann::json::array()}};
  for (const auto& each : h.crashes)
    j["crashes"].push_back(json_of(each));
  const auto file = folder_ + "/crashes.json";
  const auto fresh = file + ".new";
  {
    std::ofstream out{fresh, std::ios::binary | std::ios::trunc};
    out << j.dump() << "\n";
    if (!out.flush()) { // on a full disk the history stays as it was
      ::unlink(fresh.c_str());
      return;
    }
  }
  if (std::rename(fresh.c_str(), file.c_str()) != 0)
    ::unlink(fresh.c_str());
}

void flight_record::in_force(const accepted_mark& mark) {
  const std::lock_guard lock{mutex_};
  page_->key_epoch = mark.key_epoch;
  page_->generation = mark.generation;
  put(page_->hash, mark.hash);
}

void flight_record::healthy() {
  ::unlink((folder_ + "/crashes.json").c_str());
}

void flight_record::land() {
  const std::lock_guard lock{mutex_};
  page_->running = 0;
}

std::size_t flight_record::begin(const resource_id& id, bool acting) {
  const std::lock_guard lock{mutex_};
  auto& all = page_->entries;
  const auto at = std::find_if(all.begin(), all.end(),
                               [](const auto& each) { return each.use == page::slot::free; });
  if (at == all.end()) // more at once than are worth telling
    return no_entry;
  put(at->id, id.str());
  at->use = acting ? page::slot::acting : page::slot::looking;
  return static_cast<std::size_t>(at - all.begin());
}

void flight_record::end(std::size_t entry) {
  const std::lock_guard lock{mutex_};
  if (entry < page_->entries.size())
    page_->entries.at(entry).use = page::slot::free;
}

} // namespace harmony
