#include "lab/shard.h"

#include <algorithm>
#include <charconv>

#include "lab/text.h"

namespace ringside::lab {
namespace {

bool read_uint32(std::string_view text, uint32_t* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

Result<Shard> parse_shard(std::string_view text) {
  const std::size_t slash = text.find('/');
  Shard shard;
  if (slash == std::string_view::npos || !read_uint32(text.substr(0, slash), &shard.number) ||
      !read_uint32(text.substr(slash + 1), &shard.of)) {
    return {Code::kInvalid,
            concat("--shard ", text, ": is no shard; write 3/8 for the third of eight")};
  }
  if (shard.of == 0 || shard.of > kShardsMax)
    return {Code::kInvalid, concat("--shard ", text, ": there are 1 to ", kShardsMax, " shards")};
  if (shard.number == 0 || shard.number > shard.of) {
    return {Code::kInvalid, concat("--shard ", text, ": shards are counted from 1/", shard.of,
                                   " to ", shard.of, "/", shard.of)};
  }
  return shard;
}

std::vector<uint64_t> part_of(const std::vector<uint64_t>& all, const Shard& shard) {
  std::vector<uint64_t> part;
  for (std::size_t i = shard.number - 1; i < all.size(); i += shard.of) part.push_back(all[i]);
  return part;
}

Result<void> check_whole(std::vector<ShardOf> parts) {
  std::stable_sort(parts.begin(), parts.end(),
                   [](const ShardOf& a, const ShardOf& b) { return a.number < b.number; });
  uint32_t next = 1;
  for (const ShardOf& part : parts) {
    if (part.of != parts[0].of) {
      return {Code::kInvalid, concat(part.path, ": is one of ", part.of, " shards, but ",
                                     parts[0].path, " is one of ", parts[0].of)};
    }
    if (part.number < next)
      return {Code::kInvalid,
              concat(part.path, ": shard ", part.number, "/", part.of, " is there twice")};
    if (part.number > next) break;
    ++next;
  }
  if (parts.empty() || next <= parts[0].of) {
    return {Code::kInvalid, parts.empty()
                                ? std::string("there is no shard to merge")
                                : concat("shard ", next, "/", parts[0].of, " is missing")};
  }
  return {};
}

}  // namespace ringside::lab
