// One node and six, end to end, in a simulated world: real engine, real wire, simulated network and
// disks.
#include "node/node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "node/inspect.h"
#include "protocols/client.h"
#include "protocols/membership/admin_message.h"
#include "protocols/status.h"
#include "sim/world.h"

namespace ringside {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr uint32_t kNodes = 6;
constexpr uint32_t kClients = 4;

using Script = std::function<Task<void>(Host&, Client&)>;

std::vector<std::string> values(const GetResult& result) {
  std::vector<std::string> list;
  for (const Sibling& sibling : result.siblings) list.push_back(sibling.value);
  return list;
}

sim::WorldSpec world_spec(uint64_t seed) {
  sim::WorldSpec spec;
  spec.seed = seed;
  const sim::PlaceId region = *spec.topology.add_region("east");
  std::vector<sim::PlaceId> racks;
  for (const std::string zone : {"a", "b", "c"}) {
    racks.push_back(*spec.topology.add_rack(*spec.topology.add_zone(region, zone), "rack-" + zone));
  }
  for (uint32_t i = 0; i < kNodes + kClients; ++i) {
    CHECK(spec.topology.add_machine(racks[i % 3], "m" + std::to_string(i + 1)).ok());
    sim::MachineModel model;
    model.disk = sim::DiskModel::nvme();
    spec.machines.push_back(model);
  }
  for (const auto link :
       {sim::LinkClass::kSameRack, sim::LinkClass::kSameZone, sim::LinkClass::kSameRegion}) {
    spec.topology.set_class(link, {*sim::Distribution::uniform(100 * kMicrosecond, kMillisecond)});
  }
  return spec;
}

class Cluster {
 public:
  explicit Cluster(uint64_t seed = 1, NodeOptions options = {})
      : world(world_spec(seed)), options_(std::move(options)) {
    for (NodeId id = 1; id <= kNodes; ++id) {
      options_.members.push_back({id, "m" + std::to_string(id),
                                  std::string(1, static_cast<char>('a' + (id - 1) % 3)), ""});
    }
    ring_ = Ring(options_.members, options_.ring);
    for (NodeId id = 1; id <= kNodes; ++id) {
      world.place(id, id - 1,
                  [this, id](Host& host) { return run_node(host, options_, &status[id]); });
      world.start(id);
    }
    client_options.members = options_.members;
    for (uint32_t i = 0; i < kClients; ++i) {
      world.place(kFirstClient + i, kNodes + i, [this, i](Host& host) {
        return client_program(host, client_options, scripts_[i]);
      });
    }
    world.run_until(100 * kMillisecond);
  }

  // Runs a client's script to its end, or for ten seconds.
  void run(Script script, uint32_t number = 0) {
    begin(std::move(script), number);
    const Time until = world.now() + 10 * kSecond;
    while (world.running(kFirstClient + number) && world.now() < until)
      world.run_until(world.now() + kMillisecond);
    EXPECT_FALSE(world.running(kFirstClient + number)) << "the client's script did not end";
  }
  void begin(Script script, uint32_t number = 0) {
    scripts_[number] = std::move(script);
    world.restart(kFirstClient + number);
  }

  GetResult get(std::string key, uint32_t number = 0) {
    GetResult result;
    run([&result, key, this](
            Host&, Client& client) { return get_once(client, key, ++operation_, result); },
        number);
    return result;
  }
  PutResult put(std::string key, std::string context, std::string value, uint32_t number = 0) {
    PutResult result;
    run(
        [&, this](Host&, Client& client) {
          return put_once(client, key, context, value, ++operation_, result);
        },
        number);
    return result;
  }

  std::vector<NodeId> home(std::string_view key) const {
    const auto list = ring_.preference(key);
    return {list.begin(), list.begin() + options_.dynamo.n};
  }
  // What the node's disk holds, as a fresh engine in another world reads it.
  std::map<std::string, std::vector<std::string>> on_disk(NodeId id) const {
    sim::World other(world_spec(7));
    Result<std::vector<StoredObject>> objects = Error{Code::kUnknown, "not read"};
    other.place(1, 0,
                [this, &objects](Host& host) { return read_into(host, options_.engine, objects); });
    other.set_image(1, world.image(id));
    other.start(1);
    other.run_until(10 * kSecond);
    EXPECT_TRUE(objects.ok()) << objects.error().text();
    std::map<std::string, std::vector<std::string>> found;
    if (!objects.ok()) return found;
    for (const StoredObject& object : *objects) {
      for (const StoredVersion& version : object.siblings) {
        EXPECT_TRUE(context_covers(object.context, version.dot));
        found[object.key].push_back(version.value);
      }
    }
    return found;
  }

