#include "sim/disk_model.h"

#include <string>
#include <utility>
#include <vector>

namespace ringside::sim {
namespace {

// Presets are tables of quantiles: cheap to draw, and their tails end.
Distribution quantiles(std::vector<Distribution::Quantile> points) {
  return std::move(Distribution::table(std::move(points))).value();
}

constexpr double kUs = 1e3;
constexpr double kMs = 1e6;

}  // namespace

DiskStalls DiskStalls::nvme() {
  return {.bytes_between = uint64_t{1} << 30,
          .between = *Distribution::exponential(30e9),
          .length = quantiles(
              {{0, 0.5 * kMs}, {0.5, 2 * kMs}, {0.9, 8 * kMs}, {0.99, 20 * kMs}, {1, 60 * kMs}})};
}

DiskStalls DiskStalls::ssd() {
  return {.bytes_between = uint64_t{256} << 20,
          .between = *Distribution::exponential(20e9),
          .length = quantiles(
              {{0, 5 * kMs}, {0.5, 20 * kMs}, {0.9, 80 * kMs}, {0.99, 200 * kMs}, {1, 500 * kMs}})};
}

DiskModel DiskModel::nvme() {
  DiskModel model;
  model.read = quantiles({{0, 55 * kUs},
                          {0.5, 75 * kUs},
                          {0.9, 95 * kUs},
                          {0.99, 160 * kUs},
                          {0.999, 0.6 * kMs},
                          {1, 2 * kMs}});
  model.write = quantiles({{0, 4 * kUs},
                           {0.5, 8 * kUs},
                           {0.9, 14 * kUs},
                           {0.99, 40 * kUs},
                           {0.999, 0.2 * kMs},
                           {1, 1 * kMs}});
  model.sync = quantiles({{0, 40 * kUs},
                          {0.5, 120 * kUs},
                          {0.9, 190 * kUs},
                          {0.99, 0.6 * kMs},
                          {0.999, 2 * kMs},
                          {1, 6 * kMs}});
  model.metadata =
      quantiles({{0, 3 * kUs}, {0.5, 8 * kUs}, {0.9, 20 * kUs}, {0.99, 60 * kUs}, {1, 0.5 * kMs}});
  model.queue_depth = 64;
  model.bandwidth_bytes_per_second = 2'000'000'000;
  return model;
}

DiskModel DiskModel::ssd() {
  DiskModel model;
  model.read = quantiles({{0, 80 * kUs},
                          {0.5, 130 * kUs},
                          {0.9, 220 * kUs},
                          {0.99, 0.7 * kMs},
                          {0.999, 3 * kMs},
                          {1, 12 * kMs}});
  model.write = quantiles({{0, 5 * kUs},
                           {0.5, 12 * kUs},
                           {0.9, 30 * kUs},
                           {0.99, 0.1 * kMs},
                           {0.999, 1 * kMs},
                           {1, 5 * kMs}});
  model.sync = quantiles({{0, 0.25 * kMs},
                          {0.5, 0.6 * kMs},
                          {0.9, 1.5 * kMs},
                          {0.99, 5 * kMs},
                          {0.999, 15 * kMs},
                          {1, 40 * kMs}});
  model.metadata =
      quantiles({{0, 4 * kUs}, {0.5, 10 * kUs}, {0.9, 30 * kUs}, {0.99, 0.2 * kMs}, {1, 2 * kMs}});
  model.queue_depth = 32;
  model.bandwidth_bytes_per_second = 500'000'000;
  return model;
}

// A seek and half a turn at 7,200 revolutions a minute; one arm.
DiskModel DiskModel::hdd() {
  DiskModel model;
  model.read = quantiles({{0, 0.5 * kMs},
                          {0.5, 9 * kMs},
                          {0.9, 15 * kMs},
                          {0.99, 22 * kMs},
                          {0.999, 60 * kMs},
                          {1, 150 * kMs}});
  model.write = quantiles({{0, 5 * kUs},
                           {0.5, 15 * kUs},
                           {0.9, 40 * kUs},
                           {0.99, 0.5 * kMs},
                           {0.999, 10 * kMs},
                           {1, 50 * kMs}});
  model.sync = quantiles({{0, 4 * kMs},
                          {0.5, 14 * kMs},
                          {0.9, 25 * kMs},
                          {0.99, 45 * kMs},
                          {0.999, 100 * kMs},
                          {1, 250 * kMs}});
  model.metadata =
      quantiles({{0, 5 * kUs}, {0.5, 15 * kUs}, {0.9, 0.1 * kMs}, {0.99, 8 * kMs}, {1, 30 * kMs}});
  model.queue_depth = 1;
  model.bandwidth_bytes_per_second = 160'000'000;
  return model;
}

Result<DiskModel> DiskModel::named(std::string_view kind) {
  if (kind == "NVME") return nvme();
  if (kind == "SSD") return ssd();
  if (kind == "HDD") return hdd();
  if (kind == "FREE") return free();
  return Error{Code::kInvalid, "no disk is of kind \"" + std::string(kind) +
                                   "\"; there are NVME, SSD, HDD and FREE"};
}

}  // namespace ringside::sim
