#!/usr/bin/env python3
"""Each lint against planted offenders that it must catch, and against innocents that it must leave alone."""

import os
import shutil
import subprocess
import tempfile
import unittest

import declarations
import determinism
import format as formatting
import index
import layering
import links
import probes
import shape
import sources

CATCH = {
    "clock": ["#include <chrono>", "auto t = std::chrono::steady_clock::now();", "clock_gettime(CLOCK_REALTIME, &t);",
              "uint64_t c = __rdtsc();", "long t = time(nullptr);", "long t = std::time(nullptr);"],
    "thread": ["#include <thread>", "std::mutex lock;", "thread_local int depth = 0;", "std::atomic<int> n;"],
    "file": ["#include <fstream>", 'FILE* f = fopen("x", "r");', "std::cout << 1;", "::pread(fd, p, n, 0);"],
    "socket": ["#include <sys/socket.h>", "#include <boost/asio.hpp>", "int s = ::socket(1, 2, 3);"],
    "environment": ['const char* home = getenv("HOME");', "int p = ::getpid();"],
    "entropy": ["#include <random>", "std::random_device device;", "int r = rand();", "std::shuffle(a, b, c);",
                "std::uniform_int_distribution<int> d(0, 1);", "getrandom(p, 8, 0);"],
    "libm": ["double x = std::log(y);", "double x = exp(y);", "double x = ::pow(y, 2);", "return std::sinf(x);",
             '#include "sim/math.h"\ndouble f(double x) { return std::log(x); }'],
    "pointer": ["std::map<Node*, int> order;", "std::set<const Frame*> seen;", "absl::flat_hash_map<Peer*, int> peers;",
                "auto k = reinterpret_cast<uintptr_t>(p);", "std::sort(a, b, std::less<Node*>());",
                "absl::btree_set<std::unique_ptr<X>> owned;", "std::priority_queue<Job *, V, C> jobs;"],
    "static": ["static int calls = 0;", "int total;", "static std::vector<int> cache;", "const char* name = nullptr;",
               "int Counter::total = 0;", "void f() {\n  static int n = 0;\n  ++n;\n}", "namespace {\nbool warned = false;\n}",
               "class A {\n  static inline int live_ = 0;\n};",
               "void f() {\n  if (a) {\n  } else {\n    static int n{0};\n  }\n}", "std::array<int, 2> two = {1, 2};", "std::string last{\"x\"};"],
    "order": ["absl::flat_hash_map<int, int> m;\nvoid f() {\n  for (auto& e : m) use(e);\n}",
              "struct S {\n  std::unordered_set<int> seen_;\n  void f() { for (int x : seen_) use(x); }\n};",
              "std::unordered_map<int, int> m;\nauto first() { return m.begin(); }",
              "using Index = absl::flat_hash_map<int, int>;\nvoid f(const Index& index) {\n  for (auto [k, v] : index) g(k);\n}",
              "void f(P& p) {\n  absl::node_hash_set<int> all;\n  std::vector<int> v(all.begin(), all.end());\n}"],
}

INNOCENT = [
    "// time(nullptr), rand() and getenv() are what we never call",
    'CHECK(text != "std::thread");',
    "void f(Host& host) {\n  Time now = host.clock().now();\n  uint64_t draw = host.random(\"gossip\").next();\n}",
    "Duration time() const { return time_; }",
    "const double root = std::sqrt(x);",
    "double log(double x);",
    "const double y = sim::log(x);",
    "void puts(int times);",
    '#include "sim/math.h"\nnamespace ringside::sim {\nconst double y = log(x);\n}',
    "struct A {\n  A(Log& owner) : log(owner) {}\n  Log& log;\n};",
    "log.append(record);",
    "static constexpr int kMax = 3;",
    "static const char* const kNames[] = {\"a\"};",
    "inline constexpr Duration kSecond = 1'000'000'000;",
    "constexpr char kDigits[] = \"0123456789abcdef\";",
    "class A {\n  void log(int x);\n  void f() { log(3); }\n};",
    "class Buffer;\nstruct A {\n  int x = 0;\n  static A make();\n};",
    "static Task<void> helper(int a);\nstatic Result<void> other(int b) { return {}; }",
    "constexpr uint64_t kBig = uint64_t{1} << 43;\nconst std::array<int, 2> kTwo = {1, 2};\nconst Thing kThing{3};",
    "void f() {\n  do {\n    int x = 0;\n    g(x);\n  } while (true);\n  auto h = [&] {\n    int y = 1;\n  };\n}",
    "enum class Kind : uint8_t { kOne, kTwo };",
    "struct A {\n  std::map<std::string, Node*> by_name;\n};",
    "struct A {\n  absl::flat_hash_map<int, int> m;\n};\nint A::f() { return m.find(3)->second; }",
    "void f(std::map<int, int> m) {\n  for (auto& e : m) use(e);\n}",
    "namespace a {\nResult<int> f(int x) {\n  int local = 3;\n  return local;\n}\n}",
    "const std::string& name() {\n  static const std::string text = \"x\";\n  return text;\n}",
    "template <class T>\nclass List {\n  T* head_ = nullptr;\n};",
    "#define CHECK(x) \\\n  do_check(x);\nusing Lsn = uint64_t;",
    "ThingAwaiter::ThingAwaiter(Clock& clock) : clock_(clock), at_{0} {}",
    "auto lambda_user(X& x) {\n  return x.each([&](int y) {\n    int z = y;\n    use(z);\n  });\n}",
]


