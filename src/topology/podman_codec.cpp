#include "topology/podman_codec.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

#include "topology/podman_json.hpp"

namespace harmony::podman {

namespace {

std::map<std::string, std::string> labels_of(const json& value) {
  std::map<std::string, std::string> labels;
  if (value.is_object())
    for (const auto& [key, text] : value.items())
      labels.emplace(key, text_of(text));
  return labels;
}

std::string image_id_of(const std::string& id) {
  return id.empty() || id.starts_with("sha256:") ? id : "sha256:" + id;
}

container_status status_of(std::string_view word) {
  if (word == "running" || word == "stopping")
    return container_status::running;
  if (word == "created" || word == "configured" || word == "initialized")
    return container_status::created;
  if (word == "exited" || word == "stopped")
    return container_status::exited;
  return word == "paused" ? container_status::paused : container_status::broken;
}

std::string format_utc(std::int64_t seconds, unsigned milliseconds) {
  using namespace std::chrono;
  const sys_seconds when{std::chrono::seconds{seconds}};
  const auto day = floor<days>(when);
  const year_month_day date{day};
  const hh_mm_ss time{when - day};
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03uZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                milliseconds % 1000);
  return text.data();
}

// Takes `digits` digits and the character `after` (0: none) off the front of `text`.
bool take(std::string_view& text, std::size_t digits, char after, int& value) {
  const auto size = digits + (after != 0 ? 1U : 0U);
  if (text.size() < size)
    return false;
  const auto* end = text.data() + digits;
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc{} || read.ptr != end || (after != 0 && *end != after))
    return false;
  text.remove_prefix(size);
  return true;
}

std::string one_line(std::string text, std::size_t most) {
  std::replace_if(
    text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  while (!text.empty() && text.back() == ' ')
    text.pop_back();
  if (text.size() <= most)
    return text;
  auto cut = most - 3;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U)
    --cut; // not within a character
  return text.substr(0, cut) + "...";
}

bool any_of(std::string_view text, std::initializer_list<std::string_view> needles) {
  return std::any_of(needles.begin(), needles.end(), [&](std::string_view needle) {
    return text.find(needle) != std::string_view::npos;
  });
}

// The port in "listen tcp4 :8080: bind: address already in use".
std::string port_in(std::string_view text) {
  for (auto at = text.find(':'); at != std::string_view::npos; at = text.find(':', at + 1)) {
    const auto end = text.find_first_not_of("0123456789", at + 1);
    if (end != std::string_view::npos && end > at + 1 && end <= at + 6
        && text.substr(end).starts_with(": bind"))
      return std::string{text.substr(at + 1, end - at - 1)};
  }
  return {};
}

json mounts_json(const container_spec& spec, mount_type volumes_or_not) {
  auto list = json::array();
  for (const auto& m : spec.mounts) {
    if ((m.type == mount_type::volume) != (volumes_or_not == mount_type::volume))
      continue;
    const auto* access = m.read_only ? "ro" : "rw";
    if (m.type == mount_type::volume)
      list.push_back({{"Name", m.source}, {"Dest", m.target}, {"Options", {access}}});
    else if (m.type == mount_type::bind)
      list.push_back({{"type", "bind"},
                      {"source", m.source},
                      {"destination", m.target},
                      {"options", {"rbind", access}}});
    else
      list.push_back({{"type", "tmpfs"}, {"destination", m.target}, {"options", {access}}});
  }
  return list;
}

json ports_json(const container_spec& spec) {
  auto list = json::array();
  for (const auto& p : spec.ports) {
    json port{{"host_port", p.host},
              {"container_port", p.container},
              {"protocol", p.protocol == transport_protocol::udp ? "udp" : "tcp"}};
    if (!p.host_ip.empty())
      port["host_ip"] = p.host_ip;
    list.push_back(std::move(port));
  }
  return list;
}

void add_network(json& body, const std::string& network) {
  if (network.empty())
    return;
  const bool mode = network == "host" || network == "none" || network == "bridge";
  body["netns"] = {{"nsmode", mode ? network : "bridge"}};
  if (!mode)
    body["Networks"] = {{network, json::object()}};
}

} // namespace

