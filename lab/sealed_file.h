// Sealed files: a header of 32 bytes and a body, written whole or not at all. On disk
//
//   8 bytes of magic | u32 version | u32 reserved (0) | u64 bytes of the body | u64 XXH3 of the
//   body
//
// all little-endian, and then the body, a protobuf message. A file of that name is always the old
// one or the new one, however its writer died; what was cut short or changed since is refused in
// one line.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/result.h"

namespace google::protobuf {
class MessageLite;
}

namespace ringside::lab {

struct Seal {
  char magic[8];
  uint32_t version;
  const char* noun;      // "recording"
  const char* is_not_a;  // "recording of ringside (a .run file that `ringside run` wrote)"
};

// The bytes as they are, through a temporary file beside it.
Result<void> write_whole(const std::string& path, const std::string& bytes);

Result<void> write_sealed(const std::string& path, const Seal& seal,
                          const google::protobuf::MessageLite& message);
Result<void> read_sealed(const std::string& path, const Seal& seal,
                         google::protobuf::MessageLite& message);

}  // namespace ringside::lab
