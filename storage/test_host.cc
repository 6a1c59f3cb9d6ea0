#include "storage/test_host.h"

#include <algorithm>
#include <utility>

namespace ringside {
namespace {

using Kind = DiskCall::Kind;

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace

void TestDisk::start(DiskCall& call) {
  ++calls;
  calls_.push_back(&call);
}

// What a dead process had in flight happens or not.
void TestDisk::abandon(DiskCall& call) {
  std::erase(calls_, &call);
  const bool changes =
      call.kind == Kind::kWrite || call.kind == Kind::kRename || call.kind == Kind::kRemove;
  if (!changes || abandoned_ == Fate::kDropped) return;
  if (abandoned_ == Fate::kKept || random_.chance(0.5)) perform(call);
}

bool TestDisk::pump() {
  if (calls_.empty()) return false;
  DiskCall& call = *calls_.front();
  calls_.pop_front();
  ++performed;
  const auto opened = open_.find(call.file);
  const bool answered =
      tamper_ && tamper_(call, opened == open_.end() ? call.path : opened->second->path);
  const auto failure = failures_.find(call.kind);
  if (answered) {
  } else if (failure != failures_.end() && failure->second.after-- == 0) {
    call.fail(failure->second.code, "injected");
    failures_.erase(failure);
  } else {
    perform(call);
  }
  call.complete();
  return true;
}

void TestDisk::write(File& file, uint64_t offset, std::string_view data) {
  if (file.bytes.size() < offset + data.size()) file.bytes.resize(offset + data.size());
  std::copy(data.begin(), data.end(), file.bytes.begin() + static_cast<std::ptrdiff_t>(offset));
  for (uint64_t page = offset / kPageBytes; page * kPageBytes < offset + data.size(); ++page)
    file.dirty.insert(page);
}

void TestDisk::perform(DiskCall& call) {
  std::shared_ptr<File> file;
  if (call.file != 0) {
    const auto found = open_.find(call.file);
    if (found == open_.end()) return call.fail(Code::kInvalid, "not open");
    file = found->second;
  }
  switch (call.kind) {
    case Kind::kOpen: {
      std::shared_ptr<File>& named = names_[call.path];
      if (named == nullptr && (call.flags & kCreate) == 0) {
        names_.erase(call.path);
        return call.fail(Code::kNotFound, call.path);
      }
      CHECK(parent_of(call.path).empty() || directories_.contains(parent_of(call.path)));
      if (named == nullptr) {
        named = std::make_shared<File>();
        unsynced_names_.push_back({.path = call.path, .file = named});
      }
      named->path = call.path;
      named->log = call.path.find("/log/") != std::string::npos;
      for (const auto& [id, other] : open_) CHECK(other != named);  // one file, one handle
      if ((call.flags & kTruncate) != 0) {
        for (uint64_t page = 0; page * kPageBytes < named->synced.size(); ++page)
          named->dirty.insert(page);
        named->bytes.clear();
      }
      open_[next_file_] = named;
      call.opened = next_file_++;
      return;
    }
    case Kind::kClose: open_.erase(call.file); return;
    case Kind::kRead: {
      ++reads;
      if (misdirected_ && misdirected_->first == call.offset) {
        call.offset = misdirected_->second;
        misdirected_.reset();
      }
      if (call.offset >= file->bytes.size()) return;
      call.bytes = Buffer::copy_of(std::string_view(file->bytes).substr(call.offset, call.length));
      bytes_read += call.bytes.size();
      return;
    }
    case Kind::kWrite:
      ++writes;
      if (!discard_writes_ || !file->log) write(*file, call.offset, call.data.view());
      return;
    case Kind::kSync:
      if (++syncs == forget_at_sync_) {
        file->dirty.clear();
        return call.fail(Code::kIo, "forgotten");
      }
      if (discard_writes_ && file->log) return;
      if (file->synced.size() != file->bytes.size()) file->synced.resize(file->bytes.size());
      for (const uint64_t page : file->dirty) {
        const uint64_t from = page * kPageBytes;
        if (from >= file->bytes.size()) continue;
        file->synced.replace(from, kPageBytes, file->bytes, from, kPageBytes);
      }
      file->dirty.clear();
      return;
    case Kind::kTruncate: file->bytes.resize(call.length); return;
    case Kind::kSize: call.number = file->bytes.size(); return;
    case Kind::kRename: {
      const auto from = names_.find(call.path);
      if (from == names_.end()) return call.fail(Code::kNotFound, call.path);
      from->second->path = call.to;
      unsynced_names_.push_back({call.path, call.to, from->second});
      apply_names(unsynced_names_.back(), names_);
      return;
    }
    case Kind::kRemove:
      if (names_.erase(call.path) == 0) return call.fail(Code::kNotFound, call.path);
      unsynced_names_.push_back({.path = call.path});
      return;
    case Kind::kList:
      for (const auto& [path, named] : names_) {
        if (parent_of(path) == call.path) call.names.push_back(path.substr(call.path.size() + 1));
      }
      return;
    case Kind::kMakeDirectory: directories_.insert(call.path); return;
    case Kind::kSyncDirectory:
      ++directory_syncs;
      sync_names(call.path);
      return;
    case Kind::kSpace: call.number = free_bytes_; return;
  }
}

bool TestDisk::NameChange::touches(const NameChange& other) const {
  const auto names = [&](const std::string& name) {
    return !name.empty() && (name == other.path || name == other.to);
  };
  return names(path) || names(to);
}

void TestDisk::apply_names(const NameChange& change, Names& names) {
  if (!change.to.empty() || change.file == nullptr) names.erase(change.path);
  if (change.file != nullptr) names[change.to.empty() ? change.path : change.to] = change.file;
}

// What changed in the directory lasts from now on, with all that it builds upon.
void TestDisk::sync_names(const std::string& directory) {
  std::vector<bool> lasts(unsynced_names_.size());
  for (std::size_t i = unsynced_names_.size(); i-- > 0;) {
    const NameChange& change = unsynced_names_[i];
    lasts[i] = parent_of(change.path) == directory ||
               (!change.to.empty() && parent_of(change.to) == directory);
    for (std::size_t later = i + 1; later < lasts.size() && !lasts[i]; ++later)
      lasts[i] = lasts[later] && unsynced_names_[later].touches(change);
  }
  std::vector<NameChange> left;
  for (std::size_t i = 0; i < lasts.size(); ++i) {
    if (lasts[i]) {
      apply_names(unsynced_names_[i], synced_names_);
    } else {
      left.push_back(unsynced_names_[i]);
    }
  }
  unsynced_names_ = std::move(left);
}

void TestDisk::power_loss(Fate pages, Fate fate_of_names) {
  CHECK(calls_.empty());
  open_.clear();
  // Each change of names that was not synced happened or not.
  std::vector<NameChange> undone;
  for (const NameChange& change : unsynced_names_) {
    const bool possible = std::none_of(undone.begin(), undone.end(),
                                       [&](const auto& before) { return change.touches(before); });
    const bool wanted =
        fate_of_names == Fate::kDrawn ? random_.chance(0.5) : fate_of_names == Fate::kKept;
    if (possible && wanted) {
      apply_names(change, synced_names_);
    } else {
      undone.push_back(change);
    }
  }
  unsynced_names_.clear();
  names_ = synced_names_;
  std::set<File*> done;
  for (const auto& [path, file] : names_) {
    if (done.insert(file.get()).second) lose_pages(*file, pages);
  }
}

void TestDisk::lose_pages(File& file, Fate pages) {
  static constexpr Fate kDraws[] = {Fate::kDropped, Fate::kKept, Fate::kGarbage};
  std::string bytes = file.synced;
  for (const uint64_t page : file.dirty) {
    const uint64_t from = page * kPageBytes;
    const Fate fate = pages == Fate::kDrawn ? kDraws[random_.below(garbage_ ? 3 : 2)] : pages;
    if (fate == Fate::kDropped || from >= file.bytes.size()) continue;
    std::string kept = file.bytes.substr(from, kPageBytes);
    if (fate == Fate::kGarbage) {
      for (char& byte : kept) byte = static_cast<char>(random_.next());
    }
    if (bytes.size() < from + kept.size()) bytes.resize(from + kept.size());
    for (uint64_t at = 0; at < kept.size(); at += kSectorBytes) {
      if (fate == Fate::kTorn && random_.chance(0.5)) continue;
      bytes.replace(from + at, std::min(kSectorBytes, kept.size() - at), kept, at, kSectorBytes);
    }
  }
  file.bytes = file.synced = bytes;
  file.dirty.clear();
}

std::string& TestDisk::bytes(const std::string& path) {
  const auto found = names_.find(path);
  CHECK(found != names_.end());
  return found->second->bytes;
}

std::vector<std::string> TestDisk::paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, file] : names_) paths.push_back(path);
  return paths;
}

