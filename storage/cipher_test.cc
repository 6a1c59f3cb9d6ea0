#include "storage/cipher.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "runtime/random.h"
#include "storage/test_bytes.h"

namespace ringside {
namespace {

std::string key_of(char byte) { return std::string(Cipher::kKeyBytes, byte); }

TEST(Cipher, seals_to_known_bytes) {
  // Computed beside this code with Python: key' = HMAC-SHA-256(key, salt), AES-256-GCM(key',
  // nonce).
  std::string key;
  for (int i = 0; i < 32; ++i) key.push_back(static_cast<char>(i));
  const Cipher cipher(key);
  std::string sealed;
  cipher.seal(0x0102030405060708, 0x1112131415161718, 4096, "head", "a table block", sealed);
  EXPECT_EQ(hex(sealed), "8fbb9914d842be1868fa228c1dc06f133c1a91e630cc82d43dff9acbad");
}

TEST(Cipher, opens_what_it_sealed_and_appends) {
  const Cipher cipher(key_of('k'));
  for (const std::size_t size : {0, 1, 15, 16, 17, 4096, 100'000}) {
    const std::string text(size, 't');
    std::string sealed = "before";
    cipher.seal(1, 2, 3, "header", text, sealed);
    EXPECT_EQ(sealed.size(), 6 + size + Cipher::kTagBytes);
    std::string opened = "front";
    ASSERT_TRUE(cipher.open(1, 2, 3, "header", std::string_view(sealed).substr(6), opened));
    EXPECT_EQ(opened, "front" + text);
    std::string again;
    cipher.seal(1, 2, 3, "header", text, again);
    EXPECT_EQ("before" + again, sealed) << "the same calls give the same bytes";
  }
}

TEST(Cipher, opens_nothing_else) {
  const Cipher cipher(key_of('k'));
  std::string sealed;
  cipher.seal(1, 2, 3, "header", "some text to keep", sealed);
  std::string out = "as it was";
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    std::string bad = sealed;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(cipher.open(1, 2, 3, "header", bad, out));
  }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    ASSERT_FALSE(cipher.open(1, 2, 3, "header", sealed.substr(0, size), out));
  EXPECT_FALSE(cipher.open(9, 2, 3, "header", sealed, out));
  EXPECT_FALSE(cipher.open(1, 9, 3, "header", sealed, out));
  EXPECT_FALSE(cipher.open(1, 2, 9, "header", sealed, out));
  EXPECT_FALSE(cipher.open(1, 2, 3, "Header", sealed, out));
  EXPECT_FALSE(cipher.open(1, 2, 3, "", sealed, out));
  EXPECT_FALSE(Cipher(key_of('l')).open(1, 2, 3, "header", sealed, out));
  EXPECT_EQ(out, "as it was");
  EXPECT_TRUE(cipher.open(1, 2, 3, "header", sealed, out)) << "a refusal leaves no trace";
}

// More files than it remembers the keys of, some of which share a slot.
TEST(Cipher, keeps_many_files_apart) {
  const Cipher cipher(key_of('k'));
  Random random(1);
  std::vector<std::string> sealed(100);
  for (uint64_t file = 0; file < sealed.size(); ++file)
    cipher.seal(file, file % 7, 0, "", "text of " + std::to_string(file), sealed[file]);
  for (int i = 0; i < 2'000; ++i) {
    const uint64_t file = random.below(sealed.size());
    std::string out;
    ASSERT_TRUE(cipher.open(file, file % 7, 0, "", sealed[file], out));
    ASSERT_EQ(out, "text of " + std::to_string(file));
    ASSERT_FALSE(cipher.open(file + 7, file % 7, 0, "", sealed[file], out));
  }
}

}  // namespace
}  // namespace ringside
