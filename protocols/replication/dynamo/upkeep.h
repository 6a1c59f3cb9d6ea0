// Upkeep: what a node does for its data when nobody asks: anti-entropy and the reaping of
// tombstones, both paced by Background. One object that owns the loops.
//
//   Upkeep upkeep(rpc, engine, partitions, dynamo.replica(), view, options.n, upkeep_options,
//   stats,
//                 background);
//   for (const Kind kind : Upkeep::kKinds) rpc.handle(kind, … upkeep.message(request) …);
//   upkeep.start();
#pragma once

#include <array>

#include "protocols/replication/dynamo/anti_entropy.h"
#include "protocols/replication/dynamo/reaper.h"

namespace ringside {

class Upkeep {
 public:
  static constexpr std::array kKinds = {Kind::kTreeRequest, Kind::kLeafRequest, Kind::kRowsRequest,
                                        Kind::kReapRequest};

  Upkeep(Rpc& rpc, Engine& engine, Partitions& partitions, Replica& replica, const RingView& view,
         uint32_t n, UpkeepOptions options, UpkeepStats& stats, Background& background)
      : options_(options),
        anti_entropy_(rpc, engine, partitions, replica, view, n, options, stats, background),
        reaper_(rpc, engine, partitions, replica, view, n, options, stats, background),
        scope_(rpc.host().ready()) {
    replica.on_disk_read([&background](Duration took) { background.note(took); });
  }

  void reconfigure(const RingView& view) {
    anti_entropy_.reconfigure(view);
    reaper_.reconfigure(view);
  }
  // Before `start`: who fills a range that damage made unreadable, and whether hints wait here.
  void on_refill(std::function<void(PositionRange)> refill) {
    anti_entropy_.on_refill(std::move(refill));
  }
  void hints_waiting(std::function<bool(PositionRange)> waiting) {
    reaper_.hints_waiting(std::move(waiting));
  }

  // Others are answered whether or not this node asks by itself.
  void message(Request request) {
    if (request.kind == Kind::kReapRequest) return reaper_.message(std::move(request));
    anti_entropy_.message(std::move(request));
  }
  void start() {
    if (options_.anti_entropy) scope_.spawn(anti_entropy_.run());
    if (options_.reap) scope_.spawn(reaper_.run());
  }

  AntiEntropy& anti_entropy() { return anti_entropy_; }
  Reaper& reaper() { return reaper_; }

 private:
  UpkeepOptions options_;
  AntiEntropy anti_entropy_;
  Reaper reaper_;
  Scope scope_;
};

}  // namespace ringside
