/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory.h - the memory that generated expressions look at: things that point to each other, lists, texts, bad pointers. */
#ifndef TESTS_DIFF_MEMORY_H
#define TESTS_DIFF_MEMORY_H

#include <stdint.h>

#define MEMORY_SIZE 16384

/* Fill it for a place at address `base`. */
void memory_fill(uint64_t *state, uint8_t *memory, uint64_t base);

/* A pointer to a thing in it, or a bad one. */
uint64_t memory_thing(uint64_t *state, uint64_t base);

/* Texts of user memory, and where one begins. */
extern char memory_user[4096];
uint64_t memory_user_text(uint64_t *state);

#endif