class Determinism(unittest.TestCase):
    def rules(self, code):
        return {rule for _, _, rule, _ in determinism.check_file("node/a.cc", code)}

    def test_every_planted_offender_is_caught_by_its_rule(self):
        for rule, offenders in CATCH.items():
            for code in offenders:
                with self.subTest(code=code):
                    self.assertIn(rule, self.rules(code))

    def test_innocent_code_is_left_alone(self):
        for code in INNOCENT:
            with self.subTest(code=code):
                self.assertEqual([], determinism.check_file("node/a.cc", code))

    def test_a_member_declared_in_a_header_is_known_in_the_source(self):
        header = "class A {\n  absl::flat_hash_map<int, int> waiting_;\n};"
        code = "void A::f() {\n  for (auto& [k, v] : waiting_) v = 1;\n}"
        self.assertEqual({"order"}, {f[2] for f in determinism.check_file("node/a.cc", code, [header])})


class Tree(unittest.TestCase):
    """Lints over a small tree of their own."""

    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)

    def test_a_room_that_looks_up_is_caught(self):
        offenders = {
            "storage/a.cc": '#include "sim/world.h"\n', "node/b.h": '#include "posix/loop.h"\n',
            "sim/c.cc": '#include "protocols/wire.h"\n', "runtime/d.h": '#include "storage/engine.h"\n',
            "analysis/e.cc": '#include "node/node.h"\n', "workloads/f.cc": '#include "protocols/ring.h"\n',
            "workloads/g.proto": 'import "protocols/wire.proto";\n', "cli/h.cc": '#include "bench/rows.h"\n',
            "node/i.cc": "#include <boost/asio.hpp>\n", "cli/j.h": "#include <CLI/CLI.hpp>\n",
        }
        for path, text in offenders.items():
            self.write(path, text)
        self.write("storage/CMakeLists.txt", "ringside_room(storage\n  SOURCES a.cc\n  DEPENDS runtime sim)\n")
        self.assertEqual({"storage/CMakeLists.txt", *offenders}, {f[0] for f in layering.check(self.root)})

    def test_a_room_that_looks_down_and_a_test_that_looks_anywhere_are_fine(self):
        self.write("node/a.cc", '#include "storage/engine.h"\n#include "protocols/wire.h"\n#include "node/node.h"\n')
        self.write("storage/wal_test.cc", '#include "sim/world.h"\n')
        self.write("workloads/b.cc", '#include "protocols/client.h"\n#include "workloads/value.h"\n')
        self.write("lab/c.cc", '// #include "cli/main.h"\n#include "sim/world.h"\n#include "node/node.h"\n')
        self.write("node/CMakeLists.txt", "ringside_room(node\n  SOURCES a.cc\n  DEPENDS storage protocols\n"
                   "  TESTS a_test.cc TEST_DEPENDS sim)\n")
        self.assertEqual([], layering.check(self.root))

    def test_probes_need_a_literal_a_form_and_one_room(self):
        self.write("storage/a.cc", 'void f() { trace.probe("wal.torn_tail_cut"); }\n')
        self.write("node/b.cc", 'void f() { trace.probe("wal.other"); }\n')
        self.write("node/c.cc", "void f() { trace.probe(name); }\n")
        self.write("node/d.cc", 'void f() { host.trace().probe("Shouting"); }\n')
        self.write("scenarios/e.textproto", 'expect { reached: "wal.torn_tail_cut" reached: "wal.never_written" }\n')
        found = [(f[0], f[2]) for f in probes.check(self.root)]
        self.assertEqual({"node/c.cc", "node/d.cc", "scenarios/e.textproto"}, {f[0] for f in found} - {"storage/a.cc",
                                                                                                    "node/b.cc"})
        self.assertTrue(any('prefix "wal."' in f[1] for f in found))
        self.assertEqual(1, sum("wal.never_written" in f[1] for f in found))

    def test_shapes_are_caught(self):
        self.write("node/long.cc", "int f();\n" * 501)
        self.write("node/bare.h", "#include <string>\n")
        self.assertEqual({"node/long.cc", "node/bare.h", "node/README.md"}, {f[0] for f in shape.check(self.root)})

    def test_unformatted_source_is_caught(self):
        shutil.copy(os.path.join(sources.ROOT, ".clang-format"), self.root)
        self.write("good.cc", "int f(int a) { return a; }\n")
        self.write("bad.cc", "int  f( int a ){return a;}\n")
        self.assertEqual(["bad.cc"], [f[0] for f in formatting.check(["good.cc", "bad.cc"], self.root)])

    def test_a_proto_map_and_a_stale_exception_are_caught(self):
        self.write("protocols/a.proto", "message A { map<string, int32> m = 1; }\n")
        stale = [("node/a.cc", "clock", "steady_clock", "none")]
        self.assertEqual(["protocols/a.proto", "node/a.cc"], [f[0] for f in determinism.check(self.root, stale)])


