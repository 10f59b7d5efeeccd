// SPDX-License-Identifier: GPL-2.0-or-later
/* user_memory.c - which expressions are about the memory of the running process: it is read in another way. */
#include "rules/expr.h"
#include "rules/type.h"

bool expr_place_is_user(const struct expr *e)
{
	switch (e->op) {
	case EXPR_MEMBER:
		return e->arrow ? expr_points_to_user(e->a) : expr_place_is_user(e->a);
	case EXPR_INDEX:
		return e->a->type->kind == TYPE_PTR ? expr_points_to_user(e->a) : expr_place_is_user(e->a);
	case EXPR_DEREF:
		return expr_points_to_user(e->a);
	default:
		return false;
	}
}

bool expr_points_to_user(const struct expr *e)
{
	if (e->type->kind == TYPE_PTR && e->type->is_user)
		return true;
	switch (e->op) {
	case EXPR_MEMBER:
	case EXPR_INDEX:
	case EXPR_DEREF:
		return expr_place_is_user(e);	/* what user memory points to is there, too */
	case EXPR_ADDR:
		return expr_place_is_user(e->a);
	case EXPR_CAST:
		return expr_points_to_user(e->a);
	case EXPR_ADD:
	case EXPR_SUB:
	case EXPR_COND:
		return expr_points_to_user(e->op == EXPR_COND ? e->b : e->a) ||
		       expr_points_to_user(e->op == EXPR_COND ? e->c : e->b);
	default:
		return false;
	}
}
