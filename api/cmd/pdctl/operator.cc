#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "api/cmd/pdctl/groups.h"
#include "api/cmd/pdctl/invocation.h"

namespace api::pdctl {
namespace {

constexpr const char* kOperators = "/pd/api/v1/operators";

int Create(Invocation& call, Json body) {
  return call.PrintOutcome(call.Send(PostJson(kOperators, body)));
}

/// An operator whose arguments are all ids: its name and the body's fields in the order of the arguments.
struct IdOperator {
  const char* name;
  const char* arguments;
  const char* help;
  std::vector<const char*> fields;
};

int CreateFromIds(Invocation& call, const IdOperator& op) {
  if (call.count() != op.fields.size()) return call.PrintUsageLine();
  Json body = {{"name", op.name}};
  for (size_t i = 0; i < op.fields.size(); ++i) {
    const auto id = ParseUint(call.arg(i));
    if (!id) return call.Print(id.error());
    body[op.fields[i]] = *id;
  }
  return Create(call, body);
}

Command IdCommand(IdOperator op) {
  return {.use = fmt::format("{} {}", op.name, op.arguments),
          .short_help = op.help,
          .run = [op](Invocation& call) { return CreateFromIds(call, op); }};
}

bool IsRole(const std::string& word) {
  return word == "leader" || word == "voter" || word == "follower" || word == "learner";
}

int TransferRegion(Invocation& call) {
  if (call.count() <= 2) return call.PrintUsageLine();
  const bool with_roles = std::any_of(call.args().begin() + 1, call.args().end(), IsRole);
  Json stores = Json::array();
  Json roles = Json::array();
  const auto region = ParseUint(call.arg(0));
  if (!region) return call.Print(region.error());
  for (size_t i = 1; i < call.count(); ++i) {
    if (with_roles && i % 2 == 0) {
      if (!IsRole(call.arg(i))) return call.Print("peer role is not match with store");
      roles.push_back(call.arg(i));
      continue;
    }
    if (with_roles && IsRole(call.arg(i))) return call.Print("peer role is not match with store");
    const auto store = ParseUint(call.arg(i));
    if (!store) return call.Print(store.error());
    stores.push_back(*store);
  }
  if (with_roles && roles.size() != stores.size()) {
    return call.Print("peer role is not match with store");
  }
  Json body = {{"name", "transfer-region"}, {"region_id", *region}, {"to_store_ids", stores}};
  if (with_roles) body["peer_roles"] = roles;
  return Create(call, body);
}

int SplitRegion(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  const auto region = ParseUint(call.arg(0));
  if (!region) return call.Print(region.error());
  const std::string policy = call.Text("policy");
  if (policy != "scan" && policy != "approximate" && policy != "usekey") {
    return call.Print("Error: unknown policy");
  }
  Json body = {{"name", "split-region"}, {"region_id", *region}, {"policy", policy}};
  if (call.Given("keys")) body["keys"] = Json::array({call.Text("keys")});
  return Create(call, body);
}

int ShowOperators(Invocation& call) {
  if (call.count() > 1) return call.PrintUsageLine();
  std::string target = kOperators;
  if (call.count() == 1) target += "?kind=" + QueryEscape(call.arg(0));
  return call.PrintBody(call.Get(target), "");
}

int CheckOperator(Invocation& call) {
  if (call.count() > 1) return call.PrintUsageLine();
  std::string target = kOperators;
  if (call.count() == 1) target += "/" + PathEscape(call.arg(0));
  return call.PrintBody(call.Get(target), "");
}

int RemoveOperator(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  return call.PrintSuccess(
      call.Send(Request{.method = "DELETE",
                        .target = fmt::format("{}/{}", kOperators, PathEscape(call.arg(0)))}),
      "");
}

int ShowHistory(Invocation& call) {
  if (call.count() > 1) return call.PrintUsageLine();
  std::string target = "/pd/api/v1/operators/records";
  if (call.count() == 1) target += "?from=" + QueryEscape(call.arg(0));
  return call.PrintBody(call.Get(target), "");
}

Command AddCommand() {
  Command add{.use = "add <operator>", .short_help = "add an operator"};
  add.children = {
      IdCommand({"transfer-leader",
                 "<region_id> <to_store_id>",
                 "transfer a region's leader to the specified store",
                 {"region_id", "to_store_id"}}),
      {.use = "transfer-region <region_id> <to_store_id> [leader|voter|follower|learner] ...",
       .short_help = "transfer a region's peers to the specified stores",
       .run = TransferRegion},
      IdCommand({"transfer-peer",
                 "<region_id> <from_store_id> <to_store_id>",
                 "transfer a region's peer from the specified store to another store",
                 {"region_id", "from_store_id", "to_store_id"}}),
      IdCommand({"add-peer",
                 "<region_id> <to_store_id>",
                 "add a region peer on specified store",
                 {"region_id", "store_id"}}),
      IdCommand({"add-learner",
                 "<region_id> <to_store_id>",
                 "add a region learner on specified store",
                 {"region_id", "store_id"}}),
      IdCommand({"remove-peer",
                 "<region_id> <from_store_id>",
                 "remove a region peer on specified store",
                 {"region_id", "store_id"}}),
      IdCommand({"merge-region",
                 "<source_region_id> <target_region_id>",
                 "merge source region into target region",
                 {"source_region_id", "target_region_id"}}),
      {.use = "split-region <region_id> [--policy=scan|approximate|usekey] [--keys]",
       .short_help = "split a region",
       .run = SplitRegion,
       .flags = {{.name = "policy",
                  .usage = "the policy to get region split key",
                  .default_value = "scan"},
                 {.name = "keys", .usage = "the split key, hex encoded"}}},
      IdCommand({"scatter-region",
                 "<region_id>",
                 "usually used for a batch of adjacent regions",
                 {"region_id"}})};
  return add;
}

}  // namespace

Command OperatorCommand() {
  Command op{.use = "operator", .short_help = "operator commands"};
  op.children = {{.use = "show [kind]", .short_help = "show operators", .run = ShowOperators},
                 {.use = "check [region_id]",
                  .short_help = "checks the status of operator",
                  .run = CheckOperator},
                 AddCommand(),
                 {.use = "remove <region_id>",
                  .short_help = "remove the region operator",
                  .run = RemoveOperator},
                 {.use = "history <start>",
                  .short_help = "list all finished operators since start, start is a timestamp",
                  .run = ShowHistory}};
  return op;
}

}  // namespace api::pdctl
