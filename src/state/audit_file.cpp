#include "state/audit_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault/fault.hpp"
#include "topology/files.hpp"

namespace harmony {

namespace {

/// Of the end of a file, where its last line is looked for. No record is that long.
constexpr off_t tail_bytes = 64 << 10;

open_fd open_file(const std::string& path, int flags) {
  return open_fd{::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600)};
}

outcome<std::string> read_from(int fd, off_t offset, const std::string& path) {
  std::string text;
  std::array<char, 16384> buffer{};
  for (;;) {
    const auto n = ::pread(fd, buffer.data(), buffer.size(), offset);
    if (n < 0)
      return from_errno(errno, "read", path);
    if (n == 0)
      return text;
    text.append(buffer.data(), static_cast<std::size_t>(n));
    offset += n;
  }
}

void sync_folder_of(const std::string& path) {
  const auto folder = path.substr(0, path.rfind('/'));
  const open_fd fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  // The next sync is as good: at worst a power loss undoes the renaming.
  [[maybe_unused]] const int ignored = ::fsync(fd.get());
}

outcome<void> write_through(int fd, const std::string& text, const std::string& path) {
  if (!write_all(fd, text))
    return from_errno(errno, "write", path);
  HARMONY_FAULT("audit.append.within");
  return ::fdatasync(fd) == 0 ? outcome<void>{} : from_errno(errno, "write", path);
}

/// Writes `text` at the end of the file, durably, or takes back what was written of it.
outcome<void> write_durably(int fd, const std::string& text, const std::string& path) {
  struct stat before {};
  if (::fstat(fd, &before) != 0)
    return from_errno(errno, "look at", path);
  auto done = write_through(fd, text, path);
  // Where that fails too, the next append finds a torn line and says so.
  if (!done) [[maybe_unused]]
    const int taken_back = ::ftruncate(fd, before.st_size);
  return done;
}

std::string numbered(const std::string& path, unsigned n) {
  return n == 0 ? path : path + "." + std::to_string(n);
}

} // namespace

outcome<audit_chain_file::chain_end> audit_chain_file::end_of(const std::string& file) const {
  chain_end end;
  const auto fd = open_file(file, O_RDONLY);
  if (!fd)
    return errno == ENOENT ? outcome<chain_end>{end} : from_errno(errno, "open", file);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0)
    return from_errno(errno, "look at", file);
  const auto tail = read_from(fd.get(), std::max<off_t>(0, info.st_size - tail_bytes), file);
  if (!tail)
    return tail.error();
  end.unterminated = !tail->empty() && tail->back() != '\n';
  // Backwards over what is no record.
  auto rest = std::string_view{*tail};
  while (!rest.empty()) {
    const auto stop = rest.size() - (rest.back() == '\n' ? 1 : 0);
    const auto before = rest.substr(0, stop).rfind('\n');
    const auto begin = before == std::string_view::npos ? 0 : before + 1;
    const auto line = rest.substr(begin, stop - begin);
    if (const auto record = read_audit_record(line)) {
      end.head = {record->sequence, sha256_hex(line)};
      break;
    }
    rest = rest.substr(0, begin);
  }
  // What was written over is no torn line: it stays where a look at the chain finds it.
  if (const auto behind = std::string_view{*tail}.substr(rest.size()); may_be_torn(behind))
    end.torn = behind;
  return end;
}

outcome<audit_chain_file::chain_end> audit_chain_file::find_end() {
  auto end = end_of(path_);
  // A new file stands on the one that was set aside.
  for (unsigned n = 1; end && end->head.sequence == 0 && n < limits_.files; ++n) {
    const auto former = end_of(numbered(path_, n));
    if (!former)
      return former.error();
    end->head = former->head;
  }
  return end;
}

outcome<void> audit_chain_file::rotate() const {
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0 || info.st_size < static_cast<off_t>(limits_.most_bytes))
    return {};
  HARMONY_FAULT("audit.rotate.before");
  for (auto n = limits_.files - 1; n > 0; --n)
    if (std::rename(numbered(path_, n - 1).c_str(), numbered(path_, n).c_str()) != 0
        && errno != ENOENT)
      return from_errno(errno, "set aside", numbered(path_, n - 1));
  HARMONY_FAULT("audit.rotate.after");
  sync_folder_of(path_);
  return {};
}

outcome<std::vector<std::string>> audit_chain_file::append(std::vector<audit_record> records,
                                                           const audit_record& own) {
  HARMONY_FAULT("audit.append.before");
  auto end = find_end();
  if (!end)
    return end.error();
  std::string text = end->unterminated ? "\n" : "";
  const auto insert = [&](const char* event, std::string torn) {
    auto record = own;
    record.what.event = event;
    record.torn = std::move(torn);
    records.insert(records.begin(), std::move(record));
  };
  if (!end->torn.empty())
    insert("audit-healed", sha256_hex(end->torn + text));
  else if (!end->unterminated) // what is torn is mended where it is
    if (auto rotated = rotate(); !rotated)
      return rotated.error();
  if (end->head.sequence == 0) {
    if (end->torn.empty())
      insert("audit-begun", {});
    end->head.hash = audit_genesis();
  }
  std::vector<std::string> lines;
  for (auto& each : records) {
    each.sequence = ++end->head.sequence;
    each.previous = std::exchange(end->head.hash, {});
    lines.push_back(write_audit_record(each));
    end->head.hash = sha256_hex(lines.back());
    text += lines.back() + "\n";
  }
  const auto fd = open_file(path_, O_WRONLY | O_CREAT | O_APPEND);
  if (!fd)
    return from_errno(errno, "open", path_);
  if (auto written = write_durably(fd.get(), text, path_); !written)
    return written.error();
  if (end->head.sequence == lines.size())
    sync_folder_of(path_);
  HARMONY_FAULT("audit.append.after");
  return lines;
}

outcome<std::vector<audit_file>> read_audit_files(const std::string& path) {
  constexpr unsigned most_files = 16;
  std::vector<std::pair<std::string, open_fd>> open;
  std::vector<ino_t> seen;
  // Newest first: a file that is set aside meanwhile is met once more, and known by its number.
  for (unsigned n = 0; n < most_files; ++n) {
    auto fd = open_file(numbered(path, n), O_RDONLY);
    struct stat info {};
    if (!fd && errno == ENOENT)
      continue;
    if (!fd || ::fstat(fd.get(), &info) != 0)
      return from_errno(errno, "open", numbered(path, n));
    if (std::find(seen.begin(), seen.end(), info.st_ino) != seen.end())
      continue;
    seen.push_back(info.st_ino);
    const auto name = numbered(path, n);
    open.emplace_back(name.substr(name.rfind('/') + 1), std::move(fd));
  }
  if (open.empty())
    return {ec::not_found, "there is no audit log '" + path + "'"};
  std::vector<audit_file> files;
  std::reverse(open.begin(), open.end());
  for (const auto& [name, fd] : open) {
    auto content = read_from(fd.get(), 0, name);
    if (!content)
      return content.error();
    files.push_back({name, std::move(*content)});
  }
  return files;
}

} // namespace harmony
