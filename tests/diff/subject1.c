// SPDX-License-Identifier: GPL-2.0-or-later
#define FILL(type, name)
#define LOW 3
#define HIGH 70000
#define BIG 0x123456789abcdef0ull
#define FUNCTION
#include "tests/diff/subject.h"
