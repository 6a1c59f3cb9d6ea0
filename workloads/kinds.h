// The workloads one by one; run_workload chooses. `spec` must outlive the task.
#pragma once

#include "workloads/pacer.h"
#include "workloads/session.h"
#include "workloads/workload.h"

namespace ringside {

Task<void> run_registers(Host& host, Store& store, const WorkloadSpec& spec, HistorySink& sink);
Task<void> run_cart(Host& host, Store& store, const WorkloadSpec& spec, HistorySink& sink);
Task<void> run_ycsb(Host& host, Store& store, const WorkloadSpec& spec, HistorySink& sink);
Task<void> run_pbs(Host& host, Store& store, const WorkloadSpec& spec, HistorySink& sink);
Task<void> run_script(Host& host, Store& store, const WorkloadSpec& spec, HistorySink& sink);

std::string register_key(uint32_t number);
std::string cart_key(uint32_t number);
std::string ycsb_key(uint64_t number);
std::string pbs_key(uint32_t number);

}  // namespace ringside