std::string create_body(const std::string& name, const container_spec& spec,
                        const std::map<std::string, std::string>& labels) {
  json body{{"name", name},
            {"image", spec.image},
            {"labels", labels},
            {"restart_policy", "no"},
            {"env", spec.env},
            {"portmappings", ports_json(spec)},
            {"mounts", mounts_json(spec, mount_type::bind)},
            {"volumes", mounts_json(spec, mount_type::volume)}};
  for (const auto& [variable, ref] : spec.secret_env)
    if (ref.value)
      body["env"][variable] = std::string{ref.value->reveal()};
  if (!spec.entrypoint.empty())
    body["entrypoint"] = spec.entrypoint;
  if (!spec.command.empty())
    body["command"] = spec.command;
  if (!spec.user.empty())
    body["user"] = spec.user;
  if (!spec.working_dir.empty())
    body["work_dir"] = spec.working_dir;
  add_network(body, spec.network);
  if (spec.memory != 0)
    body["resource_limits"]["memory"]["limit"] = spec.memory;
  if (spec.pids_limit != 0)
    body["resource_limits"]["pids"]["limit"] = spec.pids_limit;
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<container_info> read_inspect(std::string_view text) {
  const auto top = parse(text);
  if (text_of(member(top, "Id")).empty())
    return std::nullopt;
  const auto& state = member(top, "State");
  container_info info;
  info.id = text_of(member(top, "Id"));
  info.name = text_of(member(top, "Name"));
  info.image = text_of(member(top, "ImageName"));
  info.image_id = image_id_of(text_of(member(top, "Image")));
  info.labels = labels_of(member(member(top, "Config"), "Labels"));
  info.status = status_of(text_of(member(state, "Status")));
  info.pid = number_of(member(state, "Pid"));
  info.started = utc_time(text_of(member(state, "StartedAt")));
  info.finished = utc_time(text_of(member(state, "FinishedAt")));
  info.exit_code = static_cast<std::int32_t>(number_of(member(state, "ExitCode")));
  info.out_of_memory = flag_of(member(state, "OOMKilled"));
  return info;
}

std::optional<std::vector<container_info>> read_list(std::string_view text) {
  const auto top = parse(text);
  if (!top.is_array() && !top.is_null())
    return std::nullopt;
  const auto time_of = [](const json& seconds) {
    const auto number = number_of(seconds);
    return number > 0 ? format_utc(number, 0) : std::string{};
  };
  std::vector<container_info> list;
  for (const auto& each : top) {
    container_info info;
    info.id = text_of(member(each, "Id"));
    const auto& names = member(each, "Names");
    if (names.is_array() && !names.empty())
      info.name = text_of(names.front());
    info.image = text_of(member(each, "Image"));
    info.image_id = image_id_of(text_of(member(each, "ImageID")));
    info.labels = labels_of(member(each, "Labels"));
    info.status = status_of(text_of(member(each, "State")));
    info.pid = number_of(member(each, "Pid"));
    info.started = time_of(member(each, "StartedAt"));
    info.finished = time_of(member(each, "ExitedAt"));
    info.exit_code = static_cast<std::int32_t>(number_of(member(each, "ExitCode")));
    list.push_back(std::move(info));
  }
  return list;
}

std::optional<std::string> read_id(std::string_view text) {
  const auto top = parse(text);
  auto id = text_of(member(top, "Id"));
  if (id.empty())
    id = text_of(member(top, "id"));
  return id.empty() ? std::nullopt : std::optional{std::move(id)};
}

std::optional<container_event> read_event(std::string_view text) {
  const auto top = parse(text);
  if (text_of(member(top, "Type")) != "container")
    return std::nullopt;
  const auto& actor = member(top, "Actor");
  container_event event{text_of(member(member(actor, "Attributes"), "name")),
                        text_of(member(top, "Action")), text_of(member(actor, "ID"))};
  if (event.name.empty() || event.what.empty())
    return std::nullopt;
  return event;
}

namespace {

failure not_in_registry(std::string_view reference, const std::string& words) {
  auto message = "image '" + std::string{reference} + "' was not found: ";
  message += words;
  message += "; correct the reference (write it with its registry) or push the image";
  return {ec::image_not_found, std::move(message)};
}

failure not_pulled(std::string_view reference, const std::string& words) {
  auto message = "cannot pull image '" + std::string{reference} + "': ";
  message += words;
  message += "; it is tried again";
  return {ec::image_pull_failed, std::move(message)};
}

} // namespace

outcome<std::string> read_pull(std::string_view reference, std::string_view lines) {
  std::string id;
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    const auto line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    const auto top = parse(line);
    if (const auto why = text_of(member(top, "error")); !why.empty()) {
      const auto words = one_line(why, 400);
      if (any_of(why, {"manifest unknown", "name unknown", "repository name not known",
                       "did not resolve to an alias"}))
        return not_in_registry(reference, words);
      return not_pulled(reference, words);
    }
    if (auto found = text_of(member(top, "id")); !found.empty())
      id = std::move(found);
  }
  if (id.empty())
    return not_pulled(reference, "podman ended the pull without a result");
  return image_id_of(id);
}

