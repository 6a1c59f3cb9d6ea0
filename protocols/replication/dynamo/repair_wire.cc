#include "protocols/replication/dynamo/repair_wire.h"

#include "protocols/flat.h"

namespace ringside {
namespace {

Buffer repair_message(std::size_t body_size) { return Buffer::with_size(kHeaderBytes + body_size); }

// Messages of a range and one packed field.
Buffer encode_in_range(std::string_view begin, std::string_view end, std::string_view rows) {
  Buffer message = repair_message(flat::bytes_field_size(begin) + flat::bytes_field_size(end) +
                                  flat::bytes_field_size(rows));
  char* out = message.mutable_data() + kHeaderBytes;
  out = flat::put_bytes_field(out, 1, begin);
  out = flat::put_bytes_field(out, 2, end);
  flat::put_bytes_field(out, 3, rows);
  return message;
}

bool parse_in_range(std::string_view body, std::string_view& begin, std::string_view& end,
                    std::string_view& rows) {
  flat::Reader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: begin = reader.bytes(); break;
      case 2: end = reader.bytes(); break;
      case 3: rows = reader.bytes(); break;
      default: break;
    }
  }
  return reader.ok();
}

// The only field of a message that is one packed field.
bool parse_packed(std::string_view body, std::string_view& values) {
  flat::Reader reader(body);
  while (reader.next()) {
    if (reader.field() == 1) values = reader.bytes();
  }
  return reader.ok();
}

Buffer encode_packed(std::string_view values) {
  Buffer message = repair_message(flat::bytes_field_size(values));
  flat::put_bytes_field(message.mutable_data() + kHeaderBytes, 1, values);
  return message;
}

// A message within a message.
std::size_t nested_size(std::size_t size) { return 1 + flat::varint_size(size) + size; }
char* put_nested(char* out, uint32_t field, std::size_t size) {
  *out++ = static_cast<char>(field << 3 | 2);
  return flat::put_varint(out, size);
}

std::size_t row_size(const RowsReply::Row& row) {
  return flat::bytes_field_size(row.key) + flat::bytes_field_size(row.object);
}
std::size_t row_size(const ReapRequest::Row& row) {
  return flat::bytes_field_size(row.key) + flat::number_field_size(row.object);
}

}  // namespace

Buffer TreeRequest::encode() const {
  Buffer message = repair_message(flat::bytes_field_size(begin) + flat::bytes_field_size(end) +
                                  flat::number_field_size(depth) + flat::number_field_size(levels) +
                                  flat::bytes_field_size(nodes));
  char* out = message.mutable_data() + kHeaderBytes;
  out = flat::put_bytes_field(out, 1, begin);
  out = flat::put_bytes_field(out, 2, end);
  out = flat::put_number_field(out, 3, depth);
  out = flat::put_number_field(out, 4, levels);
  flat::put_bytes_field(out, 5, nodes);
  return message;
}

bool TreeRequest::parse(std::string_view body) {
  flat::Reader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: begin = reader.bytes(); break;
      case 2: end = reader.bytes(); break;
      case 3: depth = static_cast<uint32_t>(reader.number()); break;
      case 4: levels = static_cast<uint32_t>(reader.number()); break;
      case 5: nodes = reader.bytes(); break;
      default: break;
    }
  }
  return reader.ok() && PackedView<uint32_t>(nodes).whole();
}

Buffer TreeReply::encode() const { return encode_packed(hashes); }
bool TreeReply::parse(std::string_view body) {
  return parse_packed(body, hashes) && hashes.size() % 16 == 0;
}

Buffer LeafRequest::encode() const { return encode_in_range(begin, end, rows); }
bool LeafRequest::parse(std::string_view body) {
  return parse_in_range(body, begin, end, rows) && rows.size() % 16 == 0;
}

Buffer LeafReply::encode() const {
  Buffer message = repair_message(flat::bytes_field_size(wanted) + flat::bytes_field_size(theirs));
  char* out = flat::put_bytes_field(message.mutable_data() + kHeaderBytes, 1, wanted);
  flat::put_bytes_field(out, 2, theirs);
  return message;
}

bool LeafReply::parse(std::string_view body) {
  flat::Reader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: wanted = reader.bytes(); break;
      case 2: theirs = reader.bytes(); break;
      default: break;
    }
  }
  return reader.ok() && PackedView<uint64_t>(wanted).whole() &&
         PackedView<uint64_t>(theirs).whole();
}

Buffer RowsRequest::encode() const { return encode_in_range(begin, end, rows); }
bool RowsRequest::parse(std::string_view body) {
  return parse_in_range(body, begin, end, rows) && PackedView<uint64_t>(rows).whole();
}

Buffer RowsReply::encode() const {
  std::size_t size = 0;
  for (const Row& row : rows) size += nested_size(row_size(row));
  Buffer message = repair_message(size);
  char* out = message.mutable_data() + kHeaderBytes;
  for (const Row& row : rows) {
    out = put_nested(out, 1, row_size(row));
    out = flat::put_bytes_field(out, 1, row.key);
    out = flat::put_bytes_field(out, 2, row.object);
  }
  return message;
}

bool RowsReply::parse(std::string_view body) {
  flat::Reader reader(body);
  while (reader.next()) {
    if (reader.field() != 1) continue;
    flat::Reader inner(reader.bytes());
    Row row;
    while (inner.next()) {
      switch (inner.field()) {
        case 1: row.key = inner.bytes(); break;
        case 2: row.object = inner.bytes(); break;
        default: break;
      }
    }
    if (!inner.ok()) return false;
    rows.push_back(row);
  }
  return reader.ok();
}

Buffer ReapRequest::encode() const {
  std::size_t size = flat::number_field_size(begin) + flat::number_field_size(end) +
                     flat::bytes_field_size(homes) + flat::number_field_size(remove);
  for (const Row& row : rows) size += nested_size(row_size(row));
  Buffer message = repair_message(size);
  char* out = message.mutable_data() + kHeaderBytes;
  out = flat::put_number_field(out, 1, begin);
  out = flat::put_number_field(out, 2, end);
  out = flat::put_bytes_field(out, 3, homes);
  out = flat::put_number_field(out, 4, remove);
  for (const Row& row : rows) {
    out = put_nested(out, 5, row_size(row));
    out = flat::put_bytes_field(out, 1, row.key);
    out = flat::put_number_field(out, 2, row.object);
  }
  return message;
}

bool ReapRequest::parse(std::string_view body) {
  flat::Reader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: begin = reader.number(); break;
      case 2: end = reader.number(); break;
      case 3: homes = reader.bytes(); break;
      case 4: remove = reader.number() != 0; break;
      case 5: {
        flat::Reader inner(reader.bytes());
        Row row;
        while (inner.next()) {
          switch (inner.field()) {
            case 1: row.key = inner.bytes(); break;
            case 2: row.object = inner.number(); break;
            default: break;
          }
        }
        if (!inner.ok()) return false;
        rows.push_back(row);
        break;
      }
      default: break;
    }
  }
  return reader.ok() && PackedView<uint32_t>(homes).whole();
}

Buffer ReapReply::encode() const { return encode_packed(same); }
bool ReapReply::parse(std::string_view body) {
  return parse_packed(body, same) && PackedView<uint32_t>(same).whole();
}

}  // namespace ringside
