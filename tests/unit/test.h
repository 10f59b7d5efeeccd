/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test.h - cmocka with what it needs included before it. One file per module; test names say what holds. */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Test functions that need no state leave the parameter unused. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#endif
