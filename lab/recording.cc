#include "lab/recording.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lab/load.h"
#include "lab/recording.pb.h"
#include "lab/text.h"
#include "runtime/bug.h"
#include "runtime/random.h"

namespace ringside::lab {
namespace {

constexpr char kMagic[8] = {'R', 'I', 'N', 'G', 'S', 'I', 'D', 'E'};
constexpr uint32_t kVersion = 1;
constexpr std::size_t kHeaderSize = 32;

void put_number(std::string& out, uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(number >> (8 * i));
}

uint64_t get_number(std::string_view bytes, std::size_t at, int count) {
  uint64_t number = 0;
  for (int i = 0; i < count; ++i) {
    number |=
        static_cast<uint64_t>(static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]))
        << (8 * i);
  }
  return number;
}

void to_message(const TVisibility& from, record::Result::Point& to) {
  to.set_t_ms(from.t_ms);
  to.set_reads(from.reads);
  to.set_consistent(from.consistent);
  to.set_predicted_percent(from.predicted_percent);
}

TVisibility from_message(const record::Result::Point& from) {
  return {from.t_ms(), from.reads(), from.consistent(), from.predicted_percent()};
}

void to_message(const RunResult& result, record::Result& out) {
  out.set_scenario(result.scenario);
  out.set_seed(result.seed);
  out.set_holds(result.holds);
  out.set_fingerprint(result.fingerprint);
  out.set_events(result.events);
  out.set_simulated_seconds(result.simulated_seconds);
  out.set_operations(result.operations);
  out.set_history_hash(result.history_hash);
  for (const Expectation& from : result.expectations) {
    auto& to = *out.add_expectation();
    to.set_name(from.name);
    to.set_holds(from.holds);
    to.set_detail(from.detail);
  }
  for (const Metric& from : result.metrics) {
    auto& to = *out.add_metric();
    to.set_name(from.name);
    to.set_value(from.value);
  }
  for (const Pooled& from : result.pooled) {
    auto& to = *out.add_pooled();
    to.set_name(from.name);
    to.set_kind(from.kind);
    to.set_published(from.published);
    to.set_tolerance(from.tolerance);
    to.set_quantile(from.quantile);
    to.set_successes(from.successes);
    to.set_trials(from.trials);
    to.set_histogram(from.histogram);
    for (const TVisibility& point : from.points) to_message(point, *to.add_point());
  }
  for (const TVisibility& from : result.t_visibility) to_message(from, *out.add_t_visibility());
  for (const Checkpoint& from : result.checkpoints) {
    auto& to = *out.add_checkpoint();
    to.set_events(from.events);
    to.set_at(from.at);
    to.set_fingerprint(from.fingerprint);
  }
  for (const std::string& line : result.faults) out.add_fault(line);
  out.set_storm(result.storm);
  for (const std::string& line : result.witnesses) out.add_witness(line);
}

RunResult from_message(const record::Result& from) {
  RunResult out;
  out.scenario = from.scenario();
  out.seed = from.seed();
  out.holds = from.holds();
  out.fingerprint = from.fingerprint();
  out.events = from.events();
  out.simulated_seconds = from.simulated_seconds();
  out.operations = from.operations();
  out.history_hash = from.history_hash();
  for (const auto& line : from.expectation())
    out.expectations.push_back({line.name(), line.holds(), line.detail()});
  for (const auto& metric : from.metric()) out.metrics.push_back({metric.name(), metric.value()});
  for (const auto& pooled : from.pooled()) {
    out.pooled.push_back({pooled.name(),
                          pooled.kind(),
                          pooled.published(),
                          pooled.tolerance(),
                          pooled.quantile(),
                          pooled.successes(),
                          pooled.trials(),
                          pooled.histogram(),
                          {}});
    for (const auto& point : pooled.point())
      out.pooled.back().points.push_back(from_message(point));
  }
  for (const auto& point : from.t_visibility()) out.t_visibility.push_back(from_message(point));
  for (const auto& point : from.checkpoint())
    out.checkpoints.push_back({point.events(), point.at(), point.fingerprint()});
  out.faults.assign(from.fault().begin(), from.fault().end());
  out.storm = from.storm();
  out.witnesses.assign(from.witness().begin(), from.witness().end());
  return out;
}

