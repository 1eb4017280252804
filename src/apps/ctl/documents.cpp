#include "apps/ctl/documents.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <istream>
#include <map>

#include <sys/stat.h>

#include "apps/ctl/yaml_reader.hpp"

namespace harmony::ctl {

namespace {

node_ptr make_scalar(node_kind kind, std::string text, position at) {
  auto value = std::make_shared<node>();
  value->kind = kind;
  value->weight = text.size() + 1;
  value->text = std::move(text);
  value->at = at;
  return value;
}

void set_member(node& map, const std::string& key, const node_ptr& value) {
  for (auto& m : map.members)
    if (m.key == key) {
      m.value = value;
      return;
    }
  map.members.push_back({key, map.at, value});
}

/// `root` with metadata.agent set to `agent` (unless empty), and a generation where none is given.
/// Copies what it changes: YAML aliases share nodes.
node_ptr completed(const node_ptr& root, const std::string& agent) {
  if (root->kind != node_kind::map)
    return root;
  const auto* given = root->find("metadata");
  if (given != nullptr && given->value->kind != node_kind::map)
    return root;
  auto metadata =
    given != nullptr ? std::make_shared<node>(*given->value) : std::make_shared<node>();
  metadata->kind = node_kind::map;
  if (given == nullptr)
    metadata->at = root->at;
  if (!agent.empty())
    set_member(*metadata, "agent", make_scalar(node_kind::string, agent, metadata->at));
  if (metadata->find("generation") == nullptr)
    set_member(*metadata, "generation", make_scalar(node_kind::number, "1", metadata->at));
  auto copy = std::make_shared<node>(*root);
  set_member(*copy, "metadata", metadata);
  return copy;
}

bool is_numbered(const node& root) {
  const auto* metadata = root.find("metadata");
  return metadata != nullptr && metadata->value->find("generation") != nullptr;
}

/// What is signed is read as it is: neither does YAML come in an envelope, nor is anything filled
/// in.
void read_sealed(const std::string& source, const envelope& e, const std::string& agent,
                 loading& into) {
  const auto complain = [&](std::string path, std::string message, ec code) {
    into.diagnostics.push_back({source, {}, std::move(path), std::move(message), code});
  };
  if (e.type != manifest_payload_type)
    return complain("payloadType",
                    "expected '" + std::string{manifest_payload_type} + "', got '" + e.type + "'",
                    ec::invalid_document);
  auto reading = read_manifest(e.payload);
  for (const auto& i : reading.issues)
    complain(i.path, i.message, i.code);
  if (!reading.value || !reading.issues.empty())
    return;
  if (!agent.empty() && reading.value->metadata.agent != agent)
    return complain("metadata.agent",
                    "it is signed for '" + reading.value->metadata.agent
                      + "', which --agent cannot change",
                    ec::wrong_agent);
  into.manifests.push_back({source, std::move(*reading.value), true, e});
}

void read_tree(const std::string& source, const document_tree& tree, const std::string& agent,
               loading& into) {
  std::vector<diagnostic> found;
  for (const auto& i : tree.issues)
    found.push_back({source, i.at, i.what.path, i.what.message, i.what.code});
  if (tree.root) {
    const auto root = completed(tree.root, agent);
    const position_map places{*root};
    auto reading = read_manifest(to_json(*root));
    for (const auto& i : reading.issues)
      found.push_back({source, places.locate(i.path), i.path, i.message, i.code});
    if (found.empty() && reading.value)
      into.manifests.push_back({source, std::move(*reading.value), is_numbered(*tree.root), {}});
  }
  std::stable_sort(found.begin(), found.end(), [](const diagnostic& a, const diagnostic& b) {
    return std::pair{a.at.line, a.at.column} < std::pair{b.at.line, b.at.column};
  });
  into.diagnostics.insert(into.diagnostics.end(), found.begin(), found.end());
}

failure unreadable(const std::string& file, int error) {
  // Not `not_found`: scripts take that exit code for a missing agent.
  return {ec::io_error, "cannot read '" + file + "': " + std::strerror(error)
                          + "; name a file with a manifest, or - for standard input"};
}

/// One agent cannot be given two manifests by one command.
void find_repeated_agents(loading& all) {
  std::map<std::string, std::string> seen;
  for (const auto& m : all.manifests) {
    const auto [first, fresh] = seen.emplace(m.value.metadata.agent, m.source);
    if (!fresh)
      all.diagnostics.push_back(
        {m.source,
         {},
         "metadata.agent",
         "agent '" + m.value.metadata.agent + "' has a manifest already in '" + first->second + "'",
         ec::duplicate_name});
  }
}

} // namespace

std::string read_text(std::istream& in) {
  std::string text(max_file_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

outcome<std::string> read_text(const std::string& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0)
    return unreadable(file, errno);
  if (S_ISDIR(info.st_mode))
    return unreadable(file, EISDIR);
  errno = 0;
  std::ifstream in{file, std::ios::binary};
  if (!in)
    return unreadable(file, errno != 0 ? errno : EIO);
  auto text = read_text(in);
  if (in.bad())
    return unreadable(file, EIO);
  return text;
}

std::string diagnostic::str() const {
  auto text = source;
  if (at.line != 0)
    text += ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
  text += ": ";
  if (!path.empty())
    text += path + ": ";
  return text + message;
}

loading read_manifests(const std::string& source, std::string_view text, const std::string& agent) {
  loading result;
  if (is_envelope(text)) {
    if (const auto e = read_envelope(text))
      read_sealed(source, *e, agent, result);
    else
      result.diagnostics.push_back({source, {}, "", e.error().message, e.error().code});
    return result;
  }
  const auto documents = read_documents(text);
  if (documents.empty())
    result.diagnostics.push_back({source, {}, "", "no manifest in it", ec::invalid_document});
  for (const auto& tree : documents)
    read_tree(source, tree, agent, result);
  return result;
}

outcome<loading> load_manifests(const loading_options& options, std::istream& standard_input) {
  loading all;
  for (const auto& file : options.files) {
    const bool standard = file == "-";
    auto text = standard ? outcome<std::string>{read_text(standard_input)} : read_text(file);
    if (!text)
      return text.error();
    auto one = read_manifests(standard ? "<stdin>" : file, *text, options.agent);
    std::move(one.manifests.begin(), one.manifests.end(), std::back_inserter(all.manifests));
    std::move(one.diagnostics.begin(), one.diagnostics.end(), std::back_inserter(all.diagnostics));
  }
  find_repeated_agents(all);
  return all;
}

} // namespace harmony::ctl
