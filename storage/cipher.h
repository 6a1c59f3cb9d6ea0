// Cipher: AES-256-GCM (NIST SP 800-38D, by OpenSSL) for what lies on disk. One key an engine. Every
// file has a key of its own, HMAC-SHA-256(key, salt), so that a place in a file is nonce enough:
// salt and place together must never seal two texts. A sealed piece is the ciphertext and a tag of
// kTagBytes.
//
//   cipher.seal(salt.high, salt.low, offset, "", block, out);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace ringside {

class Cipher {
 public:
  static constexpr std::size_t kKeyBytes = 32, kTagBytes = 16;

  explicit Cipher(std::string_view key);  // of kKeyBytes
  ~Cipher();
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;

  // `salt`: names the file's life (drawn from host.random, kept in the file); `place`: unique
  // within it (an offset). `header`: authenticated with the text, not encrypted. Appends ciphertext
  // and tag to `out`.
  void seal(uint64_t salt_high, uint64_t salt_low, uint64_t place, std::string_view header,
            std::string_view text, std::string& out) const;
  // Appends the text. False, with `out` as it was: not what was sealed with this key, there.
  bool open(uint64_t salt_high, uint64_t salt_low, uint64_t place, std::string_view header,
            std::string_view sealed, std::string& out) const;

 private:
  struct FileKey;
  FileKey& file_key(uint64_t salt_high, uint64_t salt_low) const;

  // Of the files met lately, so that a block costs no key setup. No behaviour depends on them.
  static constexpr std::size_t kFileKeys = 16;
  std::string key_;
  std::unique_ptr<FileKey[]> file_keys_;
};

}  // namespace ringside