Result<void> system_error(const std::string& path, const char* what) {
  return {Code::kIo, concat(path, ": ", what, ": ", std::strerror(errno))};
}

Result<void> write_all(int file, const std::string& path, const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = ::write(file, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return system_error(path, "cannot be written");
    done += static_cast<std::size_t>(wrote);
  }
  return {};
}

}  // namespace

Result<void> write_recording(const std::string& path, const Recording& recording) {
  record::Recording message;
  message.set_scenario_file(recording.scenario_file);
  message.set_scenario_text(recording.scenario_text);
  message.set_seed(recording.seed);
  message.set_build(recording.build);
  message.set_planted_build(recording.planted_build);
  message.set_gate(recording.gate);
  message.set_finished(recording.finished);
  to_message(recording.result, *message.mutable_result());
  message.set_history(recording.result.history);
  const std::string body = message.SerializeAsString();

  std::string bytes(kMagic, sizeof kMagic);
  put_number(bytes, kVersion, 4);
  put_number(bytes, 0, 4);
  put_number(bytes, body.size(), 8);
  put_number(bytes, hash_bytes(body), 8);
  bytes += body;

  const std::string temporary = concat(path, ".tmp-", static_cast<int64_t>(getpid()));
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return system_error(path, "cannot be written");
  Result<void> done = write_all(file, path, bytes);
  if (::close(file) != 0 && done.ok()) done = system_error(path, "cannot be written");
  if (done.ok() && ::rename(temporary.c_str(), path.c_str()) != 0)
    done = system_error(path, "cannot be written");
  if (!done.ok()) ::unlink(temporary.c_str());
  return done;
}

Result<Recording> read_recording(const std::string& path) {
  Result<std::string> bytes = read_text_file(path);
  if (!bytes.ok()) return bytes.error();
  if (bytes->size() < sizeof kMagic ||
      bytes->compare(0, sizeof kMagic, kMagic, sizeof kMagic) != 0) {
    return {Code::kInvalid,
            concat(path, ": is no recording of ringside (a .run file that `ringside run` wrote)")};
  }
  if (bytes->size() < kHeaderSize)
    return {Code::kCorrupt, concat(path, ": this recording was cut short")};
  const uint64_t version = get_number(*bytes, 8, 4);
  if (version != kVersion) {
    return {Code::kInvalid, concat(path, ": this recording has format ", version,
                                   "; this program reads format ", kVersion)};
  }
  const uint64_t size = get_number(*bytes, 16, 8);
  if (bytes->size() - kHeaderSize < size) {
    return {Code::kCorrupt, concat(path, ": this recording was cut short: ",
                                   bytes->size() - kHeaderSize, " of ", size, " bytes are there")};
  }
  const std::string_view body = std::string_view(*bytes).substr(kHeaderSize);
  record::Recording message;
  if (body.size() != size || hash_bytes(body) != get_number(*bytes, 24, 8) ||
      !message.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return {Code::kCorrupt, concat(path, ": this recording is damaged: its checksum is wrong")};
  }
  Recording recording;
  recording.scenario_file = message.scenario_file();
  recording.scenario_text = message.scenario_text();
  recording.seed = message.seed();
  recording.build = message.build();
  recording.planted_build = message.planted_build();
  recording.gate = message.gate();
  recording.finished = message.finished();
  recording.result = from_message(message.result());
  recording.result.history = message.history();
  return recording;
}

std::string encode_result(const RunResult& result) {
  record::Result message;
  to_message(result, message);
  return message.SerializeAsString();
}

Result<RunResult> decode_result(const std::string& bytes) {
  record::Result message;
  if (!message.ParseFromString(bytes)) return {Code::kCorrupt, "these bytes are no result"};
  return from_message(message);
}

uint64_t build_id() {
  Result<std::string> program = read_text_file("/proc/self/exe");
  return program.ok() ? hash_bytes(*program) : 0;
}

}  // namespace ringside::lab
