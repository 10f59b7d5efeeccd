// SPDX-License-Identifier: GPL-2.0-or-later
/* usdt_operand.c - operands of USDT notes: x86-64 assembler syntax to where the value is at run time. */
#include <stdlib.h>
#include <string.h>

#include "agent/usdt.h"

/* struct pt_regs of x86-64 (arch/x86/include/asm/ptrace.h) by register name. */
static const struct {
	const char *names[5];
	uint16_t offset;
} regs[] = {
	{ { "r15", "r15d", "r15w", "r15b" }, 0 },  { { "r14", "r14d", "r14w", "r14b" }, 8 },
	{ { "r13", "r13d", "r13w", "r13b" }, 16 }, { { "r12", "r12d", "r12w", "r12b" }, 24 },
	{ { "rbp", "ebp", "bp", "bpl" }, 32 },	   { { "rbx", "ebx", "bx", "bl", "bh" }, 40 },
	{ { "r11", "r11d", "r11w", "r11b" }, 48 }, { { "r10", "r10d", "r10w", "r10b" }, 56 },
	{ { "r9", "r9d", "r9w", "r9b" }, 64 },	   { { "r8", "r8d", "r8w", "r8b" }, 72 },
	{ { "rax", "eax", "ax", "al", "ah" }, 80 }, { { "rcx", "ecx", "cx", "cl", "ch" }, 88 },
	{ { "rdx", "edx", "dx", "dl", "dh" }, 96 }, { { "rsi", "esi", "si", "sil" }, 104 },
	{ { "rdi", "edi", "di", "dil" }, 112 },	   { { "rip", "eip", "ip" }, 128 },
	{ { "rsp", "esp", "sp", "spl" }, 152 },
};
#define REG_RIP 128

struct operand {
	const char *p, *end;
};

static bool eat(struct operand *o, char c)
{
	if (o->p >= o->end || *o->p != c)
		return false;
	o->p++;
	return true;
}

static bool parse_reg(struct operand *o, uint16_t *offset)
{
	size_t len;

	if (!eat(o, '%'))
		return false;
	for (len = 0; o->p + len < o->end && strchr(",)", o->p[len]) == NULL; len++)
		;
	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		for (int n = 0; n < 5 && regs[i].names[n]; n++) {
			/* high-byte registers are bits 8-15: not worth a kind of their own */
			if (strlen(regs[i].names[n]) != len || strncmp(regs[i].names[n], o->p, len) != 0)
				continue;
			if (regs[i].names[n][1] == 'h')
				return false;
			*offset = regs[i].offset;
			o->p += len;
			return true;
		}
	}
	return false;
}

static bool parse_number(struct operand *o, int64_t *v)
{
	char text[32], *stop;
	size_t len = (size_t)(o->end - o->p) < sizeof(text) - 1 ? (size_t)(o->end - o->p) : sizeof(text) - 1;

	memcpy(text, o->p, len);
	text[len] = '\0';
	*v = (int64_t)strtoull(text, &stop, 0);
	if (stop == text)
		return false;
	o->p += stop - text;
	return true;
}

/* A displacement: numbers and symbols added up ("8+counter", "counter-4", "-16"). */
static bool parse_displacement(struct operand *o, uint64_t (*symbol)(const char *name, void *arg), void *arg,
			       int64_t *value, bool *has_symbol)
{
	int64_t sign = 1, n;

	*value = 0;
	*has_symbol = false;
	while (o->p < o->end && *o->p != '(') {
		char name[256];
		size_t len;

		if (eat(o, '+')) {
			sign = 1;
			continue;
		}
		if (eat(o, '-')) {
			sign = -1;
			continue;
		}
		if (parse_number(o, &n)) {
			*value += sign * n;
			sign = 1;
			continue;
		}
		for (len = 0; o->p + len < o->end && !strchr("+-(", o->p[len]); len++)
			;
		if (!len || len >= sizeof(name) || *has_symbol)
			return false;
		memcpy(name, o->p, len);
		name[len] = '\0';
		o->p += len;
		n = (int64_t)symbol(name, arg);
		if (!n || sign < 0)
			return false;
		*value += n;
		*has_symbol = true;
	}
	return true;
}

/* disp(base), disp(base,index), disp(base,index,scale), disp(,index,scale), symbol(%rip) */
static bool parse_memory(struct operand *o, uint64_t pc, uint64_t (*symbol)(const char *name, void *arg), void *arg,
			 struct df_usdt_arg *ret)
{
	int64_t scale = 1, value = 0;
	bool has_symbol, has_base;

	ret->index = DF_USDT_NO_REG;
	ret->scale = 1;
	ret->kind = DF_USDT_MEM;
	if (!parse_displacement(o, symbol, arg, &value, &has_symbol) || !eat(o, '('))
		return false;
	ret->value = value;
	has_base = parse_reg(o, &ret->reg);
	if (eat(o, ',')) {
		if (!parse_reg(o, &ret->index))
			return false;
		if (eat(o, ',') && !parse_number(o, &scale))
			return false;
		ret->scale = (uint8_t)scale;
	}
	if (!eat(o, ')') || o->p != o->end || (!has_base && ret->index == DF_USDT_NO_REG))
		return false;
	if (!has_base) {
		/* (,%rcx,8): the index is the only register; value + index * scale with base 0 is not one of ours
		 * unless the scale is 1 */
		if (scale != 1)
			return false;
		ret->reg = ret->index;
		ret->index = DF_USDT_NO_REG;
	}
	if (has_base && ret->reg == REG_RIP) {
		if (!has_symbol || ret->index != DF_USDT_NO_REG)
			return false;
		ret->kind = DF_USDT_IP;
		ret->value -= (int64_t)pc;
		return true;
	}
	return !has_symbol;
}

/* Compilers write a constant as it suits the assembler: an unsigned short of 65000 is 2@$-536. */
static int64_t constant_of(int64_t value, const struct df_usdt_arg *arg)
{
	uint32_t shift = 64 - arg->size * 8;
	uint64_t left = (uint64_t)value << shift;

	return arg->is_signed ? (int64_t)left >> shift : (int64_t)(left >> shift);
}

bool usdt_operand(const char *text, size_t len, uint64_t pc, uint64_t (*symbol)(const char *name, void *arg), void *arg,
		  struct df_usdt_arg *ret)
{
	struct operand o = { text, text + len };
	int64_t size, value;

	memset(ret, 0, sizeof(*ret));
	ret->index = DF_USDT_NO_REG;
	ret->scale = 1;
	ret->is_signed = eat(&o, '-');
	if (!parse_number(&o, &size) || !eat(&o, '@') || (size != 1 && size != 2 && size != 4 && size != 8))
		return false;
	ret->size = (uint8_t)size;
	if (eat(&o, '$')) {
		ret->kind = DF_USDT_CONST;
		if (!parse_number(&o, &value))
			return false;
		ret->value = constant_of(value, ret);
		return o.p == o.end;
	}
	if (o.p < o.end && *o.p == '%') {
		ret->kind = DF_USDT_REG;
		return parse_reg(&o, &ret->reg) && o.p == o.end;
	}
	return parse_memory(&o, pc, symbol, arg, ret);
}