std::string read_logs(std::string_view frames, std::size_t bytes) {
  std::string text;
  while (const auto part = next_frame(frames)) {
    text += *part;
    if (!part->empty() && part->back() != '\n')
      text += '\n';
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.pop_back();
  if (text.size() <= bytes)
    return text;
  auto kept = text.substr(text.size() - bytes);
  if (const auto line = kept.find('\n'); line != std::string::npos && line + 1 < kept.size())
    return kept.substr(line + 1);
  const auto start = std::find_if(kept.begin(), kept.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  });
  return {start, kept.end()};
}

std::string read_error(std::string_view text) {
  const auto top = parse(text);
  auto words = text_of(member(top, "message"));
  if (words.empty())
    words = text_of(member(top, "cause"));
  if (words.empty())
    words = std::string{text};
  return one_line(std::move(words), 300);
}

failure classify(const std::string& doing, int status, std::string_view text) {
  const auto words = read_error(text);
  const auto said = doing + ": podman says '" + words + "'";
  // podman answers 500 for nearly everything, so its words have to tell the causes apart.
  if (any_of(words, {"image not known", "no such image"}))
    return {ec::image_not_found, said};
  if (any_of(words, {"name is already in use", "is already in use by"}))
    return {ec::name_conflict, said};
  if (any_of(words, {"address already in use", "port is already allocated", "rootlessport"})) {
    const auto port = port_in(words);
    return {ec::port_in_use, doing + ": host port " + (port.empty() ? "of `ports`" : port)
                               + " is taken ('" + words
                               + "'); see who has it with `ss -lntup`, or publish another port"};
  }
  if (any_of(words, {"no matching entries in passwd file", "no matching entries in group file"}))
    return {ec::no_such_user,
            said + "; the image has no such user, use one of its own or a number"};
  if (any_of(words, {"no space left on device", "disk quota exceeded"}))
    return {ec::disk_full, said + "; free space, e.g. with `podman image prune`"};
  if (any_of(words, {"read-only file system"}))
    return {ec::read_only, said};
  if (status == 404 && any_of(words, {"no such container"}))
    return {ec::not_found, said};
  return {ec::container_failed, said};
}

std::string utc_time(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!take(text, 4, '-', year) || !take(text, 2, '-', month) || !take(text, 2, 'T', day)
      || !take(text, 2, ':', hour) || !take(text, 2, ':', minute) || !take(text, 2, 0, second))
    return {};
  unsigned milliseconds = 0;
  if (!text.empty() && text.front() == '.') {
    const auto end = std::min(text.find_first_not_of("0123456789", 1), text.size());
    for (std::size_t i = 1; i <= 3; ++i)
      milliseconds = milliseconds * 10 + (i < end ? static_cast<unsigned>(text[i] - '0') : 0U);
    text.remove_prefix(end);
  }
  std::int64_t offset = 0; // seconds east of UTC
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    const int sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
    int hours = 0, minutes = 0;
    if (!take(text, 2, ':', hours) || !take(text, 2, 0, minutes))
      return {};
    offset = sign * (std::int64_t{hours} * 3600 + std::int64_t{minutes} * 60);
  } else if (text != "Z") {
    return {};
  }
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || year < 1970)
    return {};
  const auto midnight = std::chrono::sys_days{date}.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(midnight).count();
  const auto of_day = std::int64_t{hour} * 3600 + std::int64_t{minute} * 60 + second;
  return format_utc(seconds + of_day - offset, milliseconds);
}

} // namespace harmony::podman
