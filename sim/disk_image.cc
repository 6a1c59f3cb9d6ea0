#include "sim/disk_image.h"

#include <algorithm>

#include "runtime/check.h"
#include "runtime/disk.h"
#include "runtime/random.h"

namespace ringside::sim {
namespace {

constexpr InodeId kRoot = 1;

Error failed(Code code, std::string_view path, std::string_view why) {
  return Error{code, std::string(path) + ": " + std::string(why)};
}

}  // namespace

DiskImage::DiskImage() {
  inodes_.resize(kRoot + 1);
  inodes_[kRoot].references = 1;
  inodes_[kRoot].directory = Cow<Directory>(Directory{});
}

const DiskFile& DiskImage::at(InodeId file) const {
  CHECK(lives(file));
  return *inodes_[file].file;
}

DiskFile& DiskImage::change(InodeId file) {
  CHECK(lives(file));
  return inodes_[file].file.own();
}

InodeId DiskImage::add_inode(Inode inode) {
  inodes_.push_back(std::move(inode));
  return static_cast<InodeId>(inodes_.size() - 1);
}

InodeId DiskImage::entry(InodeId directory, std::string_view name) const {
  const Directory& names = *inodes_[directory].directory;
  const auto found = names.find(name);
  return found == names.end() ? kNoInode : found->second;
}

// The directory that holds the path's last name, and that name.
Result<std::pair<InodeId, std::string_view>> DiskImage::split(std::string_view path) const {
  if (path.empty() || !valid_disk_path(path))
    return failed(Code::kInvalid, path, "not a path of plain names");
  InodeId directory = kRoot;
  std::string_view rest = path;
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view name = rest.substr(0, slash);
    if (slash == std::string_view::npos) return std::pair{directory, name};
    const InodeId next = entry(directory, name);
    if (next == kNoInode || !inodes_[next].directory)
      return failed(Code::kNotFound, path, "no such directory");
    directory = next;
    rest.remove_prefix(slash + 1);
  }
}

Result<InodeId> DiskImage::find(std::string_view path) const {
  Result<std::pair<InodeId, std::string_view>> place = split(path);
  if (!place.ok()) return place.error();
  const InodeId found = entry(place->first, place->second);
  if (found == kNoInode) return failed(Code::kNotFound, path, "no such file");
  if (!inodes_[found].file) return failed(Code::kInvalid, path, "is a directory");
  return found;
}

Result<InodeId> DiskImage::find_directory(std::string_view path) const {
  if (path.empty()) return kRoot;
  Result<std::pair<InodeId, std::string_view>> place = split(path);
  if (!place.ok()) return place.error();
  const InodeId found = entry(place->first, place->second);
  if (found == kNoInode || !inodes_[found].directory)
    return failed(Code::kNotFound, path, "no such directory");
  return found;
}

void DiskImage::refer(InodeId id) {
  if (id != kNoInode) ++inodes_[id].references;
}

void DiskImage::unrefer(InodeId id) {
  if (id == kNoInode) return;
  CHECK(inodes_[id].references > 0);
  --inodes_[id].references;
  free_if_unused(id);
}

void DiskImage::free_if_unused(InodeId id) {
  Inode& inode = inodes_[id];
  if (inode.references > 0 || inode.holds > 0) return;
  if (inode.file) {
    used_bytes_ -= page_bytes_of(inode.file->size());
    inode.file = {};
  }
  if (inode.directory) {
    const Cow<Directory> names = std::move(inode.directory);
    for (const auto& [name, child] : *names) unrefer(child);
  }
}

void DiskImage::set_entry(InodeId directory, const std::string& name, InodeId value) {
  if (!inodes_[directory].directory) return;
  const InodeId before = entry(directory, name);
  if (before == value) return;
  refer(value);
  Directory& names = inodes_[directory].directory.own();
  if (value == kNoInode) {
    names.erase(name);
  } else {
    names.insert_or_assign(name, value);
  }
  unrefer(before);
}

// A change keeps alive what it may bring back, and the directories that it happened in.
void DiskImage::change_names(std::vector<NamePart> parts) {
  for (const NamePart& part : parts) {
    refer(part.directory);
    refer(part.before);
    refer(part.after);
  }
  for (const NamePart& part : parts) set_entry(part.directory, part.name, part.after);
  changes_.push_back({.sequence = name_sequence_++, .parts = std::move(parts)});
}

