#include <fmt/format.h>

#include "api/cmd/pdctl/groups.h"
#include "api/cmd/pdctl/invocation.h"

namespace api::pdctl {
namespace {

constexpr const char* kGroups = "/pd/api/v2/affinity-groups";

// The group of a table or of one partition, as TiDB names it.
std::string GroupId(const Invocation& call) {
  const std::string table = call.Text("table-id");
  const std::string partition = call.Text("partition-id");
  return partition.empty() ? fmt::format("_tidb_t_{}", table)
                           : fmt::format("_tidb_pt_{}_p{}", table, partition);
}

// False, and the text printed with status 1, when the cluster does not answer.
bool Probe(Invocation& call) {
  const Answer probe = call.Get("/pd/api/v1/cluster");
  if (!probe.Ok()) call.Fail(probe.error);
  return probe.Ok();
}

int Show(Invocation& call) {
  if (!Probe(call)) return 1;
  if (!call.Given("table-id")) {
    const Answer answer = call.Get(kGroups);
    const Json all = Json::parse(answer.body, nullptr, false);
    if (!answer.Ok() || !all.is_object())
      return call.PrintBody(answer, "Failed to get affinity groups");
    return call.Print(JsonText(all.value("affinity_groups", Json::object()), 2));
  }
  const std::string id = GroupId(call);
  return call.PrintIndented(call.Get(fmt::format("{}/{}", kGroups, id)),
                            fmt::format("Failed to show affinity group {}", id));
}

int Update(Invocation& call) {
  if (!Probe(call)) return 1;
  if (!call.Given("table-id")) return call.Print("--table-id is required");
  if (!call.Given("leader")) return call.Print("leader is required");
  if (!call.Given("voters")) return call.Print("voters is required");
  Json voters = Json::array();
  for (const std::string& word : SplitList(call.Text("voters"), ',')) {
    const auto id = ParseUint(word);
    if (!id) return call.Print("Failed to parse voters: " + id.error());
    voters.push_back(*id);
  }
  Request request =
      PostJson(fmt::format("{}/{}", kGroups, GroupId(call)),
               {{"leader_store_id", *ParseUint(call.Text("leader"))}, {"voter_store_ids", voters}});
  request.method = "PUT";
  return call.PrintIndented(call.Send(request), "Failed to update affinity group peers");
}

int Delete(Invocation& call) {
  if (!Probe(call)) return 1;
  if (!call.Given("table-id")) return call.Print("--table-id is required");
  const std::string id = GroupId(call);
  const Answer answer = call.Send(Request{
      .method = "DELETE",
      .target = fmt::format("{}/{}?force={}", kGroups, id, call.On("force") ? "true" : "false")});
  if (!answer.Ok()) return call.PrintBody(answer, "Failed to delete affinity group");
  return call.Print(fmt::format("Affinity group {} deleted", id));
}

}  // namespace

Command AffinityCommand() {
  const Flag table{.name = "table-id", .type = FlagType::kUint, .usage = "the table id"};
  const Flag partition{
      .name = "partition-id", .type = FlagType::kUint, .usage = "the partition id"};
  return {
      .use = "affinity",
      .short_help = "affinity group commands",
      .children = {
          {.use = "show",
           .short_help = "show affinity groups",
           .run = Show,
           .flags = {table, partition}},
          {.use = "update",
           .short_help = "set the stores of an affinity group",
           .run = Update,
           .flags =
               {table,
                partition,
                {.name = "leader", .type = FlagType::kUint, .usage = "the store of the leaders"},
                {.name = "voters", .usage = "the stores of the voters, separated by commas"}}},
          {.use = "delete",
           .short_help = "delete an affinity group",
           .run = Delete,
           .flags = {table,
                     partition,
                     {.name = "force",
                      .type = FlagType::kBool,
                      .usage = "delete it even if it has key ranges"}}}}};
}

}  // namespace api::pdctl
