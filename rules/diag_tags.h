/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diag_tags.h - every kind of error, once: DIAG_TAG(ID, "name", "when"). Each has a test in tests/rules/. */
DIAG_TAG(YAML, "yaml", "the text is not YAML")
DIAG_TAG(TOO_BIG, "too-big", "the rule needs more than BPF allows: instructions, stack, payload, branches")
