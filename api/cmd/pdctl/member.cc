#include <fmt/format.h>

#include "api/cmd/pdctl/groups.h"
#include "api/cmd/pdctl/invocation.h"

namespace api::pdctl {
namespace {

constexpr const char* kMembers = "/pd/api/v1/members";

int DeleteByName(Invocation& call) {
  if (call.count() != 1) return call.Print("Usage: member delete <member_name>");
  const Answer answer = call.Send(Request{
      .method = "DELETE", .target = fmt::format("{}/name/{}", kMembers, PathEscape(call.arg(0)))});
  return call.PrintSuccess(answer, fmt::format("Failed to delete member {}", call.arg(0)));
}

int DeleteById(Invocation& call) {
  if (call.count() != 1) return call.Print("Usage: member delete id <member_id>");
  const Answer answer = call.Send(Request{
      .method = "DELETE", .target = fmt::format("{}/id/{}", kMembers, PathEscape(call.arg(0)))});
  return call.PrintSuccess(answer, fmt::format("Failed to delete member {}", call.arg(0)));
}

int Resign(Invocation& call) {
  return call.PrintSuccess(
      call.Send(Request{.method = "POST", .target = "/pd/api/v1/leader/resign"}),
      "Failed to resign");
}

int Transfer(Invocation& call) {
  if (call.count() != 1) return call.Print("Usage: leader transfer <member_name>");
  const Answer answer = call.Send(
      Request{.method = "POST", .target = "/pd/api/v1/leader/transfer/" + PathEscape(call.arg(0))});
  return call.PrintSuccess(answer, "Failed to transfer leadership");
}

int SetPriority(Invocation& call) {
  if (call.count() != 2) return call.PrintUsageLine();
  const auto priority = ParseFloat(call.arg(1));
  if (!priority) return call.Print("failed to parse priority: " + priority.error());
  const Answer answer =
      call.Send(PostJson(fmt::format("{}/name/{}", kMembers, PathEscape(call.arg(0))),
                         {{"leader-priority", *priority}}));
  return call.PrintSuccess(answer, "failed to set leader priority");
}

}  // namespace

Command MemberCommand() {
  return {.use = "member",
          .short_help = "show the pd member status",
          .run = Getting(kMembers, "Failed to get pd members"),
          .children = {{.use = "leader <subcommand>",
                        .short_help = "leader commands",
                        .children = {{.use = "show",
                                      .short_help = "show the leader member status",
                                      .run = Getting("/pd/api/v1/leader",
                                                     "Failed to get the leader of pd members")},
                                     {.use = "resign",
                                      .short_help = "resign current leader pd's leadership",
                                      .run = Resign},
                                     {.use = "transfer <member_name>",
                                      .short_help = "transfer leadership to another pd",
                                      .run = Transfer}}},
                       {.use = "leader_priority <member_name> <priority>",
                        .short_help = "set the member's priority to be elected as etcd leader",
                        .run = SetPriority},
                       {.use = "delete <subcommand>",
                        .short_help = "delete a member",
                        .children = {{.use = "name <member_name>",
                                      .short_help = "delete a member by name",
                                      .run = DeleteByName},
                                     {.use = "id <member_id>",
                                      .short_help = "delete a member by id",
                                      .run = DeleteById}}}}};
}

}  // namespace api::pdctl
