// Transfer: moves the rows of one range of the ring from one node to another, page by page, from
// either side. The receiver *pulls*: it asks what a node has (offer), then for its rows in order
// (page), and keeps durably how far it came, so that either side may die and the pull goes on
// where it was. The giver *pushes*: it asks a home for the digests of what it holds and puts there
// what differs. Rows are merged as a replica merges any put: a page may come twice, and a write
// that arrived meanwhile is never undone.
//
// How many sources make a range whole. A put is acknowledged by W of its N homes. Whoever has met
// all rows of N - W + 1 homes, as of a moment after which every coordinator also writes to it (or,
// in a change of the ring, to W homes of either ring), has met every acknowledged put: among any
// N - W + 1 homes is one of the W. A node that lost what it held is itself one of the N, and N - W
// + 1 of the N - 1 others meet the W - 1 others that acknowledged. A source counts when it was
// whole itself. Where so many are whole no more, more copies were damaged than W tolerates; then
// what every other home holds is all there is (`even_partial`).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "protocols/partitions.h"
#include "protocols/replication/dynamo/replica.h"
#include "protocols/replication/dynamo/transfer_message.h"
#include "protocols/replication/dynamo/transfer_options.h"
#include "protocols/rpc.h"

namespace ringside {

// Goes on as long as nobody has begun something else: tasks that are in the middle of a change of
// the engine are not destroyed, they see that they are over.
struct Epoch {
  const uint64_t* current = nullptr;
  uint64_t mine = 0;
  bool over() const { return *current != mine; }
};

class Transfer {
 public:
  // Waits until so many bytes may be moved.
  using Admit = std::function<Task<void>(uint64_t bytes)>;

  Transfer(Rpc& rpc, Engine& engine, const Partitions& partitions, Replica& replica,
           const TransferOptions& options, TransferStats& stats);

  void admit_by(Admit admit) { admit_ = std::move(admit); }
  // Times that rows did not go together with what is here: perhaps that cannot be read any more.
  uint64_t merges_failed() const { return merges_failed_; }
  // offer_request, page_request and confirm_request.
  void message(Request request);

  // --- The receiver.

  enum class How : uint8_t {
    kObjects,      // every object; for who has nothing yet
    kDifferences,  // digests first, then what differs; for who has most of it already
    kLeftovers,    // objects, also of a range that is not whole there
  };
  struct Pull {
    PositionRange range;
    NodeId source = kNoNode;
    uint64_t ticket = 0;
    How how = How::kObjects;
  };
  // True when all rows of the range at the source have been merged and are durable. False when the
  // source is silent or refuses, when this node's engine does, or when the epoch is over.
  Task<bool> pull(Pull pull, Epoch epoch);
  // Which sources a pull of the range for this ticket ended with, and which it began with.
  Task<Result<std::vector<TransferMark>>> marks(PositionRange range, uint64_t ticket);
  // Forgets how far pulls of the range came; durable when it returns.
  Task<Result<void>> forget(PositionRange range);

  struct Offer {
    NodeId from = kNoNode;
    bool answered = false;
    RangeReply reply;
  };
  // Asks everyone at once; waits until `enough` hold it whole, or all have answered or had time to.
  Task<std::vector<Offer>> ask(Kind kind, PositionRange range, uint64_t ticket,
                               std::vector<NodeId> nodes, std::size_t enough);

  // --- The giver.

  // Puts what this node holds of the range to `home`, where that lacks it. False as above.
  Task<bool> push(PositionRange range, uint64_t ticket, NodeId home, Epoch epoch);

 private:
  // A page as it came; its rows are views of the frame.
  struct Page {
    bool ok = false;
    Buffer frame;
    PageReply reply;
  };
  struct Row {
    std::string key;
    std::string object;
  };
  using Digests = std::map<std::string, uint64_t, std::less<>>;  // by key, or by row

  // transfer.cc
  Task<bool> take_objects(Page page, Epoch epoch);
  Task<bool> take_differences(Pull pull, std::string after, Page page, Epoch epoch);
  Task<bool> merge(std::vector<PageRow> rows, Epoch epoch);
  Task<Result<Digests>> own_digests(PositionRange range, std::string after, std::string last_key);
  uint64_t tablets_of(PositionRange range) const;
  Task<Result<Lsn>> submit(Batch batch);

  // give_back.cc
  void serve_range(const Request& request);
  Task<void> serve_page(Request request);
  bool may_serve(const PageRequest& page) const;
  Task<bool> put_what_differs(PositionRange range, uint64_t ticket, NodeId home, std::string after,
                              std::vector<Row> rows, Epoch epoch);
  Task<bool> put_to(NodeId home, std::vector<Row> rows);

  Task<std::vector<Buffer>> ask_all(NodeId node, Kind kind, std::vector<Buffer> messages);
  Task<Page> ask_page(NodeId source, PositionRange range, uint64_t ticket, std::string after,
                      bool digests, bool even_partial);
  Task<void> pace(uint64_t bytes);

  Rpc& rpc_;
  Host& host_;
  Engine& engine_;
  const Partitions& partitions_;
  Replica& replica_;
  const TransferOptions options_;
  TransferStats& stats_;
  Admit admit_;
  uint64_t merges_failed_ = 0;
  Time free_at_ = 0;  // when the next bytes may be moved
  Semaphore reading_;
  Scope scope_;
};

}  // namespace ringside
