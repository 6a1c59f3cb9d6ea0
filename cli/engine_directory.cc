#include "cli/engine_directory.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "lab/text.h"
#include "storage/inspect.h"

namespace ringside::cli {
namespace {

namespace fs = std::filesystem;
using lab::concat;

constexpr const char* kShownAs = "data";  // to the engine; as `serve` calls it
constexpr std::size_t kKeyBytes = 32;

Error bad_directory(const std::string& path, const std::string& what) {
  return Error{Code::kInvalid, concat(path, ": ", what)};
}

bool holds_engine(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path / "manifest", ignored) || fs::is_directory(path / "log", ignored);
}

// What to say of a directory that is neither a node's nor an engine's.
std::string advice(const fs::path& path) {
  std::string nodes;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(path, ignored)) {
    if (!fs::exists(entry.path() / "RINGSIDE", ignored)) continue;
    if (nodes.empty() || entry.path().filename().string() < nodes) nodes = entry.path().filename();
  }
  return nodes.empty()
             ? "holds neither a node's data nor an engine's"
             : concat("holds several nodes' data; name one, as in ", (path / nodes).string());
}

Result<std::string> read_key(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  if (file) bytes << file.rdbuf();
  if (!file) return bad_directory(path, "the key cannot be read");
  if (bytes.str().size() != kKeyBytes) {
    return bad_directory(
        path, concat("a key has ", kKeyBytes, " bytes, and this file has ", bytes.str().size()));
  }
  return bytes.str();
}

}  // namespace

Result<std::unique_ptr<EngineDirectory>> EngineDirectory::open(const std::string& path,
                                                               const std::string& key_file) {
  std::unique_ptr<EngineDirectory> opened(new EngineDirectory);
  std::error_code failed;
  const fs::path real = fs::canonical(path, failed);
  if (failed) return bad_directory(path, failed.message());
  if (!fs::is_directory(real, failed)) return bad_directory(path, "not a directory");
  // The engine's own directory within a node's has that node's lock.
  const bool inside = real.parent_path().filename() == "files" &&
                      fs::exists(real.parent_path().parent_path() / "RINGSIDE", failed);
  const fs::path node = inside ? real.parent_path().parent_path() : real;
  Result<posix::DataDirectory> lock = posix::DataDirectory::open_to_read(node);
  if (!lock.ok() && lock.code() != Code::kNotFound) return lock.error();
  if (lock.ok()) {
    opened->owner_ = lock->owner();
    opened->lock_ = *std::move(lock);
    opened->files_ = inside ? real : node / "files" / kShownAs;
    if (!holds_engine(opened->files_))
      return bad_directory(path, "no engine has been here yet: there is no files/data in it");
  } else {
    opened->files_ = real;
    if (!holds_engine(real)) return bad_directory(path, advice(real));
  }
  Result<std::string> key = read_key(key_file);
  if (!key.ok()) return key.error();
  opened->options_ = options_to_read(kShownAs, *key);
  posix::HostOptions options;
  options.id = 1;
  options.overlay_directory = opened->files_;
  options.overlay_as = kShownAs;
  Result<std::unique_ptr<posix::RealHost>> host = posix::RealHost::open(opened->loop_, options);
  if (!host.ok()) return host.error();
  opened->host_ = *std::move(host);
  opened->host_->on_abort(
      [directory = opened.get()](std::string_view why) { directory->gave_up_ = why; });
  return opened;
}

std::string EngineDirectory::shown(const std::string& message) const {
  const std::string_view prefix = kShownAs;
  const bool of_a_path = message.starts_with(prefix) && message.size() > prefix.size() &&
                         (message[prefix.size()] == '/' || message[prefix.size()] == ' ');
  return of_a_path ? files_ + message.substr(prefix.size()) : message;
}

void EngineDirectory::wait(const std::function<bool()>& done) {
  while (!loop_.run_until([&] { return done() || host_->aborted(); }, kSecond)) {
  }
}

}  // namespace ringside::cli
