#include "posix/framing.h"

#include <gtest/gtest.h>

#include "runtime/random.h"

namespace ringside::posix {
namespace {

std::string stream_of(const Message& message) {
  const Header header = encode_header(message);
  return std::string(header.data(), header.size()) + std::string(message.body.view());
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}

// Feeds `bytes` in pieces of at most `piece` and collects what comes out.
FrameDecoder::Outcome feed(FrameDecoder& decoder, std::string_view bytes, size_t piece,
                           std::vector<Message>& out) {
  while (!bytes.empty()) {
    const std::span<char> space = decoder.space();
    const size_t taken = std::min({piece, space.size(), bytes.size()});
    std::copy_n(bytes.data(), taken, space.data());
    bytes.remove_prefix(taken);
    decoder.arrived(taken);
    Message message;
    FrameDecoder::Outcome outcome;
    while ((outcome = decoder.next(message)) == FrameDecoder::Outcome::kMessage)
      out.push_back(std::move(message));
    if (outcome == FrameDecoder::Outcome::kBroken) return outcome;
  }
  return FrameDecoder::Outcome::kNeedMore;
}

TEST(Framing, the_format_is_this) {
  const Message frame{MessageType::kFrame, 7, 0x0102, 0x1122334455667788, Buffer::copy_of("ab")};
  EXPECT_EQ(hex(stream_of(frame)),
            "52534631"
            "02000000"
            "07000000"
            "0201"
            "0000"
            "8877665544332211"
            "6162");
  const Message hello{MessageType::kHello, 7, 0, 0, encode_hello({9, "h:1"})};
  EXPECT_EQ(hex(stream_of(hello)),
            "52534631"
            "09000000"
            "07000000"
            "0000"
            "0100"
            "0000000000000000"
            "09000000"
            "0300"
            "683a31");
}

TEST(Framing, messages_come_out_as_they_went_in_however_the_stream_is_cut) {
  Random random(1);
  for (const size_t piece :
       {size_t{1}, size_t{7}, size_t{24}, size_t{1'000}, size_t{16'384}, size_t{1} << 20}) {
    std::string stream;
    std::vector<Message> sent, received;
    for (int i = 0; i < 40; ++i) {
      const size_t limit = i % 10 == 0 ? 100'000 : 300;
      std::string body(random.below(limit), static_cast<char>('a' + i % 26));
      sent.push_back({MessageType::kFrame, 3, static_cast<FrameKind>(i), random.next(),
                      Buffer::copy_of(body)});
      stream += stream_of(sent.back());
    }
    FrameDecoder decoder;
    decoder.allow_frames();
    EXPECT_EQ(feed(decoder, stream, piece, received), FrameDecoder::Outcome::kNeedMore);
    ASSERT_EQ(received.size(), sent.size());
    for (size_t i = 0; i < sent.size(); ++i) {
      EXPECT_EQ(received[i].kind, sent[i].kind);
      EXPECT_EQ(received[i].operation, sent[i].operation);
      EXPECT_EQ(received[i].body.view(), sent[i].body.view());
    }
    EXPECT_EQ(decoder.partial_bytes(), 0u);
  }
}

TEST(Framing, a_stranger_cannot_make_it_take_memory) {
  std::vector<Message> out;
  Message frame{MessageType::kFrame, 3, 1, 1, Buffer()};
  std::string header = stream_of(frame);
  FrameDecoder before_hello;
  EXPECT_EQ(feed(before_hello, header, 100, out), FrameDecoder::Outcome::kBroken)
      << "a frame before the hello";
  for (const uint32_t length : {uint32_t{kFrameBytesMax} + 1, 0x7fffffffu, 0xffffffffu}) {
    header.replace(4, 4, reinterpret_cast<const char*>(&length), 4);
    FrameDecoder decoder;
    decoder.allow_frames();
    EXPECT_EQ(feed(decoder, header, 100, out), FrameDecoder::Outcome::kBroken) << length;
    EXPECT_EQ(feed(decoder, "more", 100, out), FrameDecoder::Outcome::kBroken) << "broken for good";
    EXPECT_EQ(decoder.partial_bytes(), 0u);
  }
  std::string hello =
      stream_of({MessageType::kHello, 3, 0, 0, Buffer::with_size(kHelloBytesMax + 1)});
  FrameDecoder decoder;
  EXPECT_EQ(feed(decoder, hello, 10'000, out), FrameDecoder::Outcome::kBroken)
      << "a hello that is too long";
  EXPECT_TRUE(out.empty());
}

TEST(Framing, damaged_streams_break_the_decoder_or_yield_whole_messages) {
  Random random(7);
  std::string good;
  for (int i = 0; i < 20; ++i) {
    good += stream_of(
        {MessageType::kFrame, 3, 1, 1, Buffer::copy_of(std::string(random.below(200), 'x'))});
  }
  int broken = 0;
  for (int round = 0; round < 2'000; ++round) {
    std::string bad = good;
    const uint64_t at = random.below(bad.size());
    bad[at] = static_cast<char>(bad[at] ^ static_cast<char>(1 + random.below(255)));
    FrameDecoder decoder;
    decoder.allow_frames();
    std::vector<Message> out;
    broken += feed(decoder, bad, 1 + random.below(500), out) == FrameDecoder::Outcome::kBroken;
    for (const Message& message : out) EXPECT_LE(message.body.size(), good.size());
  }
  EXPECT_GT(broken, 100);
}

TEST(Framing, hellos_that_are_cut_too_long_or_not_printable_are_refused) {
  const Buffer good = encode_hello({4, "127.0.0.1:7001"});
  ASSERT_TRUE(decode_hello(good.view()).has_value());
  EXPECT_EQ(decode_hello(good.view())->to, 4u);
  EXPECT_EQ(decode_hello(good.view())->address, "127.0.0.1:7001");
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(decode_hello(good.view().substr(0, size)));
  EXPECT_FALSE(decode_hello(std::string(good.view()) + "x"));
  EXPECT_FALSE(decode_hello(encode_hello({4, "a b"}).view()));
  EXPECT_FALSE(decode_hello(encode_hello({4, "a\n"}).view()));
}

}  // namespace
}  // namespace ringside::posix
