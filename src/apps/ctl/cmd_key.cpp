// key generate, key list, key show.
#include <algorithm>
#include <filesystem>

#include "apps/ctl/commands.hpp"
#include "apps/ctl/key_files.hpp"

namespace harmony::ctl {

namespace {

json value_of(const named_key& key) {
  return {{"name", key.name}, {"keyId", key_id_of(key.key)}, {"publicKey", write_public_key(key)}};
}

std::vector<std::filesystem::path> key_files_in(const std::string& folder, std::error_code& error) {
  std::vector<std::filesystem::path> files;
  for (auto it = std::filesystem::directory_iterator{folder, error};
       !error && it != std::filesystem::directory_iterator{}; it.increment(error))
    if (const auto kind = it->path().extension(); kind == ".key" || kind == ".pub")
      files.push_back(it->path());
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<cell> row_of(const std::filesystem::path& file) {
  constexpr std::size_t shown = 12;
  const auto key = load_public_key(file.string());
  const bool secret = file.extension() == ".key";
  const auto id = key ? key_id_of(key->key) : std::string{};
  return {cell::of(key ? key->name : "-"), cell::of(id.substr(0, shown), json(id)),
          cell::of(secret ? "secret" : "public"), cell::of(file.filename().string()),
          key ? cell::of("") : cell::of(key.error().message, tone::bad)};
}

} // namespace

exit_code run(const context& c, const key_generate_options& o) {
  const auto made = generate_key(o.folder, o.name);
  if (!made)
    return c.fail(exit_code::failure, made.error().message);
  if (!c.as_table()) {
    auto value = value_of(made->key);
    value["secretFile"] = made->secret;
    value["publicFile"] = made->pub;
    c.print_value(value);
    return exit_code::ok;
  }
  c.print("secret key: " + made->secret + " (keep it to yourself, and a copy in a safe place)\n"
          + "public key: " + made->pub + "\nFor [trust] of agent.toml: \""
          + write_public_key(made->key) + "\"\n");
  return exit_code::ok;
}

exit_code run(const context& c, const key_list_options& o) {
  std::error_code error;
  const auto files = key_files_in(o.folder, error);
  if (error)
    return c.fail(exit_code::failure, "cannot list '" + o.folder + "': " + error.message());
  listing rows;
  rows.columns = {
    {"NAME", "name"}, {"KEY ID", "keyId"}, {"KIND", "kind"}, {"FILE", "file"}, {"NOTE", "note"}};
  rows.nothing = "No keys in '" + o.folder + "'.";
  for (const auto& file : files)
    rows.rows.push_back(row_of(file));
  c.print(render(rows, c.global.format, c.colour()));
  return exit_code::ok;
}

exit_code run(const context& c, const key_show_options& o) {
  const auto key = load_public_key(o.file);
  if (!key)
    return c.fail(exit_code::failure, key.error().message);
  if (c.as_table())
    c.print(write_public_key(*key) + "\n");
  else
    c.print_value(value_of(*key));
  return exit_code::ok;
}

} // namespace harmony::ctl
