// An intrusive list whose elements unlink themselves on destruction, so that an awaiter that lives
// in a destroyed coroutine frame can never be woken. Order is insertion order; nothing is
// allocated.
#pragma once

#include "runtime/check.h"

namespace ringside {

class Link {
 public:
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { unlink(); }

  bool linked() const { return next_ != nullptr; }
  void unlink() {
    if (next_ == nullptr) return;
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = nullptr;
  }

 private:
  template <class T>
  friend class List;
  Link* prev_ = nullptr;
  Link* next_ = nullptr;
};

// T derives from Link. The list does not own its elements; those still in it when it dies are
// unlinked.
template <class T>
class List {
 public:
  List() { head_.prev_ = head_.next_ = &head_; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() {
    while (!empty()) front().unlink();
    head_.prev_ = head_.next_ = nullptr;
  }

  bool empty() const { return head_.next_ == &head_; }
  T& front() { return static_cast<T&>(*head_.next_); }
  T& back() { return static_cast<T&>(*head_.prev_); }

  void push_back(T& element) {
    Link& link = element;
    CHECK(!link.linked());
    link.prev_ = head_.prev_;
    link.next_ = &head_;
    head_.prev_->next_ = &link;
    head_.prev_ = &link;
  }

  // The first element, unlinked; null when the list is empty.
  T* pop_front() {
    if (empty()) return nullptr;
    T& first = front();
    static_cast<Link&>(first).unlink();
    return &first;
  }

  // Moves every element of `other` to the end of this list, in order.
  void append(List& other) {
    while (T* element = other.pop_front()) push_back(*element);
  }

 private:
  Link head_;
};

}  // namespace ringside
