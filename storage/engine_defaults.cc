// What an engine for research does not offer.
#include "storage/engine.h"

namespace ringside {
namespace {

Error not_offered(const char* what) {
  return Error{Code::kInvalid, std::string("this engine has no ") + what};
}

}  // namespace

Task<Result<void>> Engine::create_tablets(std::vector<KeyRange>) {
  co_return not_offered("tablets");
}
Task<Result<void>> Engine::drop_tablet(KeyRange) { co_return not_offered("tablets"); }
Task<Result<std::unique_ptr<RangeExport>>> Engine::export_range(KeyRange, std::string) {
  co_return not_offered("export of ranges");
}
Task<Result<std::unique_ptr<RangeImport>>> Engine::import_range(KeyRange) {
  co_return not_offered("import of ranges");
}
Task<Result<Lsn>> Engine::create_checkpoint(std::string) { co_return not_offered("checkpoints"); }
Task<Result<void>> Engine::drop_checkpoint(std::string) { co_return not_offered("checkpoints"); }
Task<Result<Rows>> Engine::scan_checkpoint(std::string, std::string, std::string, ScanLimits) {
  co_return not_offered("checkpoints");
}
Task<Result<std::vector<LoggedBatch>>> Engine::changes(Lsn, ChangeLimits) {
  co_return not_offered("change stream");
}
Task<Result<MerkleHashes>> Engine::merkle(KeyRange) { co_return not_offered("Merkle trees"); }
void Engine::repaired(const KeyRange&, Lsn) {}
Task<Result<ScrubReport>> Engine::scrub() { co_return not_offered("scrubber"); }

}  // namespace ringside
