// RocksDB as the storage benchmark configures it: its defaults, but for what all engines share
// (block size, filter, compression, cache, memtables) and the level sizes that it derives from its
// memtable by default.
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include "bench/storage.h"
#include "runtime/check.h"

namespace ringside::bench {
namespace {

rocksdb::Slice rocks(std::string_view text) { return {text.data(), text.size()}; }

class RocksDb final : public Peer {
 public:
  explicit RocksDb(const Setup& setup) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kNoCompression;
    options.write_buffer_size = setup.memtable_bytes();
    options.max_write_buffer_number = 4;  // as ours: one active, three that wait
    options.target_file_size_base = setup.memtable_bytes();
    options.max_bytes_for_level_base = 4 * setup.memtable_bytes();
    options.manual_wal_flush = true;
    rocksdb::BlockBasedTableOptions table;
    table.block_size = kBlockBytes;
    table.block_cache = rocksdb::NewLRUCache(setup.cache_bytes());
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kFilterBits));
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* opened = nullptr;
    must(rocksdb::DB::Open(options, setup.directory, &opened));
    db_.reset(opened);
  }

  void put(std::string_view key, std::string_view value, bool sync) override {
    rocksdb::WriteOptions options;
    options.sync = sync;
    must(db_->Put(options, rocks(key), rocks(value)));
  }
  void flush_log() override { must(db_->FlushWAL(false)); }
  bool get(std::string_view key, std::string& value) override {
    found_.Reset();
    const rocksdb::Status status =
        db_->Get(rocksdb::ReadOptions(), db_->DefaultColumnFamily(), rocks(key), &found_);
    if (status.IsNotFound()) return false;
    must(status);
    value.assign(found_.data(), found_.size());
    return true;
  }
  uint64_t scan(std::string_view begin, uint64_t rows_max, uint64_t& bytes) override {
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(rocksdb::ReadOptions()));
    uint64_t rows = 0;
    for (at->Seek(rocks(begin)); rows < rows_max && at->Valid(); at->Next(), ++rows)
      bytes += at->key().size() + at->value().size();
    must(at->status());
    return rows;
  }
  bool counts_reads() const override { return true; }

 private:
  static void must(const rocksdb::Status& status) {
    if (!status.ok()) std::fprintf(stderr, "RocksDB: %s\n", status.ToString().c_str());
    CHECK(status.ok());
  }

  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::PinnableSlice found_;
};

}  // namespace

std::unique_ptr<Peer> open_rocksdb(const Setup& setup) { return std::make_unique<RocksDb>(setup); }

}  // namespace ringside::bench
