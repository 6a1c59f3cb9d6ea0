// LevelDB as the storage benchmark configures it: its defaults, but for what all engines share.
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>

#include <algorithm>

#include "bench/storage.h"
#include "runtime/check.h"

namespace ringside::bench {
namespace {

leveldb::Slice level(std::string_view text) { return {text.data(), text.size()}; }

class LevelDb final : public Peer {
 public:
  explicit LevelDb(const Setup& setup)
      : cache_(leveldb::NewLRUCache(setup.cache_bytes())),
        filter_(leveldb::NewBloomFilterPolicy(kFilterBits)) {
    leveldb::Options options;
    options.create_if_missing = true;
    options.compression = leveldb::kNoCompression;
    options.write_buffer_size = setup.memtable_bytes();
    options.max_file_size = std::max<std::size_t>(options.max_file_size, setup.memtable_bytes());
    options.block_size = kBlockBytes;
    options.block_cache = cache_.get();
    options.filter_policy = filter_.get();
    leveldb::DB* opened = nullptr;
    must(leveldb::DB::Open(options, setup.directory, &opened));
    db_.reset(opened);
  }

  void put(std::string_view key, std::string_view value, bool sync) override {
    leveldb::WriteOptions options;
    options.sync = sync;
    must(db_->Put(options, level(key), level(value)));
  }
  void flush_log() override {}
  bool get(std::string_view key, std::string& value) override {
    const leveldb::Status status = db_->Get(leveldb::ReadOptions(), level(key), &value);
    if (status.IsNotFound()) return false;
    must(status);
    return true;
  }
  uint64_t scan(std::string_view begin, uint64_t rows_max, uint64_t& bytes) override {
    const std::unique_ptr<leveldb::Iterator> at(db_->NewIterator(leveldb::ReadOptions()));
    uint64_t rows = 0;
    for (at->Seek(level(begin)); rows < rows_max && at->Valid(); at->Next(), ++rows)
      bytes += at->key().size() + at->value().size();
    must(at->status());
    return rows;
  }
  bool counts_reads() const override { return false; }  // it maps its tables

 private:
  static void must(const leveldb::Status& status) {
    if (!status.ok()) std::fprintf(stderr, "LevelDB: %s\n", status.ToString().c_str());
    CHECK(status.ok());
  }

  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::DB> db_;
};

}  // namespace

std::unique_ptr<Peer> open_leveldb(const Setup& setup) { return std::make_unique<LevelDb>(setup); }

}  // namespace ringside::bench
