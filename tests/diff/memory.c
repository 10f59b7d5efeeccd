// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/diff/memory.h"

#include <string.h>

#include "tests/diff/generate.h"

/* The layout that the bytecode is relocated to. */
#define FILL(type, name) type name;
#define LOW 5
#define HIGH 80000
#define BIG 0xfedcba9876543210ull
#include "tests/diff/subject.h"

#define THINGS 8
#define FIRST_THING 2048
#define THING_STEP 512
#define FIRST_TEXT 8192
#define TEXTS 16
#define TEXT_STEP 64

_Static_assert(sizeof(struct thing) <= THING_STEP - 64, "things are too large");

char memory_user[4096];

static uint32_t below(uint64_t *state, uint32_t n)
{
	return (uint32_t)(random_next(state) >> 20) % n;
}

static void random_text(uint64_t *state, char *to, uint32_t size)
{
	static const char *const texts[] = { "", "a", "ab", "abc", "df-diff", "abcdefg", "abcdefgh", "abcdefghi", "a*b",
					     "x*y", "abcdefghijklmno", "abcdefghijklmnop", "a..z..9", "c",
					     "abcdefghijklmnopqrstuvwxyz0123456789" };

	strncpy(to, texts[below(state, sizeof(texts) / sizeof(texts[0]))], size);
	if (!below(state, 4))
		to[below(state, size)] = (char)('a' + below(state, 6));
}

static uint64_t bad_pointer(uint64_t *state)
{
	static const uint64_t bad[] = { 0, 16, 4095, 0xdead000000000100, 0x5000 };

	return bad[below(state, sizeof(bad) / sizeof(bad[0]))];
}

uint64_t memory_thing(uint64_t *state, uint64_t base)
{
	if (!below(state, 6))
		return bad_pointer(state);
	return base + FIRST_THING + below(state, THINGS) * THING_STEP;
}

static uint64_t any_text(uint64_t *state, uint64_t base)
{
	return below(state, 6) ? base + FIRST_TEXT + below(state, TEXTS) * TEXT_STEP : bad_pointer(state);
}

uint64_t memory_user_text(uint64_t *state)
{
	return below(state, 5) ? (uint64_t)(memory_user + 64 * below(state, 32)) : bad_pointer(state);
}

#define AT(base, memory, p) ((uint64_t)(base) + (uint64_t)((uint8_t *)(p) - (memory)))
#define PTR(addr) ((void *)(addr))

/* A ring of some things after a head, now and then broken; and a list with an end. */
static void make_lists(uint64_t *state, uint8_t *memory, uint64_t base, struct thing *head)
{
	struct list_head *last = &head->head;
	struct hlist_node **hlast = &head->hhead.first;
	uint32_t n = below(state, 5);

	for (uint32_t i = 0; i < n; i++) {
		struct thing *t = (struct thing *)(memory + FIRST_THING + below(state, THINGS) * THING_STEP);

		last->next = PTR(AT(base, memory, &t->link));
		last = &t->link;
		*hlast = PTR(AT(base, memory, &t->hlink));
		hlast = &t->hlink.next;
	}
	last->next = below(state, 8) ? PTR(AT(base, memory, &head->head)) : PTR(bad_pointer(state));
	*hlast = below(state, 8) ? NULL : PTR(bad_pointer(state));
}

void memory_fill(uint64_t *state, uint8_t *memory, uint64_t base)
{
	uint64_t *words = (uint64_t *)memory;

	for (uint32_t i = 0; i < MEMORY_SIZE / 8; i++)
		words[i] = random_number(state);
	for (uint32_t i = 0; i < TEXTS; i++)
		random_text(state, (char *)memory + FIRST_TEXT + i * TEXT_STEP, TEXT_STEP - 8);
	for (uint32_t i = 0; i < 32; i++)
		random_text(state, memory_user + 64 * i, 56);
	for (uint32_t i = 0; i < THINGS; i++) {
		struct thing *t = (struct thing *)(memory + FIRST_THING + i * THING_STEP);

		t->m_bool = below(state, 2);
		t->next = PTR(memory_thing(state, base));
		t->text = PTR(any_text(state, base));
		t->untyped = PTR(memory_thing(state, base));
		random_text(state, t->name, sizeof(t->name));
		make_lists(state, memory, base, t);
	}
}
