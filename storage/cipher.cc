#include "storage/cipher.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "runtime/check.h"
#include "storage/format.h"

namespace ringside {
namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kStepBytes = std::size_t{1} << 30;  // OpenSSL counts in int

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* unsigned_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* unsigned_room(char* room) {
  return static_cast<unsigned char*>(static_cast<void*>(room));
}

Context make_context(const unsigned char* key, bool sealing) {
  Context context(EVP_CIPHER_CTX_new());
  CHECK(context != nullptr);
  CHECK(EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key, nullptr,
                          sealing ? 1 : 0) == 1);
  return context;
}

void begin_piece(EVP_CIPHER_CTX* context, uint64_t place, std::string_view header) {
  unsigned char nonce[kNonceBytes] = {};
  store(reinterpret_cast<char*>(nonce), place);
  CHECK(EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, nonce, -1) == 1);
  CHECK(header.size() <= kStepBytes);
  int length = 0;
  if (!header.empty()) {
    CHECK(EVP_CipherUpdate(context, nullptr, &length, unsigned_bytes(header),
                           static_cast<int>(header.size())) == 1);
  }
}

void run_piece(EVP_CIPHER_CTX* context, std::string_view from, char* to) {
  while (!from.empty()) {
    const std::string_view step = from.substr(0, kStepBytes);
    int length = 0;
    CHECK(EVP_CipherUpdate(context, unsigned_room(to), &length, unsigned_bytes(step),
                           static_cast<int>(step.size())) == 1);
    CHECK(length == static_cast<int>(step.size()));
    to += step.size();
    from.remove_prefix(step.size());
  }
}

}  // namespace

struct Cipher::FileKey {
  bool known = false;
  uint64_t salt_high = 0;
  uint64_t salt_low = 0;
  Context sealing;
  Context opening;
};

Cipher::Cipher(std::string_view key)
    : key_(key), file_keys_(std::make_unique<FileKey[]>(kFileKeys)) {
  CHECK(key.size() == kKeyBytes);
}

Cipher::~Cipher() { OPENSSL_cleanse(key_.data(), key_.size()); }

Cipher::FileKey& Cipher::file_key(uint64_t salt_high, uint64_t salt_low) const {
  FileKey& slot = file_keys_[salt_low % kFileKeys];
  if (slot.known && slot.salt_high == salt_high && slot.salt_low == salt_low) return slot;
  char salt[16];
  store(salt, salt_high);
  store(salt + 8, salt_low);
  unsigned char derived[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  CHECK(HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
             unsigned_bytes({salt, sizeof salt}), sizeof salt, derived, &length) != nullptr);
  CHECK(length == kKeyBytes);
  slot.known = true;
  slot.salt_high = salt_high;
  slot.salt_low = salt_low;
  slot.sealing = make_context(derived, true);
  slot.opening = make_context(derived, false);
  OPENSSL_cleanse(derived, sizeof derived);
  return slot;
}

void Cipher::seal(uint64_t salt_high, uint64_t salt_low, uint64_t place, std::string_view header,
                  std::string_view text, std::string& out) const {
  EVP_CIPHER_CTX* context = file_key(salt_high, salt_low).sealing.get();
  const std::size_t start = out.size();
  out.resize(start + text.size() + kTagBytes);
  begin_piece(context, place, header);
  run_piece(context, text, out.data() + start);
  char* tag = out.data() + start + text.size();
  int length = 0;
  CHECK(EVP_CipherFinal_ex(context, unsigned_room(tag), &length) == 1);
  CHECK(length == 0);
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag) == 1);
}

bool Cipher::open(uint64_t salt_high, uint64_t salt_low, uint64_t place, std::string_view header,
                  std::string_view sealed, std::string& out) const {
  if (sealed.size() < kTagBytes) return false;
  const std::string_view text = sealed.substr(0, sealed.size() - kTagBytes);
  char tag[kTagBytes];
  std::copy_n(sealed.data() + text.size(), kTagBytes, tag);
  EVP_CIPHER_CTX* context = file_key(salt_high, salt_low).opening.get();
  const std::size_t start = out.size();
  out.resize(start + text.size());
  begin_piece(context, place, header);
  run_piece(context, text, out.data() + start);
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag) == 1);
  unsigned char nothing[EVP_MAX_BLOCK_LENGTH];
  int length = 0;
  if (EVP_CipherFinal_ex(context, nothing, &length) == 1) return true;
  out.resize(start);
  return false;
}

}  // namespace ringside
