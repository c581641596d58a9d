#pragma once

#include <string>

#include "pd/runtime/clock.h"

namespace pd {

class PdServer;

/// Adds the gauges and counters that are read off a server at each look at its metrics page.
void AddServerMetrics(PdServer& server);

/// The PD leader's view of who answers, asked of one member after the other, for at most `timeout` at each of its URLs
/// and each step of a call; on other members nothing is shown.
void ShowMemberHealth(PdServer& server, Millis timeout);

/// The folder of the running binary.
std::string DeployPath();

}  // namespace pd
