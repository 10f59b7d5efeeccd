#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# schema.sh - contrib/deadfall-rule.schema.json accepts every rule of the repository that deadfall accepts, refuses those
# whose shape is wrong, and knows every key that the compiler knows.
set -u
cd "$(dirname "$0")/../.." || exit 99
exec python3 - <<'P'
import glob, json, re, sys
import jsonschema, yaml

schema = json.load(open("contrib/deadfall-rule.schema.json"))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
bad = n = 0

def result(ok, what, detail=""):
    global bad, n
    n += 1
    bad += not ok
    print(f"{'ok' if ok else 'not ok'} {n} - {what}")
    if not ok and detail:
        print(detail)

def errors(text):
    out = []
    for doc in yaml.safe_load_all(text):
        out += [f"{'/'.join(map(str, e.path))}: {e.message}" for e in validator.iter_errors(doc)] if doc else []
    return out

good = sorted(glob.glob("tests/rules/ok.*/rule.yaml") + glob.glob("rules/catalog/**/*.yaml", recursive=True))
for path in good:
    found = errors(open(path).read())
    result(not found, f"{path} is accepted", "\n".join(found[:3]))
blocks = re.findall(r"^```yaml\n(.*?)^```", open("docs/rule-language.md").read(), re.M | re.S)
for i, block in enumerate(blocks):
    found = errors(block)
    result(not found, f"example {i + 1} of the language's page is accepted", "\n".join(found[:3]))
for path in sorted(glob.glob("tests/rules/err.unknown-key.*/rule.yaml") + glob.glob("tests/rules/err.missing-key.rule/rule.yaml")):
    if "unknown-key.kind" not in path:
        result(bool(errors(open(path).read())), f"{path} is refused")

# The compiler's tables of keys, and the schema's objects that are the same: keys, which are required, ranges of numbers.
KEEP = "$defs/keep/oneOf"
OBJECTS = {
    "rule_keys": "", "context_keys": "properties/context", "guard_keys": "properties/guard",
    "table_keys": "properties/tables/additionalProperties", "set_keys": "properties/sets/additionalProperties/oneOf/1",
    "event_keys": "$defs/event", "delay_keys": "$defs/event/properties/delay/oneOf/1", "kstack_keys": KEEP + "/1",
    "bytes_keys": KEEP + "/2", "transition_keys": "$defs/transition/oneOf/1", "match_keys": "$defs/match",
    "read_balance": "$defs/match/properties/balance", "read_lifecycle": "$defs/match/properties/lifecycle",
    "read_population": "$defs/match/properties/population",
}
# Not read by a table: two named events, a state's transitions, an action.
OTHERS = {"$defs/match/properties/latency/oneOf/1", "$defs/match/properties/overlap",
          "$defs/match/properties/automaton/additionalProperties/oneOf/1", "$defs/action/oneOf/1"}

def at(path):
    node = schema
    for part in filter(None, path.split("/")):
        node = node[int(part)] if isinstance(node, list) else node[part]
    return node

def objects(node, path=""):
    if isinstance(node, dict) and "properties" in node:
        yield path
    for key, child in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from objects(child, f"{path}/{key}".lstrip("/"))

def number(text):
    text = re.sub(r"(\d)[uUlL]+", r"\1", text)
    return eval(text) if re.fullmatch(r"[\d<() ]+", text) else None

def tables():
    for source in sorted(glob.glob("rules/read*.c")):
        code = open(source).read()
        for m in re.finditer(r"struct key (\w+)\[\] = \{\n(.*?)\{ 0 \}", code, re.S):
            name = m[1] if m[1] != "keys" else re.findall(r"^static void (\w+)\(", code[: m.start()], re.M)[-1]
            keys = {k: (False, "", "") for k in re.findall(r"NODE_KEY\((\w+)\)", m[2])}
            for e in re.finditer(r'\{ "(\w+)", (KEY_\w+), (true|false)(.*?)\},?\n', m[2]):
                keys[e[1]] = (e[3] == "true", e[2], e[4])
            yield name, keys

seen = set()
for name, keys in tables():
    if name == "read_two":
        continue
    seen.add(name)
    result(name in OBJECTS, f"the schema's object for {name} is known to this test")
    if name not in OBJECTS:
        continue
    o = at(OBJECTS[name])
    result(set(keys) == set(o["properties"]), f"{name}: the schema has the same keys", f"{sorted(keys)}\n{sorted(o['properties'])}")
    required = {k for k, v in keys.items() if v[0]}
    result(required == set(o.get("required", [])), f"{name}: the schema requires the same keys", str(required))
    for key, (_, kind, rest) in keys.items():
        for bound, word in ("min", "minimum"), ("max", "maximum"):
            m = re.search(rf"\.{bound} = ([^,}}]+)", rest)
            if kind in ("KEY_UINT", "KEY_COUNT") and m and number(m[1].strip()) is not None:
                text = json.dumps(o["properties"].get(key, {}))
                result(f'"{word}": {number(m[1].strip())}' in text, f"{name}: {key}: {word} {m[1].strip()}", text)
result(seen == set(OBJECTS), "all tables were found", str(set(OBJECTS) - seen))
unknown = set(objects(schema)) - set(OBJECTS.values()) - OTHERS
result(not unknown, "no object of the schema is without its table", str(unknown))
sys.exit(bad > 0)
P
