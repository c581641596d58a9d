#include <chrono>
#include <ctime>

#include <fmt/format.h>

#include "api/cmd/pdctl/groups.h"
#include "api/cmd/pdctl/invocation.h"

namespace api::pdctl {
namespace {

constexpr int kLogicalBits = 18;
constexpr const char* kCluster = "/pd/api/v1/cluster";

int ShowCluster(Invocation& call) {
  return call.PrintIndented(call.Get(kCluster), "Failed to get the cluster information");
}

// Those that the reference tool runs through its client library first ask for the cluster, and fail with status 1.
Handler ProbedShow(const char* target, const char* failure) {
  return [target, failure](Invocation& call) {
    const Answer probe = call.Get(kCluster);
    if (!probe.Ok()) return call.Fail(probe.error);
    return call.PrintIndented(call.Get(target), failure);
  };
}

int Ping(Invocation& call) {
  const auto start = std::chrono::steady_clock::now();
  const Answer answer = call.Send(
      Request{.target = "/pd/api/v1/ping", .headers = {{"PD-Allow-follower-handle", "true"}}});
  const std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - start;
  if (!answer.Ok()) return call.PrintBody(answer, "");
  return call.Print(fmt::format("time: {:.6g}ms", elapsed.count()));
}

// "2023-08-27 18:33:41.687 +0000 UTC": local time, the fraction without trailing zeros.
std::string TimeText(uint64_t physical_ms) {
  const std::time_t seconds = static_cast<std::time_t>(physical_ms / 1000);
  std::tm local{};
  localtime_r(&seconds, &local);
  char date[32];
  char zone[32];
  std::strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &local);
  std::strftime(zone, sizeof zone, "%z %Z", &local);
  std::string fraction = fmt::format(".{:03}", physical_ms % 1000);
  fraction.erase(fraction.find_last_not_of(".0") + 1);
  return fmt::format("{}{} {}", date, fraction, zone);
}

int ReadTso(Invocation& call) {
  if (call.count() != 1) return call.Print("Usage: tso <timestamp>");
  const auto timestamp = ParseUint(call.arg(0));
  if (!timestamp) return call.Print("Failed to parse TSO: " + timestamp.error());
  call.Print("system:  " + TimeText(*timestamp >> kLogicalBits));
  return call.Print(fmt::format("logic:   {}", *timestamp & ((uint64_t{1} << kLogicalBits) - 1)));
}

int SetLogLevel(Invocation& call) {
  if (call.count() < 1 || call.count() > 2) return call.PrintUsageLine();
  Request request = PostJson("/pd/api/v1/admin/log", Json(call.arg(0)));
  if (call.count() == 1) return call.PrintSuccess(call.Send(request), "Failed to set log level");
  const std::string& address = call.arg(1);
  const auto endpoint = ParseEndpoint(address);
  if (!endpoint)
    return call.Print(fmt::format("Failed to parse address {}: {}", address, endpoint.error()));
  request.headers["PD-Allow-follower-handle"] = "true";
  return call.PrintSuccess(call.client().SendTo(*endpoint, request),
                           fmt::format("Failed to set {} log level", address));
}

int ChangePlugin(Invocation& call, const char* method, const char* verb) {
  if (call.count() != 1) return call.PrintUsageLine();
  Request request = PostJson("/pd/api/v1/plugin", {{"plugin-path", call.arg(0)}});
  request.method = method;
  return call.PrintSuccess(call.Send(request),
                           fmt::format("Failed to {} plugin {}", verb, call.arg(0)));
}

Command PluginCommand() {
  return {
      .use = "plugin",
      .short_help = "plugin commands",
      .children = {
          {.use = "load <plugin_path>",
           .short_help = "load a plugin, path must begin with ./pd/plugin/",
           .run = [](Invocation& call) { return ChangePlugin(call, "POST", "PluginLoad"); }},
          {.use = "unload <plugin_path>",
           .short_help = "unload a plugin, path must begin with ./pd/plugin/",
           .run = [](Invocation& call) { return ChangePlugin(call, "DELETE", "PluginUnload"); }}}};
}

// The names of the first level complete everywhere, those below a command once it is typed.
std::string CompletionScript(const CommandPath& path, const std::string& shell) {
  std::string words;
  std::string cases;
  for (const Command& command : path.front()->children) {
    if (!command.Listed()) continue;
    words += command.Name() + " ";
    std::string below;
    for (const Command& child : command.children) {
      if (child.Listed()) below += child.Name() + " ";
    }
    if (!below.empty()) cases += fmt::format("    {}) words=\"{}\" ;;\n", command.Name(), below);
  }
  const std::string head = shell == "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : "";
  return fmt::format(
      "{}_pd_ctl() {{\n  local words=\"{}\"\n  case \"${{COMP_WORDS[1]}}\" in\n{}  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"${{COMP_WORDS[COMP_CWORD]}}\"))\n}}\n"
      "complete -F _pd_ctl pd-ctl pdctl",
      head, words, cases);
}

int Complete(Invocation& call) {
  if (call.count() == 0) return call.Print("Shell not specified.");
  if (call.count() > 1) return call.Print("Too many arguments. Expected only the shell type.");
  const std::string& shell = call.arg(0);
  if (shell != "bash" && shell != "zsh") {
    return call.Print(fmt::format("Unsupported shell type \"{}\".", shell));
  }
  return call.Print(CompletionScript(call.path(), shell));
}

}  // namespace

std::vector<Command> ClusterCommands() {
  return {{.use = "cluster",
           .short_help = "show the cluster information",
           .run = ShowCluster,
           .children = {{.use = "status",
                         .short_help = "show the cluster status",
                         .run = ProbedShow("/pd/api/v1/cluster/status",
                                           "Failed to get the cluster status")}}},
          {.use = "health",
           .short_help = "show all node's health information of the PD cluster",
           .run = ProbedShow("/pd/api/v1/health", "")},
          {.use = "ping", .short_help = "show the total time spend ping the pd", .run = Ping},
          {.use = "tso <timestamp>",
           .short_help = "parse TSO to the system and logic time",
           .run = ReadTso},
          {.use = "log [fatal|error|warn|info|debug] [addr]",
           .short_help = "set log level",
           .run = SetLogLevel},
          {.use = "min-resolved-ts",
           .short_help = "show min resolved ts",
           .run = Getting("/pd/api/v1/min-resolved-ts", "Failed to get min resolved ts")},
          PluginCommand(),
          {.use = "completion [bash|zsh]",
           .short_help = "output shell completion code for the specified shell",
           .run = Complete},
          {.use = "exit", .short_help = "exit pdctl", .run = [](Invocation&) { return 0; }}};
}

}  // namespace api::pdctl
