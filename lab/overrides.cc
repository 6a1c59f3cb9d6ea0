#include "lab/overrides.h"

#include <google/protobuf/text_format.h>

#include "lab/check_scenario.h"
#include "lab/storm.h"
#include "lab/text.h"
#include "lab/units.h"

namespace ringside::lab {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::size_t kColumnsMax = 118;

scenario::Script::What script_word(ScriptStep::What what) {
  switch (what) {
    case ScriptStep::What::kRead: return scenario::Script::READ;
    case ScriptStep::What::kWrite: return scenario::Script::WRITE;
    case ScriptStep::What::kBlindWrite: return scenario::Script::BLIND_WRITE;
    case ScriptStep::What::kDelete: return scenario::Script::DELETE;
  }
  return scenario::Script::READ;
}

// Each field of a message on lines of its own, a message in one line where that fits.
class ReadableWriter {
 public:
  ReadableWriter() {
    one_line_.SetSingleLineMode(true);
    one_line_.SetUseShortRepeatedPrimitives(true);
  }

  void write(const Message& message, const std::string& indent) {
    const google::protobuf::Reflection* reflection = message.GetReflection();
    std::vector<const FieldDescriptor*> fields;
    reflection->ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
        write_scalars(message, *field, indent);
        continue;
      }
      for (int i = 0; i < count; ++i) {
        write_message(field->name(),
                      field->is_repeated() ? reflection->GetRepeatedMessage(message, field, i)
                                           : reflection->GetMessage(message, field),
                      indent);
      }
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void write_scalars(const Message& message, const FieldDescriptor& field,
                     const std::string& indent) {
    const int count = field.is_repeated() ? message.GetReflection()->FieldSize(message, &field) : 1;
    for (int i = 0; i < count; ++i) {
      std::string value;
      one_line_.PrintFieldValueToString(message, &field, field.is_repeated() ? i : -1, &value);
      append(out_, indent, field.name(), ": ", value, "\n");
    }
  }

  void write_message(const std::string& name, const Message& message, const std::string& indent) {
    std::string line;
    CHECK(one_line_.PrintToString(message, &line));
    if (indent.size() + name.size() + line.size() + 4 <= kColumnsMax) {
      append(out_, indent, name, " { ", line, "}\n");
      return;
    }
    append(out_, indent, name, " {\n");
    write(message, indent + "  ");
    append(out_, indent, "}\n");
  }

  google::protobuf::TextFormat::Printer one_line_;
  std::string out_;
};

}  // namespace

scenario::Scenario resolved(const scenario::Scenario& scenario, const Plan& plan) {
  scenario::Scenario out = scenario;
  out.clear_fault();
  out.clear_swarm();
  out.clear_tunable();
  out.set_seed(plan.world.seed);
  for (const sim::Fault& fault : plan.faults) *out.add_fault() = to_scenario(fault, plan);
  for (const scenario::Fault& fault : scenario.fault()) {
    if (fault.has_on_probe()) *out.add_fault() = fault;
  }
  for (const sim::Tunable& tunable : plan.tunables) {
    scenario::Tunable& written = *out.add_tunable();
    written.set_name(tunable.name);
    written.set_value(tunable.value);
  }
  // What would be chosen anew when there are fewer zones or clients.
  out.mutable_workload()->set_processes(client_processes(scenario));
  return out;
}

std::vector<ScriptStep> as_script(std::vector<ScriptStep> steps, const History& history,
                                  uint32_t processes, Time start) {
  std::vector<uint32_t> sessions(processes, 0);  // of each process so far
  std::vector<uint32_t> number(history.clients.size(), 0);
  for (std::size_t i = 0; i < history.clients.size(); ++i) {
    const uint32_t process = history.clients[i].process - kFirstClient;
    CHECK(process < processes);
    number[i] = sessions[process]++ * processes + process + 1;
  }
  for (ScriptStep& step : steps) {
    step.client = number[step.client - 1];
    step.at -= start;
  }
  return steps;
}

void give_script(const std::vector<ScriptStep>& steps, scenario::Scenario& scenario) {
  scenario::Workload& workload = *scenario.mutable_workload();
  const uint32_t value_bytes = workload.registers().value_bytes();
  workload.clear_registers();
  workload.clear_rate();
  workload.clear_think();
  workload.mutable_script()->set_value_bytes(value_bytes);
  const Duration length = span_of(workload.for_());
  for (const ScriptStep& step : steps) {
    if (step.at < 0 || step.at >= length || step.key.empty()) continue;
    scenario::Script::Step& to = *workload.mutable_script()->add_step();
    to.set_at(exact_span(step.at));
    to.set_client(step.client);
    to.set_key(step.key);
    to.set_what(script_word(step.what));
    for (const uint32_t number : step.numbers) to.add_number(number);
    if (step.expire_after > 0) to.set_expire_after(exact_span(step.expire_after));
  }
}

std::string readable_text(const scenario::Scenario& scenario) {
  ReadableWriter writer;
  writer.write(scenario, "");
  return writer.take();
}

}  // namespace ringside::lab
