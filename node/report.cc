#include "node/report.h"

namespace ringside {
namespace {

void describe_partitions(const Partitions& partitions, StatusSection& section) {
  uint64_t whole = 0;
  for (const auto& [begin, held] : partitions.all()) whole += held.whole ? 1 : 0;
  section.add("held", partitions.all().size());
  section.add("whole", whole);
}

void describe_hints(const HintStore& hints, const DynamoStats& stats, StatusSection& section) {
  section.add("waiting", hints.count());
  section.add("bytes", hints.bytes());
  for (const auto& [owner, waiting] : hints.all())
    section.add("for node " + std::to_string(owner), waiting.size());
  section.add("kept", stats.hints_kept);
  section.add("delivered", stats.hints_delivered);
  section.add("refused", stats.hints_refused);
}

void describe_repair(const UpkeepStats& stats, StatusSection& section) {
  section.add("rounds", stats.rounds);
  section.add("ranges compared", stats.ranges_compared);
  section.add("ranges clean", stats.ranges_clean);
  section.add("rows fetched", stats.rows_fetched);
  section.add("rows pushed", stats.rows_pushed);
  section.add("bytes of hashes", stats.hash_bytes);
  section.add("bytes of rows", stats.row_bytes);
  section.add("tombstones reaped", stats.reaped);
  section.add("tombstones waiting", stats.reap_waiting);
}

void describe_transfer(const TransferStats& stats, StatusSection& section) {
  section.add("ranges missing", stats.ranges_missing);
  section.add("ranges leaving", stats.ranges_leaving);
  section.add("ranges filled", stats.ranges_filled);
  section.add("ranges given back", stats.ranges_given_back);
  section.add("rows pulled", stats.rows_pulled);
  section.add("bytes pulled", stats.bytes_pulled);
  section.add("rows pushed", stats.rows_pushed);
}

void describe_reads(const DynamoStats& stats, StatusSection& section) {
  section.add("gets", stats.gets);
  section.add("puts", stats.puts);
  section.add("found nothing", stats.siblings_read[0]);
  section.add("one version", stats.siblings_read[1]);
  section.add("two versions", stats.siblings_read[2]);
  section.add("more versions", stats.siblings_read[3]);
  section.add("most versions", stats.siblings_read_max);
  section.add("read repairs", stats.repairs);
}

}  // namespace

void Report::describe(std::vector<StatusSection>& out) const {
  const auto add = [&out](const char* name) -> StatusSection& {
    return out.emplace_back(StatusSection{name, {}});
  };
  describe_partitions(partitions_, add("partitions"));
  describe_hints(hints_, status_.dynamo, add("hints"));
  describe_repair(status_.upkeep, add("repair"));
  describe_transfer(status_.transfer, add("transfer"));
  describe_reads(status_.dynamo, add("versions"));
}

}  // namespace ringside
