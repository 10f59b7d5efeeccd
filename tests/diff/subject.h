/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * subject.h - what generated expressions are about. Built twice: the rules are checked against one layout and run on
 * another (LAYOUT 2), as an object that was compiled for one kernel runs on the next.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;

enum kind { KIND_NONE, KIND_LOW = LOW, KIND_HIGH = HIGH, KIND_NEGATIVE = -7 };
enum wide { WIDE_ONE = 1, WIDE_BIG = BIG };

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

struct pair {
	FILL(u32, p0)
	s16 left;
	FILL(u64, p1)
	u32 right;
};

struct thing {
	FILL(u64, f0[2])
	u8 m_u8;
	s16 m_s16;
	FILL(u32, f1)
	u64 m_u64;
	s8 m_s8;
	u16 m_u16;
	_Bool m_bool;
	FILL(u16, f2)
	s64 m_s64;
	u32 m_u32;
	FILL(u32, f3)
	s32 m_s32;
	u32 b_3 : 3;
	FILL(u32, b_fill : 5)
	u32 b_11 : 11;
	s32 b_s5 : 5;
	s32 b_s9 : 9;
	u64 b_33 : 33;
	FILL(u64, b_fill2 : 7)
	s64 b_s21 : 21;
	u8 b_last : 2;
	FILL(u64, f4)
	struct thing *next;
	enum kind kind;
	enum wide wide;
	u16 array[4];
	s32 numbers[3];
	FILL(u32, f5)
	struct pair inner;
	struct pair pairs[3];
	union {
		u32 one;
		s16 other;
	};
	FILL(u8, f6)
	char name[16];
	const char *text;
	struct list_head head, link;
	struct hlist_head hhead;
	struct hlist_node hlink;
	void *untyped;
};

#ifdef FUNCTION
/* The function that rules probe has more arguments than clang takes for BPF: types.c makes it of these members. */
struct arguments {
	struct thing *t;
	u32 a;
	s32 b;
	u64 c;
	s64 d;
	s16 e;
} subject_arguments;
struct thing subject_thing;
#endif