  std::map<NodeId, NodeStatus> status;  // before the world: its nodes write here until they end
  sim::World world;
  ClientOptions client_options;

 private:
  static Task<void> client_program(Host& host, ClientOptions options, Script script) {
    Client client(host, std::move(options));
    co_await script(host, client);
  }
  static Task<void> get_once(Client& client, std::string key, uint64_t operation, GetResult& out) {
    out = co_await client.get(std::move(key), operation);
  }
  static Task<void> put_once(Client& client, std::string key, std::string context,
                             std::string value, uint64_t operation, PutResult& out) {
    out = co_await client.put(std::move(key), std::move(context), std::move(value), operation);
  }
  static Task<void> read_into(Host& host, EngineOptions options,
                              Result<std::vector<StoredObject>>& out) {
    out = co_await read_all(host, options);
  }

  NodeOptions options_;
  Ring ring_;
  std::map<uint32_t, Script> scripts_;  // of each client, what it runs next
  uint64_t operation_ = 0;
};

TEST(Node, six_of_them_keep_values_siblings_and_contexts) {
  Cluster cluster;
  const PutResult milk = cluster.put("cart", "", "milk", 0);
  EXPECT_EQ(milk.outcome, Outcome::kOk) << milk.error.text();
  cluster.put("cart", "", "bread", 1);
  const GetResult both = cluster.get("cart", 2);
  EXPECT_THAT(values(both), UnorderedElementsAre("milk", "bread"));
  EXPECT_EQ(cluster.put("cart", both.context, "milk, bread").outcome, Outcome::kOk);
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("milk, bread"));
  cluster.world.run_until(cluster.world.now() + kSecond);
  const auto home = cluster.home("cart");
  for (NodeId id = 1; id <= kNodes; ++id) {
    const bool keeps = std::find(home.begin(), home.end(), id) != home.end();
    EXPECT_EQ(cluster.on_disk(id).count("cart"), keeps ? 1u : 0u) << id;
    EXPECT_TRUE(cluster.status[id].serving);
  }
}

TEST(Node, a_crash_and_a_power_loss_of_everyone_keep_what_was_acknowledged) {
  Cluster cluster;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(cluster.put("key" + std::to_string(i), "", "value" + std::to_string(i)).outcome,
              Outcome::kOk);
  }
  const auto restart = [&](const std::function<void(NodeId)>& stop) {
    cluster.world.at(cluster.world.now(), "stop", [&] {
      for (NodeId id = 1; id <= kNodes; ++id) stop(id);
    });
    cluster.world.run_until(cluster.world.now() + kSecond);
    cluster.world.at(cluster.world.now(), "restart", [&] {
      for (NodeId id = 1; id <= kNodes; ++id) cluster.world.restart(id);
    });
    cluster.world.run_until(cluster.world.now() + kSecond);
  };
  restart([&](NodeId id) { cluster.world.crash(id); });
  restart([&](NodeId id) { cluster.world.power_loss(cluster.world.machine_of(id)); });
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(values(cluster.get("key" + std::to_string(i))),
                ElementsAre("value" + std::to_string(i)));
  }
}

TEST(Node, the_side_that_reaches_w_goes_on_through_a_partition_and_reads_repair_the_rest) {
  NodeOptions options;  // with nothing else that could repair
  options.dynamo.sloppy = false;
  options.upkeep.anti_entropy = false;
  Cluster cluster(1, options);
  const auto home = cluster.home("cart");
  const PutResult before = cluster.put("cart", "", "before");
  sim::World::WeatherId cut = 0;
  const sim::MachineId lonely = cluster.world.machine_of(home[2]);
  sim::LinkWeather spec;
  spec.from = {lonely};
  for (sim::MachineId machine = 0; machine < kNodes + kClients; ++machine) {
    if (machine != lonely) spec.to.push_back(machine);
  }
  cluster.world.at(cluster.world.now(), "cut", [&] { cut = cluster.world.begin_weather(spec); });
  EXPECT_EQ(cluster.put("cart", before.context, "during").outcome, Outcome::kOk);
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("during"));
  cluster.world.at(cluster.world.now(), "heal", [&] { cluster.world.end_weather(cut); });
  cluster.world.run_until(cluster.world.now() + kSecond);
  EXPECT_THAT(cluster.on_disk(home[2])["cart"], ElementsAre("before"));
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("during"));
  cluster.world.run_until(cluster.world.now() + kSecond);
  EXPECT_THAT(cluster.on_disk(home[2])["cart"], ElementsAre("during"));
  EXPECT_EQ(cluster.status[home[0]].dynamo.repairs + cluster.status[home[1]].dynamo.repairs, 1u);
}

