#include <algorithm>

#include "workloads/kinds.h"
#include "workloads/value.h"

namespace ringside {

std::string cart_key(uint32_t number) { return "cart-" + std::to_string(number); }

namespace {

constexpr std::size_t kItemsMax = 100;  // a fuller cart is emptied again

struct Carts {
  Host& host;
  const CartSpec& spec;
  Pacer pacer;
  std::vector<Key> keys;
};

// "Add to cart" is never turned away: a customer whose cart cannot be read gets a cart with one
// item, and a later read merges the two.
Task<void> change(Session& session, const Key& key, bool adds, uint64_t draw, Duration late) {
  Reading cart = co_await session.get(key, late);
  if (cart.outcome != Outcome::kOk) cart = Reading();
  if (cart.items.size() >= kItemsMax) adds = false;
  if (!adds && cart.items.empty()) co_return;

  Writing writing;
  writing.id = session.next_operation();
  if (adds) {
    writing.action = Action::kAdd;
    writing.item = writing.id;
    cart.items.insert(std::upper_bound(cart.items.begin(), cart.items.end(), writing.item),
                      writing.item);
  } else {
    const auto removed = cart.items.begin() + static_cast<std::ptrdiff_t>(draw % cart.items.size());
    writing.action = Action::kRemove;
    writing.item = *removed;
    cart.items.erase(removed);
  }
  writing.value = make_cart(writing.id, cart.items);
  writing.context = std::move(cart.context);
  writing.covered = std::move(cart.ids);
  co_await session.put(key, std::move(writing));
}

Task<void> client(Carts& all, Session& session, uint64_t seed) {
  Random random(seed);
  bool first = true;
  while (const std::optional<Turn> turn = all.pacer.next(std::exchange(first, false))) {
    const Key& key = all.keys[random.below(all.keys.size())];
    const double choice = random.uniform();
    const uint64_t draw = random.next();
    const bool adds = choice < all.spec.adds;
    const bool changes = choice < all.spec.adds + all.spec.removes;
    if (turn->due > all.host.clock().now()) co_await all.host.clock().sleep_until(turn->due);
    const Duration late = all.pacer.late(*turn);
    if (all.pacer.over()) {
      session.skip(key, OperationKind::kGet, late);
    } else if (changes) {
      co_await change(session, key, adds, draw, late);
    } else {
      co_await session.get(key, late);
    }
  }
}

}  // namespace

Task<void> run_cart(Host& host, Store& store, const WorkloadSpec& spec, HistorySink& sink) {
  const auto& what = std::get<CartSpec>(spec.what);
  Carts all{host, what, Pacer(host, spec), {}};
  for (uint32_t i = 0; i < what.carts; ++i) {
    std::string name = cart_key(i);
    const KeyIndex index = sink.intern(name);
    all.keys.push_back({std::move(name), index});
  }
  std::vector<Session> sessions;
  for (uint32_t i = 0; i < spec.clients; ++i) {
    sessions.emplace_back(store, sink, Content::kCart);
  }
  Random& seeds = host.random("workload.clients");
  Scope scope(host.ready());
  for (Session& session : sessions) scope.spawn(client(all, session, seeds.next()));
  co_await scope.join();
}

}  // namespace ringside
