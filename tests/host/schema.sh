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

# Every key of the compiler's tables stands somewhere in the schema.
text = json.dumps(schema)
for source in glob.glob("rules/read*.c"):
    code = open(source).read()
    for key in re.findall(r'\{ "([a-z_]+)", KEY_', code) + re.findall(r"NODE_KEY\((\w+)\)(?! )", code):
        result(f'"{key}"' in text or key == "name", f"key '{key}' of {source} is in the schema")
sys.exit(bad > 0)
P