// The union of carts: items are "<…>", each once.
std::string united(const GetResult& got) {
  std::set<std::string> items;
  for (const Sibling& sibling : got.siblings) {
    for (std::size_t at = 0; at < sibling.value.size();) {
      const std::size_t end = sibling.value.find('>', at) + 1;
      items.insert(sibling.value.substr(at, end - at));
      at = end;
    }
  }
  std::string cart;
  for (const std::string& item : items) cart += item;
  return cart;
}

// Reads everything it finds and writes it back with something new, for a while.
Task<void> shop(Host& host, Client& client, uint32_t number, std::vector<std::string>& acknowledged,
                Time until) {
  for (int round = 0; host.clock().now() < until; ++round) {
    const std::string key = "cart" + std::to_string(round % 5);
    const uint64_t get_id = client.next_operation();
    const GetResult got = co_await client.get(key, get_id);
    if (got.outcome != Outcome::kOk) continue;
    const std::string cart = united(got);
    const std::string item = "<" + std::to_string(number) + "." + std::to_string(round) + ">";
    const uint64_t put_id = client.next_operation();
    const PutResult put = co_await client.put(key, got.context, cart + item, put_id);
    if (put.outcome == Outcome::kOk) acknowledged.push_back(key + item);
    co_await host.clock().sleep(50 * kMillisecond);
  }
}

uint64_t storm(uint64_t seed) {
  Cluster cluster(seed);
  std::vector<std::vector<std::string>> acknowledged(kClients);
  constexpr Time end = 10 * kSecond;
  for (uint32_t i = 0; i < kClients; ++i) {
    cluster.begin(
        [i, &acknowledged](Host& host, Client& client) {
          return shop(host, client, i, acknowledged[i], end);
        },
        i);
  }
  Random random(seed);
  for (Time at = kSecond; at < end; at += kSecond / 2) {
    const auto victim = static_cast<NodeId>(1 + random.below(kNodes));
    const bool power = random.chance(0.5);
    cluster.world.at(at, "fault", [&cluster, victim, power] {
      if (power) {
        cluster.world.power_loss(cluster.world.machine_of(victim));
      } else {
        cluster.world.crash(victim);
      }
    });
    cluster.world.at(at + kSecond / 4, "restart",
                     [&cluster, victim] { cluster.world.restart(victim); });
  }
  cluster.world.run_until(end + 5 * kSecond);
  std::size_t count = 0;
  for (int key = 0; key < 5; ++key) {
    const std::string name = "cart" + std::to_string(key);
    cluster.get(name);
    cluster.world.run_until(cluster.world.now() + kSecond);
    const std::string cart = united(cluster.get(name));
    for (const auto& list : acknowledged) {
      for (const std::string& item : list) {
        if (item.compare(0, name.size(), name) != 0) continue;
        ++count;
        EXPECT_NE(cart.find(item.substr(name.size())), std::string::npos)
            << "seed " << seed << " lost " << item;
      }
    }
    const auto home = cluster.home(name);
    const auto first = cluster.on_disk(home[0])[name];
    EXPECT_EQ(cluster.on_disk(home[1])[name], first);
    EXPECT_EQ(cluster.on_disk(home[2])[name], first);
  }
  EXPECT_GT(count, 50u);
  return cluster.world.fingerprint();
}

TEST(Node, a_storm_of_crashes_and_power_losses_loses_nothing_and_replays_alike) {
  std::set<uint64_t> fingerprints;
  for (uint64_t seed = 1; seed <= 5; ++seed) fingerprints.insert(storm(seed));
  EXPECT_EQ(fingerprints.size(), 5u);
  EXPECT_EQ(fingerprints.count(storm(3)), 1u);
}