class Links(Tree):
    def library(self, name, code):
        source, made = os.path.join(self.root, name + ".cc"), os.path.join(self.root, name + ".o")
        archive = os.path.join(self.root, f"libringside_{name}.a")
        self.write(name + ".cc", code)
        subprocess.run(["clang++-19", "-c", source, "-o", made], check=True)
        subprocess.run(["llvm-ar-19", "rcs", archive, made], check=True)
        return archive

    def test_a_node_that_calls_the_simulator_is_caught(self):
        sim = self.library("sim", "namespace ringside::sim { int now() { return 1; } }\nint plain() { return 2; }")
        bad = self.library("node", "namespace ringside::sim { int now(); }\nint plain();\nint f() { return plain() + "
                           "ringside::sim::now(); }")
        good = self.library("storage", "int g() { return 3; }\nint h() { return g(); }")
        self.assertEqual([("libringside_node.a", {"plain()", "ringside::sim::now()"})],
                         [(os.path.basename(library), names) for library, names in links.leaks([bad, good], [sim])])

    def test_a_source_compiled_twice_or_for_one_world_is_caught(self):
        commands = [{"file": "/p/node/a.cc", "command": "clang -c a.cc"}, {"file": "/p/node/a.cc", "command": "clang -DX"},
                    {"file": "/p/storage/b.cc", "command": "clang -DRINGSIDE_SIM=1 -c b.cc"},
                    {"file": "/p/storage/c.cc", "command": "clang -c c.cc"}]
        expected = ["node/a.cc", "storage/b.cc", "storage/c.cc", "storage/d.cc"]
        self.assertEqual(["node/a.cc", "storage/b.cc", "storage/d.cc"],
                         sorted(f[0] for f in links.command_findings(commands, expected, "/p")))


class Index(unittest.TestCase):
    def test_a_scenario_that_the_index_does_not_know_is_found(self):
        with tempfile.TemporaryDirectory() as root:
            folder = os.path.join(root, "scenarios", "failures")
            os.makedirs(folder)
            with open(os.path.join(folder, "disk_new.textproto"), "w") as file:
                file.write('name: "disk_new"\nabout: "A new one"\n')
            readme = os.path.join(root, index.README)
            with open(readme, "w") as file:
                file.write("\n".join(["# x", index.MARKS[0], *index.index(root), index.MARKS[1]]))
            self.assertEqual([], index.check(root))
            with open(os.path.join(folder, "disk_newer.textproto"), "w") as file:
                file.write('name: "disk_newer"\nabout: "A newer one"\n')
            self.assertEqual([index.README], [finding[0] for finding in index.check(root)])


class Reading(unittest.TestCase):
    def test_blanking_keeps_lines_and_columns(self):
        text = 'int a; // x\nconst char* s = "a//b"; /* y\nz */ int b = 1\'000;\nauto r = R"(\n")";\n'
        blanked = sources.blank(text)
        self.assertEqual([len(line) for line in text.splitlines()], [len(line) for line in blanked.splitlines()])
        self.assertNotIn("//", blanked)
        self.assertIn("int b = 1'000;", blanked)

    def test_statics_are_named(self):
        self.assertEqual([(2, "x")], list(declarations.mutable_statics("namespace a {\nint x;\n}\n")))


if __name__ == "__main__":
    unittest.main()
