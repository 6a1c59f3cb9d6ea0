#include "lab/bundle.h"

#include <unistd.h>

#include <filesystem>

#include "lab/sealed_file.h"
#include "lab/text.h"

namespace ringside::lab {

Result<std::string> write_bundle(const std::string& directory, const Bundle& bundle) {
  namespace files = std::filesystem;
  const std::string path = concat(directory, "/", bundle.name);
  const std::string growing = concat(path, ".tmp-", static_cast<int64_t>(getpid()));
  std::error_code error;
  files::remove_all(growing, error);
  files::create_directories(growing, error);
  if (error) return {Code::kIo, concat(growing, ": cannot be made: ", error.message())};
  for (const auto& [name, text] : bundle.texts) {
    const Result<void> wrote = write_whole(concat(growing, "/", name), text);
    if (!wrote.ok()) return wrote.error();
  }
  files::rename(bundle.recording, concat(growing, "/", bundle.name, ".run"), error);
  if (error) return {Code::kIo, concat(bundle.recording, ": cannot be moved: ", error.message())};
  files::remove_all(path, error);
  files::rename(growing, path, error);
  if (error) return {Code::kIo, concat(path, ": cannot be made: ", error.message())};
  return path;
}

}  // namespace ringside::lab
