#include "cli/kv.h"

#include <stdio.h>

#include <optional>

#include "cli/escape.h"
#include "cli/json.h"
#include "posix/host.h"
#include "posix/tcp.h"
#include "protocols/client.h"

namespace ringside::cli {
namespace {

constexpr size_t kKeyBytesMax = 64u << 10;
constexpr size_t kValueBytesMax = 8u << 20;

int complain(int code, const std::string& line) {
  fprintf(stderr, "ringside kv: %s\n", line.c_str());
  return code;
}

// 64 bits are more than a JSON number keeps.
std::string operation_text(uint64_t operation) {
  char text[20];
  snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(operation));
  return text;
}

struct Answer {
  Result<NodeId> who = Error{Code::kTimeout, "no answer"};
  GetResult got;
  PutResult put;
  bool done = false;
};

Task<void> ask(posix::RealHost* host, KvOptions options, std::string context, Answer* answer) {
  answer->who = co_await host->meet(options.at, options.timeout);
  if (answer->who.ok()) {
    // The node that we know coordinates, or hands over to one that may: we need not know the ring.
    ClientOptions client_options;
    client_options.members = {{.id = *answer->who}};
    client_options.n = 1;
    client_options.timeout = options.timeout;
    client_options.attempt_timeout = options.timeout / 2;
    Client client(*host, client_options);
    const uint64_t operation = client.next_operation();
    if (options.verb == KvOptions::Verb::kGet) {
      answer->got = co_await client.get(options.key, operation);
    } else {
      std::optional<std::string> value;
      if (options.verb == KvOptions::Verb::kPut) value = options.value;
      answer->put = co_await client.put(options.key, context, value, operation);
    }
  }
  answer->done = true;
}

int report_failure(const KvOptions& options, Outcome outcome, const Error& error) {
  if (options.json) {
    Json json;
    json.begin_object().field("key", options.key).field("outcome", outcome_name(outcome));
    json.field("error", error.text()).end_object();
    printf("%s\n", json.str().c_str());
  }
  return complain(error.code == Code::kInvalid ? 2 : 1,
                  std::string(outcome_name(outcome)) + ": " + error.text());
}

int report_get(const KvOptions& options, const GetResult& got) {
  if (got.outcome != Outcome::kOk) return report_failure(options, got.outcome, got.error);
  const std::string context = to_hex(got.context);
  if (options.json) {
    Json json;
    json.begin_object()
        .field("key", options.key)
        .field("outcome", "ok")
        .key("siblings")
        .begin_array();
    for (const Sibling& sibling : got.siblings) {
      json.begin_object().field("value", sibling.value).field("value_hex", to_hex(sibling.value));
      json.field("operation", operation_text(sibling.operation)).end_object();
    }
    json.end_array()
        .field("context", context)
        .field("coordinator", uint64_t{got.coordinator})
        .end_object();
    printf("%s\n", json.str().c_str());
    return 0;
  }
  if (got.siblings.empty()) printf("not there\n");
  for (const Sibling& sibling : got.siblings)
    printf("value: %s\n", on_one_line(sibling.value).c_str());
  if (!context.empty()) printf("context: %s\n", context.c_str());
  return 0;
}

int report_put(const KvOptions& options, const PutResult& put) {
  if (put.outcome != Outcome::kOk) return report_failure(options, put.outcome, put.error);
  const std::string context = to_hex(put.context);
  if (options.json) {
    Json json;
    json.begin_object().field("key", options.key).field("outcome", "ok").field("context", context);
    json.field("coordinator", uint64_t{put.coordinator}).end_object();
    printf("%s\n", json.str().c_str());
  } else {
    printf("ok\ncontext: %s\n", context.c_str());
  }
  return 0;
}

}  // namespace

int run_kv(const KvOptions& options) {
  const std::optional<std::string> context = from_hex(options.context);
  if (!context.has_value())
    return complain(2, "--context is not hexadecimal as `ringside kv get` prints it");
  if (options.key.empty() || options.key.size() > kKeyBytesMax)
    return complain(2, "the key must have 1 to 65536 bytes");
  if (options.value.size() > kValueBytesMax)
    return complain(2, "the value must have at most 8388608 bytes");
  const Result<posix::HostPort> at = posix::split_address(options.at);
  if (!at.ok()) return complain(2, "--at: " + at.error().message);

  posix::Loop loop;
  Random random = posix::entropy_random();
  const auto id = static_cast<NodeId>(kFirstClient + random.below(kNoNode - kFirstClient));
  Result<std::unique_ptr<posix::RealHost>> host = posix::RealHost::open(loop, {.id = id});
  if (!host.ok()) return complain(2, host.error().message);
  Answer answer;
  (*host)->spawn(ask(host->get(), options, *context, &answer));
  while (!loop.run_until([&] { return answer.done; }, kSecond)) {
  }
  if (!answer.who.ok()) return report_failure(options, Outcome::kFailed, answer.who.error());
  return options.verb == KvOptions::Verb::kGet ? report_get(options, answer.got)
                                               : report_put(options, answer.put);
}

}  // namespace ringside::cli