void DiskImage::forget(const NameChange& change) {
  for (const NamePart& part : change.parts) {
    unrefer(part.before);
    unrefer(part.after);
    unrefer(part.directory);
  }
}

Result<InodeId> DiskImage::create(std::string_view path) {
  Result<std::pair<InodeId, std::string_view>> place = split(path);
  if (!place.ok()) return place.error();
  if (entry(place->first, place->second) != kNoInode)
    return failed(Code::kExists, path, "is there already");
  const InodeId made = add_inode({.file = Cow<DiskFile>(DiskFile{})});
  change_names({{.directory = place->first, .name = std::string(place->second), .after = made}});
  return made;
}

Result<void> DiskImage::make_directory(std::string_view path) {
  if (find_directory(path).ok()) return {};
  Result<std::pair<InodeId, std::string_view>> place = split(path);
  if (!place.ok()) return place.error();
  if (entry(place->first, place->second) != kNoInode)
    return failed(Code::kExists, path, "is a file");
  const InodeId made = add_inode({.directory = Cow<Directory>(Directory{})});
  change_names({{.directory = place->first, .name = std::string(place->second), .after = made}});
  return {};
}

Result<void> DiskImage::rename(std::string_view from, std::string_view to) {
  Result<InodeId> moved = find(from);
  if (!moved.ok()) return moved.error();
  const std::pair<InodeId, std::string_view> source = *split(from);
  Result<std::pair<InodeId, std::string_view>> target = split(to);
  if (!target.ok()) return target.error();
  if (source == *target) return {};
  const InodeId replaced = entry(target->first, target->second);
  if (replaced != kNoInode && !inodes_[replaced].file)
    return failed(Code::kInvalid, to, "is a directory");
  change_names({{.directory = source.first, .name = std::string(source.second), .before = *moved},
                {.directory = target->first,
                 .name = std::string(target->second),
                 .before = replaced,
                 .after = *moved}});
  return {};
}

Result<void> DiskImage::remove(std::string_view path) {
  Result<InodeId> found = find(path);
  if (!found.ok()) return found.error();
  const std::pair<InodeId, std::string_view> place = *split(path);
  change_names({{.directory = place.first, .name = std::string(place.second), .before = *found}});
  return {};
}

Result<std::vector<std::string>> DiskImage::list(std::string_view directory) const {
  Result<InodeId> found = find_directory(directory);
  if (!found.ok()) return found.error();
  std::vector<std::string> names;
  for (const auto& [name, child] : *inodes_[*found].directory) names.push_back(name);
  return names;
}

void DiskImage::write(InodeId file, uint64_t offset, std::string_view bytes) {
  DiskFile& data = change(file);
  used_bytes_ -= page_bytes_of(data.size());
  data.write(offset, bytes);
  used_bytes_ += page_bytes_of(data.size());
}

void DiskImage::truncate(InodeId file, uint64_t size) {
  DiskFile& data = change(file);
  used_bytes_ -= page_bytes_of(data.size());
  data.truncate(size);
  used_bytes_ += page_bytes_of(data.size());
}

void DiskImage::hold(InodeId file) {
  CHECK(lives(file));
  ++inodes_[file].holds;
}

void DiskImage::release(InodeId file) {
  CHECK(lives(file) && inodes_[file].holds > 0);
  --inodes_[file].holds;
  free_if_unused(file);
}

void DiskImage::drop_holds() {
  for (InodeId id = kRoot + 1; id < inodes_.size(); ++id) {
    if (inodes_[id].holds == 0) continue;
    inodes_[id].holds = 0;
    free_if_unused(id);
  }
}

