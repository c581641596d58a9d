#include "tests/sim/driver.h"

#include <chrono>

#include <catch2/catch.hpp>

#include "tests/pd/dispatch/coordinator_server.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

/// Times are shorter than in life, so that an hour is long. Every other seed limits stores by what they send.
void Configure(pd::OnlineConfig& config, uint64_t seed) {
  config.schedule.max_store_down_time = 2min;
  config.schedule.split_merge_interval = 5min;
  config.schedule.store_limit_version = seed % 2 == 1 ? "v2" : "v1";
}

}  // namespace

void Driver::MakeCoordinator(pd::test::OneMember& member) {
  REQUIRE(member.config().Update([this](pd::OnlineConfig& config) {
    if (config_) {
      config = *config_;
    } else {
      Configure(config, seed_);
    }
    return pd::Result<void>();
  }));
  coordinator_ = pd::test::MakeCoordinator(member, *metrics_, sink_, seed_);
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

void Driver::Advance(pd::Millis now) {
  member_->moved.StandAt(now);
  cluster().DoDue();
  coordinator_->Step();
}

}  // namespace sim
