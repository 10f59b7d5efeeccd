// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check_order.c - byte order: ports and addresses of packets lie in the network's, and BTF tells (__be16, __be32, __be64).
 *
 * ntohs() and its like swap bytes, as x86-64 must; a comparison of a value in network order with a plain number is a
 * rule that never fires, so it gets a warning.
 */
#include "rules/check.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/arena.h"

static const struct {
	const char *name;
	uint8_t size;
	bool to_network;
} swaps[] = {
	{ "ntohs", 2, false }, { "ntohl", 4, false }, { "htons", 2, true }, { "htonl", 4, true },
	{ "be16_to_cpu", 2, false }, { "be32_to_cpu", 4, false }, { "be64_to_cpu", 8, false },
	{ "cpu_to_be16", 2, true }, { "cpu_to_be32", 4, true }, { "cpu_to_be64", 8, true },
};

static const struct type *network_type(struct check *c, uint32_t size)
{
	struct type *t = arena_new(c->arena, struct type);

	*t = *type_int(c->types, size, false);
	t->is_be = true;
	t->name = size == 2 ? "__be16" : size == 4 ? "__be32" : "__be64";
	return t;
}

uint64_t swap_bytes(uint64_t value, uint32_t size)
{
	return size == 2 ? __builtin_bswap16((uint16_t)value) : size == 4 ? __builtin_bswap32((uint32_t)value) :
	       __builtin_bswap64(value);
}

struct expr *call_swap(struct check *c, struct expr *e, enum func func)
{
	const struct type *from, *to;
	struct expr *a = check_value(c, e->list[0]), *r;
	uint32_t i = 0;

	if (!a)
		return NULL;
	if (!type_is_integer(a->type)) {
		diag_error(c->diags, TAG_TYPE, a->span, "%s() takes an integer, not '%s'", e->text,
			   type_text(c->arena, a->type));
		return NULL;
	}
	while (strcmp(swaps[i].name, e->text))
		i++;
	from = type_int(c->types, swaps[i].size, false);
	to = swaps[i].to_network ? network_type(c, swaps[i].size) : from;
	a = convert(c, a, from);
	if (is_const(a) && !is_enumerator(a))
		return new_int(c, e->span, to, swap_bytes(a->value, from->size));
	r = new_expr(c, EXPR_CALL, e->span, to, NULL, NULL);
	r->index = func;
	r->text = e->text;
	r->list = arena_new(c->arena, struct expr *);
	r->list[0] = a;
	r->nlist = 1;
	return r;
}

/* ipv4("10.0.0.1"): as the kernel has it in a __be32 */
struct expr *call_ipv4(struct check *c, struct expr *e, enum func func)
{
	const struct expr *text = e->list[0];
	struct in_addr addr;

	(void)func;
	if (text->op != EXPR_STR || inet_pton(AF_INET, text->text, &addr) != 1) {
		diag_error(c->diags, TAG_BAD_VALUE, text->span, "ipv4() takes an address: ipv4(\"192.168.0.1\")");
		return NULL;
	}
	return new_int(c, e->span, network_type(c, 4), addr.s_addr);
}

/* A constant that is the same in either order. */
static bool has_no_order(const struct expr *e, uint32_t size)
{
	return is_const(e) && (swap_bytes(e->value, size) == (size == 8 ? e->value : e->value & ((1ull << size * 8) - 1)));
}

void warn_byte_order(struct check *c, const struct expr *cmp, const struct expr *a, const struct expr *b)
{
	const struct expr *network = a->type->is_be ? a : b, *other = network == a ? b : a;
	bool ordered = cmp->op != EXPR_EQ && cmp->op != EXPR_NE && cmp->op != EXPR_IN;
	uint32_t size = network->type->size;

	if (!network->type->is_be || !type_is_integer(other->type))
		return;
	if (!ordered && (other->type->is_be || has_no_order(other, size)))
		return;
	diag_hint(c->diags, diag_warn(c->diags, TAG_BYTE_ORDER, cmp->span, "'%s' is in the network's byte order",
				      network->type->name),
		  size == 2 ? "ntohs(...) makes a number of it" : size == 4 ?
		  "ntohl(...) makes a number of it; an address is written ipv4(\"10.0.0.1\")" :
		  "be64_to_cpu(...) makes a number of it");
}
