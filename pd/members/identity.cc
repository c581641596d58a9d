#include "pd/members/identity.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace pd {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

fs::path PathIn(const std::string& data_dir) { return fs::path(data_dir) / "identity.json"; }

tl::unexpected<Error> CannotWrite(const fs::path& path) {
  return Fail(ErrorCode::kIo, fmt::format("cannot write {}: {}", path.string(),
                                          std::generic_category().message(errno)));
}

Json SeedsJson(const std::vector<Transport::Peer>& seeds) {
  Json json = Json::array();
  for (const Transport::Peer& seed : seeds) json.push_back({{"id", seed.id}, {"urls", seed.urls}});
  return json;
}

/// What cannot be read is left out: the other seeds will do.
std::vector<Transport::Peer> ReadSeeds(const Json& json) {
  std::vector<Transport::Peer> seeds;
  if (!json.is_array()) return seeds;
  for (const Json& item : json) {
    const bool whole = item.is_object() && item.contains("id") && item["id"].is_number_unsigned() &&
                       item.contains("urls") && item["urls"].is_array();
    if (!whole) continue;
    Transport::Peer seed;
    seed.id = item["id"].get<raft::NodeId>();
    for (const Json& url : item["urls"]) {
      if (url.is_string()) seed.urls.push_back(url.get<std::string>());
    }
    seeds.push_back(std::move(seed));
  }
  return seeds;
}

/// Writes and syncs a file under a name of its own.
Result<void> WriteSynced(const fs::path& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return CannotWrite(path);
  const bool written =
      write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  close(fd);
  if (!written) return CannotWrite(path);
  return {};
}

}  // namespace

Result<std::optional<MemberIdentity>> LoadIdentity(const std::string& data_dir) {
  const fs::path path = PathIn(data_dir);
  std::error_code failed;
  if (!fs::exists(path, failed)) return std::nullopt;
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return Fail(ErrorCode::kIo, fmt::format("cannot read {}", path.string()));
  const Json json = Json::parse(text.str(), nullptr, /*allow_exceptions=*/false);
  const auto number = [&json](const char* key) {
    return json.is_object() && json.contains(key) && json[key].is_number_unsigned()
               ? json[key].get<uint64_t>()
               : 0;
  };
  MemberIdentity identity;
  identity.id = number("member_id");
  identity.group_id = number("group_id");
  if (identity.id == 0 || identity.group_id == 0) {
    return Fail(ErrorCode::kCorrupt, fmt::format("{} names no member", path.string()));
  }
  identity.joined = json.contains("joined") && json["joined"] == true;
  identity.has_database = json.contains("has_database") && json["has_database"] == true;
  if (json.contains("seeds")) identity.seeds = ReadSeeds(json["seeds"]);
  return identity;
}

Result<void> SaveIdentity(const std::string& data_dir, const MemberIdentity& identity) {
  std::error_code failed;
  fs::create_directories(data_dir, failed);
  const fs::path path = PathIn(data_dir);
  const fs::path fresh = path.string() + ".new";
  const Json json = {{"member_id", identity.id},
                     {"group_id", identity.group_id},
                     {"joined", identity.joined},
                     {"has_database", identity.has_database},
                     {"seeds", SeedsJson(identity.seeds)}};
  if (auto written = WriteSynced(fresh, json.dump(2) + "\n"); !written) return written;
  fs::rename(fresh, path, failed);
  if (failed)
    return Fail(ErrorCode::kIo,
                fmt::format("cannot write {}: {}", path.string(), failed.message()));
  const int folder = open(data_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return CannotWrite(data_dir);
  const bool synced = fsync(folder) == 0;
  close(folder);
  if (!synced) return CannotWrite(data_dir);
  return {};
}

}  // namespace pd
