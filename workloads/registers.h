// A write to a register, as the workloads `registers` and `script` do it: unless it is blind it
// reads first and writes with the context that covers what it read; its timestamp lies beyond what
// it saw.
#pragma once

#include "runtime/host.h"
#include "workloads/session.h"

namespace ringside {

struct RegisterWrite {
  bool blind = false;
  bool deletes = false;       // takes away what was read; where nothing was, it writes
  Duration expire_after = 0;  // by the client's wall clock; 0: never
  uint32_t value_bytes = 0;
};

// `late`: of the first of its operations. Keeps references to host and session; `key` must outlive
// it.
Task<void> write_register(Host& host, Session& session, const Key& key, RegisterWrite write,
                          Duration late);

}  // namespace ringside
