#include "tests/sim/driver.h"

#include <catch2/catch.hpp>

#include "tests/pd/dispatch/coordinator_server.h"

namespace sim {

void Driver::MakeCoordinator(pd::test::OneMember& member) {
  REQUIRE(member.config().Update([this](pd::OnlineConfig& config) {
    if (config_) {
      config = *config_;
    } else if (setup_.configure) {
      setup_.configure(config);
    }
    return pd::Result<void>();
  }));
  coordinator_ = pd::test::MakeCoordinator(member, *metrics_, sink_, setup_.seed);
}

void Driver::Start(pd::Millis now) {
  metrics_ = std::make_unique<pd::MetricsRegistry>();
  pd::test::MemberSetup setup;
  setup.drive = pd::Cluster::Drive::kByHand;
  setup.stands_at = now;
  setup.first_id = first_id_;
  first_id_ += 1'000'000;
  member_ = std::make_unique<pd::test::OneMember>(
      database_, [this](pd::test::OneMember& member) { MakeCoordinator(member); }, setup);
  REQUIRE(coordinator_->OnLeaderStart(member_->term()));
}

void Driver::Kill() {
  if (!up()) return;
  config_ = *member_->config().online();
  coordinator_->OnLeaderStop();
  member_->cluster().OnLeaderStop();
  // Outlived by what it looks at, as in the server.
  coordinator_.reset();
  member_.reset();
  sink_.sent.clear();
}

pd::Millis Driver::Advance(pd::Millis now) {
  StandAt(now);
  cluster().DoDue();
  return coordinator_->Step();
}

}  // namespace sim
