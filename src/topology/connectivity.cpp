#include "topology/connectivity.hpp"

#include <ctime>
#include <fstream>

namespace harmony {

boot_clock kernel_boot_clock() {
  return {[] {
            std::ifstream file{"/proc/sys/kernel/random/boot_id"};
            std::string id;
            std::getline(file, id);
            return id;
          },
          [] {
            timespec t{};
            ::clock_gettime(CLOCK_BOOTTIME, &t);
            return std::chrono::duration_cast<std::chrono::milliseconds>(
              std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec});
          }};
}

} // namespace harmony
