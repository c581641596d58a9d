#pragma once

#include <string>

namespace pd {

class PdServer;

/// Adds the gauges and counters that are read off a server at each look at its metrics page.
void AddServerMetrics(PdServer& server);

/// The folder of the running binary.
std::string DeployPath();

}  // namespace pd
