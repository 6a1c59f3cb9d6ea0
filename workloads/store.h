// Store: what a workload needs of a database: Dynamo's own get and put. ClientStore hands both to
// the client library; tests have stores of their own. The workload asks for an operation's id
// first, because values carry it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "protocols/client.h"

namespace ringside {

class Store {
 public:
  virtual ~Store() = default;

  virtual NodeId self() const = 0;
  virtual uint64_t next_operation() = 0;  // never 0, unique among all clients
  virtual Task<GetResult> get(std::string key, uint64_t operation) = 0;
  // No value: a delete. From `expires` on (wall clock; 0: never) it counts as deleted.
  virtual Task<PutResult> put(std::string key, std::string context,
                              std::optional<std::string> value, uint64_t operation,
                              Time expires) = 0;
};

class ClientStore final : public Store {
 public:
  // Keeps references to both.
  ClientStore(Host& host, Client& client) : host_(host), client_(client) {}

  NodeId self() const override { return host_.network().self(); }
  uint64_t next_operation() override { return client_.next_operation(); }
  Task<GetResult> get(std::string key, uint64_t operation) override {
    return client_.get(std::move(key), operation);
  }
  Task<PutResult> put(std::string key, std::string context, std::optional<std::string> value,
                      uint64_t operation, Time expires) override {
    return client_.put(std::move(key), std::move(context), std::move(value), operation, expires);
  }

 private:
  Host& host_;
  Client& client_;
};

}  // namespace ringside
