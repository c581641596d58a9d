#include <fstream>
#include <optional>
#include <sstream>

#include <fmt/format.h>

#include "api/cmd/pdctl/groups.h"
#include "api/cmd/pdctl/invocation.h"

namespace api::pdctl {
namespace {

constexpr const char* kConfig = "/pd/api/v1/config";
constexpr const char* kBundle = "/pd/api/v1/config/placement-rule";

Handler Switch(const char* value) {
  return [value](Invocation& call) {
    return call.PrintSuccess(call.Send(PostJson(kConfig, {{"enable-placement-rules", value}})),
                             "Failed to set config");
  };
}

// Where the rules that the flags name are. The error is the text to print.
tl::expected<std::string, std::string> RulesPath(const Invocation& call) {
  const std::string group = call.Text("group");
  const std::string id = call.Text("id");
  const std::string region = call.Text("region");
  if (!region.empty()) {
    if (!group.empty() || !id.empty()) {
      return tl::unexpected<std::string>(
          "\"region\" should not be specified with \"group\" or \"id\" at the same time");
    }
    return fmt::format("{}/rules/region/{}{}", kConfig, PathEscape(region),
                       call.On("detail") ? "/detail" : "");
  }
  if (group.empty()) {
    if (id.empty()) return std::string(kConfig) + "/rules";
    return tl::unexpected<std::string>("\"id\" should be specified along with \"group\"");
  }
  if (id.empty()) return fmt::format("{}/rules/group/{}", kConfig, PathEscape(group));
  return fmt::format("{}/rule/{}/{}", kConfig, PathEscape(group), PathEscape(id));
}

int ShowRules(Invocation& call) {
  if (call.count() != 0) return call.PrintUsageLine();
  const auto path = RulesPath(call);
  if (!path) return call.Print(path.error());
  return call.PrintBody(call.Get(*path), "");
}

int WriteFile(Invocation& call, const std::string& file, const std::string& body,
              const char* what) {
  std::ofstream out(file, std::ios::trunc);
  out << body;
  out.close();
  if (!out) return call.Fail(fmt::format("open {}: cannot write the file", file));
  return call.Print(fmt::format("{} saved to file {}", what, file));
}

std::optional<std::string> ReadFile(const std::string& file) {
  std::ifstream in(file);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

int LoadRules(Invocation& call) {
  if (call.count() != 0) return call.PrintUsageLine();
  const auto path = RulesPath(call);
  if (!path) return call.Print(path.error());
  const Answer answer = call.Get(*path);
  if (!answer.Ok()) return call.PrintBody(answer, "");
  const bool single = !call.Text("id").empty();
  return WriteFile(call, call.Text("out"),
                   single ? fmt::format("[\n{}\n]\n", answer.body) : answer.body, "rules");
}

int SaveRules(Invocation& call) {
  if (call.count() != 0) return call.PrintUsageLine();
  const auto text = ReadFile(call.Text("in"));
  if (!text) {
    return call.Print(fmt::format("open {}: no such file or directory", call.Text("in")));
  }
  Json rules = Json::parse(*text, nullptr, false);
  if (!rules.is_array())
    return call.Print(fmt::format("{} is not a JSON list of rules", call.Text("in")));
  for (Json& rule : rules) {
    if (!rule.is_object())
      return call.Print(fmt::format("{} holds an entry that is no rule", call.Text("in")));
    rule["action"] = rule.value("count", 0) > 0 ? "add" : "del";
  }
  const Answer answer = call.Send(PostJson(std::string(kConfig) + "/rules/batch", rules));
  return call.PrintSuccess(answer, fmt::format("failed to save rules {}", JsonText(rules, 0)));
}

int ShowRuleGroup(Invocation& call) {
  if (call.count() > 1) return call.PrintUsageLine();
  const std::string rest =
      call.count() == 1 ? "/rule_group/" + PathEscape(call.arg(0)) : "/rule_groups";
  return call.PrintBody(call.Get(kConfig + rest), "");
}

int SetRuleGroup(Invocation& call) {
  if (call.count() != 3) return call.PrintUsageLine();
  const auto index = ParseUint(call.arg(1));
  if (!index) return call.Print(fmt::format("index {} should be a number", call.arg(1)));
  const auto override_others = ParseBool(call.arg(2));
  if (!override_others)
    return call.Print(fmt::format("override {} should be a boolean", call.arg(2)));
  return call.PrintOutcome(call.Send(
      PostJson(std::string(kConfig) + "/rule_group",
               {{"id", call.arg(0)}, {"index", *index}, {"override", *override_others}})));
}

std::string BundlePath(const std::string& group) {
  return fmt::format("{}/{}", kBundle, PathEscape(group));
}

int DeleteBundle(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  const std::string target = BundlePath(call.arg(0)) + (call.On("regexp") ? "?regexp" : "");
  return call.PrintBody(call.Send(Request{.method = "DELETE", .target = target}), "");
}

int GetBundle(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  const Answer answer = call.Get(BundlePath(call.arg(0)));
  if (!answer.Ok() || call.Text("out").empty()) return call.PrintBody(answer, "");
  return WriteFile(call, call.Text("out"), answer.body, "rule group");
}

int SetBundle(Invocation& call) {
  if (call.count() != 0) return call.PrintUsageLine();
  const auto text = ReadFile(call.Text("in"));
  if (!text) return call.Print(fmt::format("open {}: no such file or directory", call.Text("in")));
  const Json bundle = Json::parse(*text, nullptr, false);
  if (!bundle.is_object()) return call.Print(fmt::format("{} is no JSON object", call.Text("in")));
  const Answer answer = call.Send(
      Request{.method = "POST", .target = BundlePath(bundle.value("group_id", "")), .body = *text});
  return call.PrintBody(answer, fmt::format("failed to save rule bundle {}", *text));
}

int LoadBundles(Invocation& call) {
  if (call.count() != 0) return call.PrintUsageLine();
  const Answer answer = call.Get(kBundle);
  if (!answer.Ok()) return call.PrintBody(answer, "");
  return WriteFile(call, call.Text("out"), answer.body, "rule group");
}

int SaveBundles(Invocation& call) {
  if (call.count() != 0) return call.PrintUsageLine();
  const auto text = ReadFile(call.Text("in"));
  if (!text) return call.Print(fmt::format("open {}: no such file or directory", call.Text("in")));
  const std::string target = std::string(kBundle) + (call.On("partial") ? "?partial=true" : "");
  const Answer answer = call.Send(Request{.method = "POST", .target = target, .body = *text});
  return call.PrintBody(answer, fmt::format("failed to save rule bundles {}", *text));
}

const Flag kFromPd{.name = "from_pd",
                   .type = FlagType::kBool,
                   .usage = "read data from PD rather than a microservice"};
const Flag kRegexp{
    .name = "regexp", .type = FlagType::kBool, .usage = "match group id by regular expression"};

std::vector<Flag> SelectFlags() {
  return {{.name = "group", .usage = "group id"},
          {.name = "id", .usage = "rule id"},
          {.name = "region", .usage = "region id"},
          kFromPd};
}

Command RuleGroupCommand() {
  return {.use = "rule-group",
          .short_help = "rule group configurations",
          .children = {{.use = "show [id]",
                        .short_help = "show rule group configuration(s)",
                        .run = ShowRuleGroup,
                        .flags = {kFromPd}},
                       {.use = "set <id> <index> <override>",
                        .short_help = "update rule group configuration",
                        .run = SetRuleGroup},
                       {.use = "delete <id>",
                        .short_help = "delete rule group configuration",
                        .run = DeleteBundle,
                        .flags = {kRegexp}}}};
}

Command RuleBundleCommand() {
  return {.use = "rule-bundle",
          .short_help = "process rules in group(s), set/save perform in a replace fashion",
          .children = {
              {.use = "get <id>",
               .short_help = "get rule group config and its rules by group id",
               .run = GetBundle,
               .flags = {{.name = "out", .usage = "the output file"}, kFromPd}},
              {.use = "set",
               .short_help = "set rule group config and its rules from file",
               .run = SetBundle,
               .flags = {{.name = "in",
                          .usage = "the file contains one group config and its rules",
                          .default_value = "group.json"}}},
              {.use = "delete <id>",
               .short_help = "delete rule group config and its rules by group id",
               .run = DeleteBundle,
               .flags = {kRegexp}},
              {.use = "load",
               .short_help = "load all group configs and rules to file",
               .run = LoadBundles,
               .flags = {{.name = "out", .usage = "file to write", .default_value = "rules.json"},
                         kFromPd}},
              {.use = "save",
               .short_help = "save all group configs and rules from file",
               .run = SaveBundles,
               .flags = {{.name = "in",
                          .usage = "the file contains all group configs and all rules",
                          .default_value = "rules.json"},
                         {.name = "partial",
                          .type = FlagType::kBool,
                          .usage = "do not drop all old configurations, partial update"}}}}};
}

}  // namespace

Command PlacementRulesCommand() {
  std::vector<Flag> show_flags = SelectFlags();
  show_flags.push_back(
      {.name = "detail", .type = FlagType::kBool, .usage = "detailed match info for region"});
  std::vector<Flag> load_flags = SelectFlags();
  load_flags.push_back(
      {.name = "out", .usage = "the filename contains rules", .default_value = "rules.json"});
  return {.use = "placement-rules",
          .short_help = "placement rules configuration",
          .children = {
              {.use = "enable", .short_help = "enable placement rules", .run = Switch("true")},
              {.use = "disable", .short_help = "disable placement rules", .run = Switch("false")},
              {.use = "show",
               .short_help = "show placement rules",
               .run = ShowRules,
               .flags = show_flags},
              {.use = "load",
               .short_help = "load placement rules to a file",
               .run = LoadRules,
               .flags = load_flags},
              {.use = "save",
               .short_help = "save rules from file",
               .run = SaveRules,
               .flags = {{.name = "in",
                          .usage = "the filename contains rules",
                          .default_value = "rules.json"}}},
              RuleGroupCommand(),
              RuleBundleCommand()}};
}

}  // namespace api::pdctl