TEST(Node, nodes_that_know_a_seed_find_each_other_and_remember_it) {
  std::map<NodeId, NodeStatus> status;
  PutResult put;
  sim::World world(world_spec(1));
  for (NodeId id = 1; id <= 3; ++id) {
    NodeOptions options;
    options.members = {Member{id, "m" + std::to_string(id), "", ""}};
    if (id > 1) options.seeds = {1};
    world.place(id, id - 1, [options, &status, id](Host& host) {
      return run_node(host, options, &status[id]);
    });
    world.at(id * kSecond, "start", [&world, id] { world.start(id); });
  }
  world.run_until(10 * kSecond);
  for (NodeId id = 1; id <= 3; ++id) EXPECT_EQ(status[id].members, 3u) << id;
  world.at(10 * kSecond, "crash", [&world] { world.crash(1); });
  world.at(11 * kSecond, "restart", [&world] { world.restart(1); });
  world.run_until(20 * kSecond);
  EXPECT_EQ(status[1].members, 3u) << "it names no seed: its engine remembers";

  ClientOptions client_options;
  client_options.members = {Member{2, "", "", ""}};
  world.place(kFirstClient, kNodes, [&](Host& host) -> Task<void> {
    return [](Host& at, ClientOptions options, PutResult& out) -> Task<void> {
      Client client(at, std::move(options));
      out = co_await client.put("cart", "", "milk", 1);
    }(host, client_options, put);
  });
  world.start(kFirstClient);
  world.run_until(25 * kSecond);
  EXPECT_EQ(put.outcome, Outcome::kOk);
}

Task<void> ask_status(Host& host, NodeId at, AdminOrder order, std::vector<StatusSection>& out) {
  Rpc rpc(host);
  {
    Fanout fanout(rpc, at);
    const Time deadline = host.clock().now() + 5 * kSecond;
    fanout.send(Kind::kAdminRequest, 0, deadline, order.encode());
    co_await fanout.wait(1, deadline);
    AdminAnswer answer;
    EXPECT_TRUE(answer.parse(fanout[0].body()));
    EXPECT_TRUE(answer.accepted) << answer.text;
  }
  co_await host.clock().sleep(30 * kSecond);
  Fanout fanout(rpc, at);
  const Time deadline = host.clock().now() + 5 * kSecond;
  fanout.send(Kind::kStatusRequest, 0, deadline, encode_empty());
  co_await fanout.wait(1, deadline);
  EXPECT_TRUE(parse_status(fanout[0].body(), out));
}

TEST(Node, says_who_is_a_member_what_was_decided_and_when) {
  Cluster cluster;
  std::vector<StatusSection> told;
  AdminOrder order;
  order.verb = AdminOrder::Verb::kLeave;
  order.id = 6;
  cluster.begin([&](Host& host, Client&) { return ask_status(host, 2, order, told); });
  cluster.world.run_until(cluster.world.now() + 40 * kSecond);
  std::map<std::string, StatusSection> sections;
  for (const StatusSection& section : told) sections[section.name] = section;
  EXPECT_EQ(sections["ring"].find("members"), "5");
  EXPECT_EQ(sections["member/6"].find("seat"), "gone");
  EXPECT_EQ(sections["member/3"].find("seat"), "member");
  EXPECT_EQ(sections["member/3"].find("suspected"), "0");
  EXPECT_NE(sections["member/3"].find("latency_us"), "0");
  uint64_t share = 0;
  for (const auto& [name, section] : sections) {
    const std::string_view of = section.find("share_thousandths");
    if (!of.empty()) share += std::stoull(std::string(of));
  }
  EXPECT_NEAR(static_cast<double>(share), 1'000, 6);
  ASSERT_FALSE(sections["history"].rows.empty());
  EXPECT_NE(sections["history"].rows.front().second.find("leaving proposed"), std::string::npos);
  EXPECT_NE(sections["history"].rows.back().second.find("gone done"), std::string::npos);
  EXPECT_EQ(cluster.status[6].takes_part, false);
  EXPECT_EQ(cluster.status[1].members, 5u);
}

}  // namespace
}  // namespace ringside
