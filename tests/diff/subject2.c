// SPDX-License-Identifier: GPL-2.0-or-later
#define FILL(type, name) type name;
#define LOW 5
#define HIGH 80000
#define BIG 0xfedcba9876543210ull
#define FUNCTION
#include "tests/diff/subject.h"