void TestDisk::forget_unsynced(const std::string& path) {
  const auto found = names_.find(path);
  if (found != names_.end()) found->second->dirty.clear();
}

void TestDisk::settle(const std::string& path) {
  const auto found = names_.find(path);
  if (found == names_.end()) return;
  found->second->synced = found->second->bytes;
  found->second->dirty.clear();
}

bool TestDisk::lasts(const std::string& path) const {
  const auto now = names_.find(path);
  const auto synced = synced_names_.find(path);
  return now != names_.end() && synced != synced_names_.end() && now->second == synced->second &&
         now->second->dirty.empty() && now->second->bytes.size() == now->second->synced.size();
}

void TestDisk::replace(const std::string& path, std::string bytes) {
  auto file = std::make_shared<File>();
  file->bytes = file->synced = std::move(bytes);
  file->path = path;
  file->log = path.find("/log/") != std::string::npos;
  erase(path);
  names_[path] = synced_names_[path] = std::move(file);
}

void TestDisk::erase(const std::string& path) {
  names_.erase(path);
  synced_names_.erase(path);
  std::erase_if(unsynced_names_,
                [&](const auto& change) { return change.path == path || change.to == path; });
}

Random& TestHost::random(std::string_view stream) {
  const auto found = streams_.find(stream);
  if (found != streams_.end()) return found->second;
  return streams_.emplace(stream, Random(hash_bytes(stream, mix(seed_, incarnation_))))
      .first->second;
}

bool TestHost::step() {
  const bool due = !timers_.empty() && timers_.begin()->first.first <= now_;
  if (due || !disk_.pump()) {
    if (timers_.empty()) return false;
    const auto first = timers_.begin();
    now_ = std::max(now_, first->first.first);
    Timer* timer = first->second;
    timers_.erase(first);
    timer->slot = Timer::kIdle;
    charged_ = 0;
    timer->fire();
  }
  ready_.drain();
  return true;
}

void TestHost::kill() {
  scope_.cancel();
  ready_.clear();
  disk_.close_all();
  streams_.clear();
  aborted_.clear();
  ++incarnation_;
}

void TestHost::start(Timer& timer, Time at) {
  timer.slot = next_timer_++;
  timers_[{at, timer.slot}] = &timer;
}

void TestHost::cancel(Timer& timer) {
  std::erase_if(timers_, [&](const auto& entry) { return entry.second == &timer; });
}

}  // namespace ringside
