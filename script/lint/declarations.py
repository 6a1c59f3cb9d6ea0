"""What the determinism lint must understand of C++ declarations, read from text whose literals are blanked: enough to
know a mutable static, a container without order and a pointer used as a key. It knows no types; where a name says too
little it errs towards a finding, which a clearer name or an exception with a reason settles.
"""

import re

import sources

KEYED = (r"(?:std|absl|boost)::(?:unordered_(?:flat_)?(?:multi)?(?:map|set)|(?:multi)?(?:map|set)|btree_(?:multi)?(?:map|set)|"
         r"(?:flat|node)_hash_(?:map|set)|priority_queue)")
UNORDERED = r"(?:std::unordered_(?:multi)?(?:map|set)|absl::(?:flat|node)_hash_(?:map|set)|boost::unordered_\w+)"
NOT_A_VARIABLE = re.compile(
    r"^(?:using|typedef|class|struct|union|enum|template|namespace|friend|static_assert|extern|concept|requires|return|"
    r"public|private|protected|case|default|goto|co_return|co_await|#)\b")

# What opens a block, though no parenthesis says so.
BLOCK = re.compile(r"(?:^|[\s>])(?:class|struct|union|enum|namespace)\b[^=]*$|\b(?:else|do|try)$|^extern\b|^$")


def template_end(text, start):
    """The offset after the `>` that closes the `<` at `start`, or -1."""
    depth = 0
    for at in range(start, len(text)):
        if text[at] == "<":
            depth += 1
        elif text[at] == ">":
            depth -= 1
            if depth == 0:
                return at + 1
        elif text[at] in ";{":
            return -1
    return -1


def first_argument(text, start):
    """The first template argument of the `<` at `start`."""
    depth = 0
    for at in range(start, len(text)):
        if text[at] in "<(":
            depth += 1
        elif text[at] in ">)":
            depth -= 1
        if (depth == 0 and text[at] == ">") or (depth == 1 and text[at] == ","):
            return text[start + 1:at].strip()
    return ""


def pointer_keys(code):
    for use in re.finditer(KEYED + r"\s*(<)", code):
        key = first_argument(code, use.start(1))
        if re.search(r"\*\s*(?:const)?$", key) or re.match(r"std::(?:unique|shared|weak)_ptr\b|std::coroutine_handle\b", key):
            yield sources.line_of(code, use.start()), key


def unordered_names(code):
    """Names of variables, members and functions whose type is a container without order, aliases included."""
    kinds = UNORDERED
    for alias in re.findall(r"\busing\s+(\w+)\s*=\s*" + UNORDERED + r"\b", code):
        kinds += r"|\b" + alias + r"\b"
    names = set()
    for use in re.finditer(r"(?:" + kinds + r")\s*(<)?", code):
        after = template_end(code, use.start(1)) if use.group(1) else use.end()
        declared = re.match(r"\s*(?:const\b)?\s*[&*]?\s*(\w+)\s*[;={(\[,)]", code[after:]) if after >= 0 else None
        if declared and declared.group(1) not in ("const", "operator"):
            names.add(declared.group(1))
    return names


def iterations(code, names):
    """(line, name) wherever one of `names` is walked."""
    if not names:
        return
    any_name = "|".join(map(re.escape, sorted(names)))
    for loop in re.finditer(r"\bfor\s*\(", code):
        head, depth = "", 0
        for char in code[loop.end() - 1:loop.end() + 600]:
            depth += {"(": 1, ")": -1}.get(char, 0)
            head += char
            if depth == 0:
                break
        ranged = re.search(r"(?<!:):(?!:)(.*)\)$", head, re.S)
        if ranged and ";" not in ranged.group(1):
            hit = re.search(r"(?:^|[^\w])(" + any_name + r")\s*(?:\(\s*\))?\s*$", ranged.group(1).strip())
            if hit:
                yield sources.line_of(code, loop.start()), hit.group(1)
    for walk in re.finditer(r"\b(" + any_name + r")\s*(?:\.|->)\s*c?begin\s*\(", code):
        yield sources.line_of(code, walk.start()), walk.group(1)
    for walk in re.finditer(r"\b(?:std::begin|std::cbegin|(?:std|absl)::erase_if)\s*\(\s*(?:\w+(?:\.|->))?(" + any_name + r")\b",
                            code):
        yield sources.line_of(code, walk.start()), walk.group(1)


def statements(code):
    """(offset, text, level) of every statement's head: up to its `;`, or the `{` that opens its body. `level` is
    "namespace", "type" or "code", by what encloses it."""
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group()), code, flags=re.M)
    stack, start, at, round_depth = ["namespace"], 0, 0, 0
    while at < len(code):
        char = code[at]
        if char in "([":
            round_depth += 1
        elif char in ")]":
            round_depth -= 1
        elif char == "{":
            bare = code[start:at].strip()
            if round_depth > 0 or re.search(r"=\s*[\w:<>, ]*$|^[^()]*[\w>]$", bare) and not BLOCK.search(bare):
                stack.append("value")  # braces inside an expression: the statement goes on after them
                at += 1
                continue
            yield start, code[start:at], stack[-1]
            if re.search(r"\bnamespace\b[\w\s:]*$|^extern\s*\"\s*\"$", bare):
                stack.append("namespace")
            elif re.search(r"(?:^|[\s>])(?:class|struct|union|enum)\b[^()=]*$", bare):
                stack.append("type")
            else:
                stack.append("code")
            start = at + 1
        elif char == "}":
            if len(stack) > 1 and stack.pop() == "value":
                at += 1
                continue
            start = at + 1
        elif char == ";" and round_depth <= 0:
            yield start, code[start:at], stack[-1]
            start, round_depth = at + 1, 0
        elif char == ":" and re.search(r"\b(?:public|private|protected)\s*$", code[start:at]):
            start = at + 1
        at += 1


def mutable_statics(code):
    """(line, name) of namespace-scope variables, static members and static locals that can change."""
    for offset, text, level in statements(code):
        lead = len(text) - len(text.lstrip())
        bare = re.sub(r"^(?:\[\[[^\]]*\]\]\s*)+", "", text.strip())
        static = re.match(r"(?:inline\s+|constinit\s+)*static\b", bare)
        if not bare or (level != "namespace" and not static) or NOT_A_VARIABLE.match(bare):
            continue
        bare = re.sub(r"^(?:(?:static|inline|constinit)\s+)+", "", bare)
        before = re.split(r"=|\{", bare, maxsplit=1)[0].strip()
        if "constexpr" in before or "(" in before or "operator" in before or NOT_A_VARIABLE.match(before):
            continue
        pieces = re.match(r"(.*[\s*&>])((?:\w+::)*\w+)\s*((?:\[[^\]]*\]\s*)*)$", before, re.S)
        if pieces is None:
            continue
        kind, name = pieces.group(1).strip(), pieces.group(2)
        if kind.endswith("*"):
            constant = False  # a pointer that may point elsewhere, whatever it points at
        else:
            constant = bool(re.match(r"const\b", kind) or re.search(r"\bconst$", kind) or re.search(r"\bconst\s*&$", kind))
        if not constant:
            yield sources.line_of(code, offset + lead), name
