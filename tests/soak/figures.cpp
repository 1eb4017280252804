#include "soak/figures.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace harmony::soak {

namespace {

namespace fs = std::filesystem;

int entries(const std::string& folder) {
  return static_cast<int>(std::distance(fs::directory_iterator{folder}, {}));
}

} // namespace

figures figures_of(pid_t pid, double minutes) {
  const auto folder = "/proc/" + std::to_string(pid);
  figures out;
  out.minutes = minutes;
  std::ifstream in(folder + "/smaps_rollup");
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(':');
    const auto key = line.substr(0, colon);
    if (key == "Pss")
      out.pss_kib = std::stod(line.substr(colon + 1));
    else if (key == "Rss")
      out.rss_kib = std::stod(line.substr(colon + 1));
    else if (key == "Anonymous")
      out.anonymous_kib = std::stod(line.substr(colon + 1));
  }
  if (out.pss_kib == 0)
    throw std::runtime_error("process " + std::to_string(pid) + " has no memory: did it end?");
  out.descriptors = entries(folder + "/fd");
  out.threads = entries(folder + "/task");
  return out;
}

line_fit fit(const std::vector<figures>& samples, double figures::*value) {
  line_fit out;
  out.points = samples.size();
  if (samples.size() < 3)
    return out;
  const auto n = static_cast<double>(samples.size());
  double x = 0;
  double y = 0;
  for (const auto& s : samples) {
    x += s.minutes / n;
    y += s.*value / n;
  }
  double xx = 0;
  double xy = 0;
  for (const auto& s : samples) {
    xx += (s.minutes - x) * (s.minutes - x);
    xy += (s.minutes - x) * (s.*value - y);
  }
  out.slope = xy / xx;
  double rest = 0;
  for (const auto& s : samples)
    rest += std::pow(s.*value - y - out.slope * (s.minutes - x), 2);
  out.error = std::sqrt(rest / (n - 2) / xx);
  return out;
}

std::vector<figures> life::after(double minutes) const {
  std::vector<figures> out;
  std::copy_if(samples.begin(), samples.end(), std::back_inserter(out),
               [&](const figures& f) { return f.minutes >= minutes; });
  return out;
}

int growth(const std::vector<figures>& samples, int figures::*value) {
  const auto third = static_cast<std::ptrdiff_t>(samples.size() / 3);
  if (third == 0)
    return 0;
  const auto less = [&](const figures& a, const figures& b) { return a.*value < b.*value; };
  const auto first = *std::min_element(samples.begin(), samples.begin() + third, less);
  const auto last = *std::min_element(samples.end() - third, samples.end(), less);
  return last.*value - first.*value;
}

} // namespace harmony::soak
