// Compares proto/*.proto with the tables of the wire protocol, which stand beside the project, not in it: every
// message, field, number, type, enum value and method, in both directions. Without the tables it says so and checks
// nothing.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

namespace api {
namespace {

namespace fs = std::filesystem;
using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;

/// Beside the source tree, or beside the folder of work trees it stands in.
fs::path TableFolder() {
  const fs::path source(QM_SOURCE_DIR);
  for (const fs::path& base : {source.parent_path(), source.parent_path().parent_path()}) {
    const fs::path folder = base / "shared" / "reference" / "wire";
    if (fs::is_directory(folder)) return folder;
  }
  return {};
}

std::vector<std::string> Cells(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream stream(line);
  std::string cell;
  while (std::getline(stream, cell, '\t')) cells.push_back(cell);
  cells.resize(6);
  return cells;
}

/// One file's facts, a line of text each, so that both sides compare as sets.
using Facts = std::set<std::string>;

Facts FromTable(const fs::path& table) {
  Facts facts;
  std::ifstream in(table);
  std::string kind;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::vector<std::string> c = Cells(line);
    if (c[0] == "message" || c[0] == "enum" || c[0] == "service") {
      kind = c[0];
    } else if (kind == "message" && c[1].empty()) {
      facts.insert("message " + c[0]);
    } else if (kind == "message") {
      facts.insert("message " + c[0]);
      facts.insert("field " + c[0] + "." + c[2] + " = " + c[1] + " " + c[3] + " " + c[4] +
                   " oneof:" + c[5]);
    } else if (kind == "enum") {
      facts.insert("enum " + c[0] + "." + c[1] + " = " + c[2]);
    } else {
      facts.insert("method " + c[0] + "." + c[1] + " (" + c[2] + ") -> " + c[3]);
    }
  }
  return facts;
}

/// "pdpb.RegionInfo.Kind" without its package, as the tables name what belongs to their file.
std::string Local(const std::string& full_name, const FileDescriptor& file) {
  return full_name.substr(file.package().size() + 1);
}

std::string TypeOf(const FieldDescriptor& field) {
  if (field.is_map()) {
    return "map<" + TypeOf(*field.message_type()->map_key()) + "," +
           TypeOf(*field.message_type()->map_value()) + ">";
  }
  if (field.type() == FieldDescriptor::TYPE_MESSAGE) return field.message_type()->full_name();
  if (field.type() == FieldDescriptor::TYPE_ENUM) return field.enum_type()->full_name();
  return field.type_name();
}

void AddEnum(const EnumDescriptor& type, const FileDescriptor& file, Facts& facts) {
  for (int i = 0; i < type.value_count(); ++i) {
    facts.insert("enum " + Local(type.full_name(), file) + "." + type.value(i)->name() + " = " +
                 std::to_string(type.value(i)->number()));
  }
}

void AddMessage(const Descriptor& type, const FileDescriptor& file, Facts& facts) {
  if (type.options().map_entry()) return;
  const std::string name = Local(type.full_name(), file);
  facts.insert("message " + name);
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const auto* oneof = field.real_containing_oneof();
    facts.insert("field " + name + "." + field.name() + " = " + std::to_string(field.number()) +
                 " " + TypeOf(field) + " " +
                 (field.is_repeated() && !field.is_map() ? "repeated" : "") +
                 " oneof:" + (oneof != nullptr ? oneof->name() : ""));
  }
  for (int i = 0; i < type.nested_type_count(); ++i) AddMessage(*type.nested_type(i), file, facts);
  for (int i = 0; i < type.enum_type_count(); ++i) AddEnum(*type.enum_type(i), file, facts);
}

void AddMethod(const MethodDescriptor& method, Facts& facts) {
  facts.insert("method " + method.service()->name() + "." + method.name() + " (" +
               (method.client_streaming() ? "stream " : "") + method.input_type()->full_name() +
               ") -> " + (method.server_streaming() ? "stream " : "") +
               method.output_type()->full_name());
}

Facts FromProto(const FileDescriptor& file) {
  Facts facts;
  for (int i = 0; i < file.message_type_count(); ++i)
    AddMessage(*file.message_type(i), file, facts);
  for (int i = 0; i < file.enum_type_count(); ++i) AddEnum(*file.enum_type(i), file, facts);
  for (int i = 0; i < file.service_count(); ++i) {
    for (int j = 0; j < file.service(i)->method_count(); ++j) {
      AddMethod(*file.service(i)->method(j), facts);
    }
  }
  return facts;
}

/// All .proto files in a pool, whatever their order in the set.
void LoadDescriptors(google::protobuf::DescriptorPool& pool) {
  std::ifstream in(QM_DESCRIPTORS, std::ios::binary);
  google::protobuf::FileDescriptorSet set;
  REQUIRE(set.ParseFromIstream(&in));
  std::set<std::string> built;
  for (size_t before = SIZE_MAX; built.size() != before;) {
    before = built.size();
    for (const auto& file : set.file()) {
      const auto& needed = file.dependency();
      const bool ready = std::all_of(needed.begin(), needed.end(),
                                     [&](const auto& name) { return built.count(name) != 0; });
      if (!ready || built.count(file.name()) != 0) continue;
      REQUIRE(pool.BuildFile(file) != nullptr);
      built.insert(file.name());
    }
  }
  REQUIRE(built.size() == static_cast<size_t>(set.file_size()));
}

std::string Difference(const Facts& from, const Facts& without) {
  std::string text;
  for (const std::string& fact : from) {
    if (without.count(fact) == 0) text += fact + "\n";
  }
  return text;
}

TEST_CASE("the .proto files say what the wire tables say") {
  const fs::path folder = TableFolder();
  if (folder.empty()) {
    WARN("no wire tables beside the project: nothing to compare with");
    return;
  }
  google::protobuf::DescriptorPool pool;
  LoadDescriptors(pool);
  int compared = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().stem().string();
    if (!fs::exists(fs::path(QM_SOURCE_DIR) / "proto" / (name + ".proto"))) continue;
    INFO(name);
    const FileDescriptor* file = pool.FindFileByName(name + ".proto");
    REQUIRE(file != nullptr);
    const Facts table = FromTable(entry.path());
    const Facts proto = FromProto(*file);
    CHECK(Difference(table, proto).empty());
    CHECK(Difference(proto, table).empty());
    if (table != proto) {
      WARN("only in the table of " << name << ":\n" << Difference(table, proto));
      WARN("only in " << name << ".proto:\n" << Difference(proto, table));
    }
    ++compared;
  }
  CHECK(compared >= 6);
}

}  // namespace
}  // namespace api
