// EngineDirectory: where an engine's files lie, and a host to read them by. No server works there
// as long as it lives.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "posix/data_directory.h"
#include "posix/host.h"
#include "storage/engine_options.h"

namespace ringside::cli {

class EngineDirectory {
 public:
  // `path`: a node's directory, or the engine's own. kInvalid is one line for people.
  static Result<std::unique_ptr<EngineDirectory>> open(const std::string& path,
                                                       const std::string& key_file);

  const std::string& files() const { return files_; }  // the engine's
  const std::string& owner() const { return owner_; }  // "node 1 of 3 …"; empty: nobody says
  Host& host() { return *host_; }
  // For Engine::open and storage/inspect.h.
  const EngineOptions& options() const { return options_; }
  // With the real paths in place of those that the engine knows.
  std::string shown(const std::string& message) const;

  // Runs a task on the host to its end. Nothing: the engine gave up (`gave_up` says why).
  template <class T>
  std::optional<T> run(Task<T> task) {
    std::optional<T> result;
    host_->spawn(keep(std::move(task), &result));
    wait([&] { return result.has_value(); });
    return result;
  }
  const std::string& gave_up() const { return gave_up_; }

 private:
  EngineDirectory() = default;
  void wait(const std::function<bool()>& done);
  template <class T>
  static Task<void> keep(Task<T> task, std::optional<T>* result) {
    result->emplace(co_await std::move(task));
  }

  posix::Loop loop_;
  posix::DataDirectory lock_;
  std::string files_;
  std::string owner_;
  std::string gave_up_;
  EngineOptions options_;
  std::unique_ptr<posix::RealHost> host_;
};

}  // namespace ringside::cli
