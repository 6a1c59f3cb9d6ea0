#include "posix/small_disk.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>

namespace ringside::conformance {
namespace {

// As root, or as a root of our own where users may have namespaces. Or why not.
std::string leave_the_mounts_of_others() {
  const std::string user = std::to_string(geteuid()), group = std::to_string(getegid());
  if (unshare(CLONE_NEWNS) < 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
      return "the kernel forbids a mount namespace: " + std::string(strerror(errno));
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << user + " " + user + " 1";
    std::ofstream("/proc/self/gid_map") << group + " " + group + " 1";
  }
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
    return "the kernel forbids private mounts: " + std::string(strerror(errno));
  return {};
}

}  // namespace

SmallDisk::SmallDisk(std::string directory, uint64_t bytes) : directory_(std::move(directory)) {
  obstacle_ = leave_the_mounts_of_others();
  if (!obstacle_.empty()) return;
  const std::string size = "size=" + std::to_string(bytes);
  if (mount("tmpfs", directory_.c_str(), "tmpfs", 0, size.c_str()) < 0)
    obstacle_ = "the kernel forbids a tmpfs: " + std::string(strerror(errno));
}

SmallDisk::~SmallDisk() {
  if (obstacle_.empty()) umount2(directory_.c_str(), MNT_DETACH);
}

}  // namespace ringside::conformance
