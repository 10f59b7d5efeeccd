// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check_macro.c - functions that are macros or one line of C in the kernel's sources, written as such in the language:
 * tcp_sk(arg.sk)->snd_wnd, S_ISREG(inode->i_mode). The call is replaced by the text, with its arguments in the place of
 * a and b, and checked as if it had been written so.
 */
#include "rules/check.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/nearest.h"
#include "rules/parse.h"

/* Macros within each other; arguments may stand twice in a text. */
#define NESTED_MAX 6

#define HEADER(type, which) "(struct " type " *)(a->head + a->" which ")"

static const struct macro {
	const char *name;
	uint32_t nparams;
	const char *text;
} macros[] = {
	{ "BIT", 1, "1ul << a" },
	{ "ERR_PTR", 1, "(void *)(long)a" },
	{ "test_bit", 2, "(((unsigned long *)b)[a / 64] >> a % 64 & 1) != 0" },
	{ "atomic_read", 1, "a->counter" },
	{ "atomic64_read", 1, "a->counter" },
	{ "atomic_long_read", 1, "a->counter" },
	{ "refcount_read", 1, "a->refs.counter" },
	{ "kref_read", 1, "a->refcount.refs.counter" },
	{ "list_empty", 1, "a->next == a" },
	{ "this_cpu_ptr", 1, "per_cpu(a, cpu)" },
	{ "MAJOR", 1, "(u32)a >> 20" },
	{ "MINOR", 1, "(u32)a & 0xfffff" },
	{ "S_ISREG", 1, "(a & S_IFMT) == S_IFREG" },
	{ "S_ISDIR", 1, "(a & S_IFMT) == S_IFDIR" },
	{ "S_ISLNK", 1, "(a & S_IFMT) == S_IFLNK" },
	{ "S_ISBLK", 1, "(a & S_IFMT) == S_IFBLK" },
	{ "S_ISCHR", 1, "(a & S_IFMT) == S_IFCHR" },
	{ "S_ISFIFO", 1, "(a & S_IFMT) == S_IFIFO" },
	{ "S_ISSOCK", 1, "(a & S_IFMT) == S_IFSOCK" },
	{ "file_inode", 1, "a->f_inode" },
	{ "d_inode", 1, "a->d_inode" },
	{ "bio_op", 1, "a->bi_opf & REQ_OP_MASK" },
	{ "req_op", 1, "a->cmd_flags & REQ_OP_MASK" },
	{ "dev_get_drvdata", 1, "a->driver_data" },
	{ "inet_sk", 1, "(struct inet_sock *)a" },
	{ "tcp_sk", 1, "(struct tcp_sock *)a" },
	{ "udp_sk", 1, "(struct udp_sock *)a" },
	{ "inet_csk", 1, "(struct inet_connection_sock *)a" },
	{ "skb_shinfo", 1, HEADER("skb_shared_info", "end") },
	{ "eth_hdr", 1, HEADER("ethhdr", "mac_header") },
	{ "ip_hdr", 1, HEADER("iphdr", "network_header") },
	{ "ipv6_hdr", 1, HEADER("ipv6hdr", "network_header") },
	{ "tcp_hdr", 1, HEADER("tcphdr", "transport_header") },
	{ "udp_hdr", 1, HEADER("udphdr", "transport_header") },
	{ "icmp_hdr", 1, HEADER("icmphdr", "transport_header") },
};

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const struct macro *find(const char *name)
{
	for (size_t i = 0; i < LEN(macros); i++) {
		if (!strcmp(macros[i].name, name))
			return &macros[i];
	}
	return NULL;
}

/* The text's tree with the arguments in the places of a and b; all else of it stands at `span`. */
static struct expr *substitute(struct expr *e, struct expr **args, struct span span)
{
	if (!e)
		return NULL;
	if (args && e->op == EXPR_NAME && !e->text[1] && (*e->text == 'a' || *e->text == 'b'))
		return args[*e->text - 'a'];
	e->span = span;
	for (uint32_t i = 0; i < e->nlist; i++)
		e->list[i] = substitute(e->list[i], args, span);
	e->a = substitute(e->a, args, span);
	e->b = substitute(e->b, args, span);
	e->c = substitute(e->c, args, span);
	return e;
}

struct expr *check_text(struct check *c, const char *text, struct expr **args, const struct expr *e)
{
	const struct node node = { .kind = NODE_SCALAR, .text = text, .len = (uint32_t)strlen(text), .span = e->span };
	struct expr *r = parse_expr(c->arena, c->diags, &node);

	return r ? check_expr(c, substitute(r, args, e->span)) : NULL;
}

bool is_macro_call(const struct expr *e)
{
	return find(e->text) != NULL;
}

struct expr *check_macro_call(struct check *c, struct expr *e)
{
	const struct macro *m = find(e->text);
	bool fine = true;
	struct expr *r;

	if (e->nlist != m->nparams) {
		diag_error(c->diags, TAG_TYPE, e->span, "%s() takes %s", e->text,
			   m->nparams == 1 ? "one argument" : "two arguments");
		return NULL;
	}
	if (c->macros == NESTED_MAX) {
		diag_error(c->diags, TAG_LIMIT, e->span, "more than %d functions like %s() within each other",
			   NESTED_MAX, e->text);
		return NULL;
	}
	c->macros++;
	/* first by themselves: what is wrong with them is said once */
	for (uint32_t i = 0; i < e->nlist; i++)
		fine &= check_expr(c, e->list[i]) != NULL;
	r = fine ? check_text(c, m->text, e->list, e) : NULL;
	c->macros--;
	return r;
}

void macro_offer_calls(struct nearest *n)
{
	for (size_t i = 0; i < LEN(macros); i++)
		nearest_offer(n, macros[i].name);
}
