#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/pdpb.pb.h"
#include "tests/harness/pd_client.h"
#include "tests/harness/stream.h"

namespace harness {

/// Stores and regions that are nothing but reports: kStores stores with one heartbeat stream each, and regions that
/// divide all keys between them. Region number n has a peer on each of three stores and is led by store
/// n % kStores + 1. One thread at a time uses it, if nothing else is said.
class RegionLoad {
 public:
  static constexpr int kStores = 10;
  static constexpr uint64_t kFirstConfVer = 5;

  struct Options {
    int64_t regions = 1;
    size_t key_bytes =
        26;  // Length of a region's keys; shorter ones than their number need are as long as that.
  };
  /// What differs between two reports of a region.
  struct News {
    uint64_t conf_ver = kFirstConfVer;
    uint64_t bytes_written = 0;
  };

  /// `client` must outlive this.
  RegionLoad(PdClient& client, const Options& options) : client_(client), options_(options) {}

  /// Bootstraps the cluster and reports its stores. Throws std::runtime_error.
  void Bootstrap();
  /// From now on the leader plans nothing: it only hears reports. Throws std::runtime_error.
  void StopPlanning();

  /// Opens all streams, anew if they are open, to the leader that the client found last.
  void OpenStreams();
  /// Finds the leader and opens the streams to it, as stores do when they lose one. Throws std::runtime_error when
  /// there is none within 20 s.
  void FindLeaderAgain();
  void CloseStreams() { streams_.clear(); }
  /// Streams that ended and that nobody here had closed; since the start. Thread-safe.
  int64_t streams_ended() const { return streams_ended_; }

  /// Reports a region; waits while 2,000 reports wait in its stream. False if the stream has ended. Throws
  /// std::runtime_error when the stream stays full for a minute.
  bool Send(int64_t number, const News& news);
  /// Waits until no report waits in a stream; an ended stream has none. Throws as Send.
  void Drain();

  /// Reports all regions as they are first, and waits until the leader knows them. False if a stream ended meanwhile:
  /// reports may be lost. Throws as Send, and when the leader does not know them after a minute.
  bool SendAll();

  int64_t regions() const { return options_.regions; }
  /// Region `number` as it is reported with this `conf_ver`. Thread-safe.
  metapb::Region Region(int64_t number, uint64_t conf_ver) const;
  /// Region `number` as the leader knows it; nothing if it does not, or does not answer. Thread-safe.
  std::optional<metapb::Region> Find(int64_t number);

 private:
  std::string Key(int64_t number) const;
  void PutStore(const metapb::Store& store);

  PdClient& client_;
  const Options options_;
  std::atomic<int64_t> streams_ended_ = 0;
  std::vector<std::unique_ptr<Stream>> streams_;
};

}  // namespace harness