// Makes the covered changes durable, and with each the older ones of the same names that it built
// upon.
void DiskImage::end_sync_directory(InodeId directory, Mark mark) {
  std::vector<std::pair<InodeId, std::string_view>> settled;
  std::vector<bool> durable(changes_.size(), false);
  for (std::size_t i = changes_.size(); i-- > 0;) {
    const NameChange& change = changes_[i];
    const bool covered = change.sequence < mark && std::any_of(
                                                       change.parts.begin(), change.parts.end(),
                                                       [directory](const NamePart& part) {
                                                         return part.directory == directory;
                                                       });
    const bool needed =
        std::any_of(change.parts.begin(), change.parts.end(), [&settled](const NamePart& part) {
          return std::find(settled.begin(), settled.end(),
                           std::pair{part.directory, std::string_view(part.name)}) != settled.end();
        });
    if (!covered && !needed) continue;
    durable[i] = true;
    for (const NamePart& part : change.parts) settled.emplace_back(part.directory, part.name);
  }
  std::vector<NameChange> left;
  std::vector<NameChange> gone;
  for (std::size_t i = 0; i < changes_.size(); ++i)
    (durable[i] ? gone : left).push_back(std::move(changes_[i]));
  changes_ = std::move(left);
  for (const NameChange& change : gone) forget(change);
}

void DiskImage::power_loss(Draw& draw, const PowerLossRules& rules) {
  // Back to the names that are durable, then forward through the changes that made it.
  for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) {
    for (auto part = change->parts.rbegin(); part != change->parts.rend(); ++part) {
      set_entry(part->directory, part->name, part->before);
    }
  }
  for (const NameChange& change : changes_) {
    const bool kept = draw.chance(rules.name_kept);
    const bool possible = std::all_of(
        change.parts.begin(), change.parts.end(),
        [this](const NamePart& part) { return entry(part.directory, part.name) == part.before; });
    if (!kept || !possible) continue;
    for (const NamePart& part : change.parts) set_entry(part.directory, part.name, part.after);
  }
  const std::vector<NameChange> changes = std::move(changes_);
  changes_.clear();
  for (const NameChange& change : changes) forget(change);
  drop_holds();
  for (InodeId id = kRoot + 1; id < inodes_.size(); ++id) {
    if (!inodes_[id].file || inodes_[id].file->durable()) continue;
    DiskFile& file = inodes_[id].file.own();
    used_bytes_ -= page_bytes_of(file.size());
    file.power_loss(draw, rules);
    used_bytes_ += page_bytes_of(file.size());
  }
}

void DiskImage::list_files(InodeId directory, const std::string& prefix,
                           std::vector<std::string>& paths) const {
  for (const auto& [name, child] : *inodes_[directory].directory) {
    if (inodes_[child].file) {
      paths.push_back(prefix + name);
    } else {
      list_files(child, prefix + name + "/", paths);
    }
  }
}

std::vector<std::string> DiskImage::files() const {
  std::vector<std::string> paths;
  list_files(kRoot, "", paths);
  std::sort(paths.begin(), paths.end());
  return paths;
}

Result<std::string> DiskImage::contents(std::string_view path) const {
  Result<InodeId> file = find(path);
  if (!file.ok()) return file.error();
  return std::string(read(*file, 0, size(*file)).view());
}

Result<void> DiskImage::install(std::string_view path, std::string_view bytes) {
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    Result<void> made = make_directory(path.substr(0, slash));
    if (!made.ok()) return made;
  }
  Result<InodeId> file = find(path);
  if (!file.ok() && file.code() == Code::kNotFound) file = create(path);
  if (!file.ok()) return file.error();
  truncate(*file, 0);
  write(*file, 0, bytes);
  sync(*file);
  end_sync_directory(kRoot, begin_sync_directory());
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    end_sync_directory(*find_directory(path.substr(0, slash)), begin_sync_directory());
  }
  return {};
}

bool DiskImage::durable() const {
  return changes_.empty() && std::all_of(inodes_.begin(), inodes_.end(), [](const Inode& inode) {
           return !inode.file || inode.file->durable();
         });
}

uint64_t DiskImage::memory_bytes() const {
  uint64_t total = sizeof(DiskImage) + inodes_.capacity() * sizeof(Inode);
  for (const Inode& inode : inodes_) {
    if (inode.file) total += sizeof(DiskFile) + inode.file->memory_bytes();
    if (!inode.directory) continue;
    for (const auto& [name, child] : *inode.directory)
      total += sizeof(Directory::value_type) + 32 + name.capacity();
  }
  return total;
}

uint64_t DiskImage::content_hash() const {
  uint64_t hash = 0;
  for (const std::string& path : files())
    hash = mix(mix(hash, hash_bytes(path)), at(*find(path)).content_hash());
  return hash;
}

}  // namespace ringside::sim
