// `ringside admin`: an administrator's orders to a running cluster, and what was decided so far.
#pragma once

#include <string>

#include "protocols/membership/admin_message.h"
#include "runtime/time.h"

namespace ringside::cli {

struct AdminArguments {
  std::string at;  // HOST:PORT of any member
  AdminOrder order;
  bool history = false;  // instead of an order
  bool json = false;
  Duration timeout = 5 * kSecond;
};
// The process's exit code: 0 accepted (or shown), 1 refused or no answer, 2 bad input.
int run_admin(const AdminArguments& arguments);

}  // namespace ringside::cli
