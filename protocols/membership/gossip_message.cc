#include "protocols/membership/encode.h"
#include "protocols/membership/gossip.h"
#include "storage/format.h"

namespace ringside {
namespace {

constexpr std::size_t kDigestBytes = 12;  // id u32, hash u64, little-endian
constexpr std::size_t kMessageRecordsMax = 100'000;

}  // namespace

Buffer GossipMessage::encode() const {
  std::string body;
  append_number(body, 1, cluster);
  append_number(body, 2, hash);
  std::string packed(buckets.size() * 8, '\0');
  for (std::size_t i = 0; i < buckets.size(); ++i)
    store<uint64_t>(packed.data() + i * 8, buckets[i]);
  append_bytes(body, 3, packed);
  append_number(body, 4, differing);
  packed.assign(digests.size() * kDigestBytes, '\0');
  for (std::size_t i = 0; i < digests.size(); ++i) {
    store<uint32_t>(packed.data() + i * kDigestBytes, digests[i].first);
    store<uint64_t>(packed.data() + i * kDigestBytes + 4, digests[i].second);
  }
  append_bytes(body, 5, packed);
  for (const MemberRecord& record : records) append_element(body, 6, ringside::encode(record));
  packed.assign(wanted.size() * 4, '\0');
  for (std::size_t i = 0; i < wanted.size(); ++i) store<uint32_t>(packed.data() + i * 4, wanted[i]);
  append_bytes(body, 7, packed);
  return message_of(body);
}

bool GossipMessage::parse(std::string_view body) {
  flat::Reader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: cluster = reader.number(); break;
      case 2: hash = reader.number(); break;
      case 3: {
        const std::string_view packed = reader.bytes();
        if (packed.size() != MemberTable::kBuckets * 8) return false;
        for (std::size_t i = 0; i < packed.size(); i += 8)
          buckets.push_back(load<uint64_t>(packed.data() + i));
        break;
      }
      case 4: differing = reader.number(); break;
      case 5: {
        const std::string_view packed = reader.bytes();
        if (packed.size() % kDigestBytes != 0) return false;
        for (std::size_t i = 0; i < packed.size(); i += kDigestBytes)
          digests.emplace_back(load<uint32_t>(packed.data() + i),
                               load<uint64_t>(packed.data() + i + 4));
        break;
      }
      case 6: {
        if (records.size() == kMessageRecordsMax) return false;
        if (!ringside::parse(reader.bytes(), records.emplace_back())) return false;
        break;
      }
      case 7: {
        const std::string_view packed = reader.bytes();
        if (packed.size() % 4 != 0) return false;
        for (std::size_t i = 0; i < packed.size(); i += 4)
          wanted.push_back(load<uint32_t>(packed.data() + i));
        break;
      }
      default: break;
    }
  }
  return reader.ok() && buckets.size() <= MemberTable::kBuckets;
}

}  // namespace ringside
