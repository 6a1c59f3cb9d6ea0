#include "protocols/replication/dynamo/transfer_message.h"

#include "protocols/flat.h"
#include "protocols/keys.h"

namespace ringside {
namespace {

constexpr std::string_view kTransferRow = "transfer/";
constexpr std::size_t kTransferValueBytes = 25;

std::size_t row_size(const PageRow& row) {
  return flat::bytes_field_size(row.key) + flat::bytes_field_size(row.object) +
         flat::number_field_size(row.digest);
}

bool parse_row(std::string_view bytes, PageRow& row) {
  flat::Reader reader(bytes);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: row.key = reader.bytes(); break;
      case 2: row.object = reader.bytes(); break;
      case 3: row.digest = reader.number(); break;
      default: break;
    }
  }
  return reader.ok() && !row.key.empty() && row.key.size() <= kKeyBytesMax;
}

}  // namespace

Buffer RangeRequest::encode() const {
  return message_with(flat::number(1, range.begin), flat::number(2, range.end),
                      flat::number(3, ticket));
}

bool RangeRequest::parse(std::string_view body) {
  flat::Reader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: range.begin = reader.number(); break;
      case 2: range.end = reader.number(); break;
      case 3: ticket = reader.number(); break;
      default: break;
    }
  }
  return reader.ok() && (range.end == 0 || range.begin < range.end);
}

Buffer RangeReply::encode() const {
  return message_with(flat::number(1, held), flat::number(2, whole), flat::number(3, keys),
                      flat::number(4, bytes));
}

bool RangeReply::parse(std::string_view body) {
  flat::Reader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: held = reader.number() != 0; break;
      case 2: whole = reader.number() != 0; break;
      case 3: keys = reader.number(); break;
      case 4: bytes = reader.number(); break;
      default: break;
    }
  }
  return reader.ok();
}

Buffer PageRequest::encode() const {
  return message_with(flat::number(1, range.begin), flat::number(2, range.end),
                      flat::number(3, ticket), flat::bytes(4, after), flat::number(5, bytes_max),
                      flat::number(6, digests), flat::number(7, even_partial));
}

bool PageRequest::parse(std::string_view body) {
  flat::Reader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: range.begin = reader.number(); break;
      case 2: range.end = reader.number(); break;
      case 3: ticket = reader.number(); break;
      case 4: after = reader.bytes(); break;
      case 5: bytes_max = reader.number(); break;
      case 6: digests = reader.number() != 0; break;
      case 7: even_partial = reader.number() != 0; break;
      default: break;
    }
  }
  return reader.ok() && (range.end == 0 || range.begin < range.end) && after.size() <= kKeyBytesMax;
}

Buffer PageReply::encode() const {
  std::size_t size = flat::number_field_size(last);
  for (const PageRow& row : rows) {
    const std::size_t bytes = row_size(row);
    size += 1 + flat::varint_size(bytes) + bytes;
  }
  Buffer message = Buffer::with_size(kHeaderBytes + size);
  char* out = message.mutable_data() + kHeaderBytes;
  for (const PageRow& row : rows) {
    *out++ = static_cast<char>(1 << 3 | 2);
    out = flat::put_varint(out, row_size(row));
    out = flat::put_bytes_field(out, 1, row.key);
    out = flat::put_bytes_field(out, 2, row.object);
    out = flat::put_number_field(out, 3, row.digest);
  }
  flat::put_number_field(out, 2, last);
  return message;
}

bool PageReply::parse(std::string_view body) {
  flat::Reader reader(body);
  while (reader.next()) {
    PageRow row;
    switch (reader.field()) {
      case 1:
        if (!parse_row(reader.bytes(), row)) return false;
        rows.push_back(row);
        break;
      case 2: last = reader.number() != 0; break;
      default: break;
    }
  }
  return reader.ok();
}

std::string TransferMark::rows_begin(uint64_t begin) {
  std::string row(1, kOwnRow);
  row += kTransferRow;
  row.resize(row.size() + 8);
  put_big_endian(begin, row.data() + row.size() - 8);
  return row;
}

std::string TransferMark::row() const {
  std::string row = rows_begin(range.begin);
  for (int shift = 24; shift >= 0; shift -= 8) row += static_cast<char>(source >> shift & 0xff);
  return row;
}

std::string TransferMark::value() const {
  std::string value(kTransferValueBytes, '\0');
  put_big_endian(range.end, value.data());
  put_big_endian(ticket, value.data() + 8);
  put_big_endian(tablets, value.data() + 16);
  value[24] = done ? 1 : 0;
  return value + after;
}

bool TransferMark::parse(std::string_view row, std::string_view value) {
  const std::size_t name = 1 + kTransferRow.size();
  if (row.size() != name + 12 || value.size() < kTransferValueBytes) return false;
  range = {get_big_endian(row.data() + name), get_big_endian(value.data())};
  source = 0;
  for (const char byte : row.substr(name + 8)) {
    source = source << 8 | static_cast<unsigned char>(byte);
  }
  ticket = get_big_endian(value.data() + 8);
  tablets = get_big_endian(value.data() + 16);
  done = value[24] != 0;
  after = value.substr(kTransferValueBytes);
  return true;
}

}  // namespace ringside
