#include "lab/sealed_file.h"

#include <fcntl.h>
#include <google/protobuf/message_lite.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lab/load.h"
#include "lab/text.h"
#include "runtime/random.h"

namespace ringside::lab {
namespace {

constexpr std::size_t kHeaderSize = 32;

void put_number(std::string& out, uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(number >> (8 * i));
}

uint64_t get_number(std::string_view bytes, std::size_t at, int count) {
  uint64_t number = 0;
  for (int i = 0; i < count; ++i) {
    number |=
        static_cast<uint64_t>(static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]))
        << (8 * i);
  }
  return number;
}

Result<void> system_error(const std::string& path, const char* what) {
  return {Code::kIo, concat(path, ": ", what, ": ", std::strerror(errno))};
}

Result<void> write_all(int file, const std::string& path, const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = ::write(file, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return system_error(path, "cannot be written");
    done += static_cast<std::size_t>(wrote);
  }
  return {};
}

}  // namespace

Result<void> write_whole(const std::string& path, const std::string& bytes) {
  const std::string temporary = concat(path, ".tmp-", static_cast<int64_t>(getpid()));
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return system_error(path, "cannot be written");
  Result<void> done = write_all(file, path, bytes);
  if (::close(file) != 0 && done.ok()) done = system_error(path, "cannot be written");
  if (done.ok() && ::rename(temporary.c_str(), path.c_str()) != 0)
    done = system_error(path, "cannot be written");
  if (!done.ok()) ::unlink(temporary.c_str());
  return done;
}

Result<void> write_sealed(const std::string& path, const Seal& seal,
                          const google::protobuf::MessageLite& message) {
  const std::string body = message.SerializeAsString();
  std::string bytes(seal.magic, sizeof seal.magic);
  put_number(bytes, seal.version, 4);
  put_number(bytes, 0, 4);
  put_number(bytes, body.size(), 8);
  put_number(bytes, hash_bytes(body), 8);
  bytes += body;
  return write_whole(path, bytes);
}

Result<void> read_sealed(const std::string& path, const Seal& seal,
                         google::protobuf::MessageLite& message) {
  Result<std::string> bytes = read_text_file(path);
  if (!bytes.ok()) return bytes.error();
  if (bytes->size() < sizeof seal.magic ||
      bytes->compare(0, sizeof seal.magic, seal.magic, sizeof seal.magic) != 0) {
    return {Code::kInvalid, concat(path, ": is no ", seal.is_not_a)};
  }
  const std::string what = concat("this ", seal.noun);
  if (bytes->size() < kHeaderSize)
    return {Code::kCorrupt, concat(path, ": ", what, " was cut short")};
  const uint64_t version = get_number(*bytes, 8, 4);
  if (version != seal.version) {
    return {Code::kInvalid, concat(path, ": ", what, " has format ", version,
                                   "; this program reads format ", seal.version)};
  }
  const uint64_t size = get_number(*bytes, 16, 8);
  if (bytes->size() - kHeaderSize < size) {
    return {Code::kCorrupt, concat(path, ": ", what, " was cut short: ",
                                   bytes->size() - kHeaderSize, " of ", size, " bytes are there")};
  }
  const std::string_view body = std::string_view(*bytes).substr(kHeaderSize);
  if (body.size() != size || hash_bytes(body) != get_number(*bytes, 24, 8))
    return {Code::kCorrupt, concat(path, ": ", what, " is damaged: its checksum is wrong")};
  if (!message.ParseFromArray(body.data(), static_cast<int>(body.size())))
    return {Code::kCorrupt, concat(path, ": ", what, " is damaged: it cannot be parsed")};
  return {};
}

}  // namespace ringside::lab
