/*
 * pile: the bytes of many files, read and verified in the pool for one asker,
 * who may leave before that is done.
 */
#include "fs/view/relay.h"

#include <errno.h>
#include <string.h>

struct item {
	char *path;
	unsigned root;
	struct hf_digest digest;
	struct hf_verified *bytes; /* a reference, or NULL: to be read */
	struct hf_buf raw;
	int error;
};

/* What the job works on. */
struct stack {
	struct hf_view *view;
	struct item *items;
	size_t n;
	size_t cap;
};

struct hf_pile {
	struct stack *stack;
	struct hf_wait *asker;
	struct hf_errand *errand; /* NULL: not begun; then it has the stack */
};

static void stack_free(void *arg)
{
	struct stack *stack = arg;

	for (size_t i = 0; stack && i < stack->n; i++) {
		free(stack->items[i].path);
		hf_verified_unref(stack->items[i].bytes);
		hf_buf_fini(&stack->items[i].raw);
	}
	if (stack)
		free(stack->items);
	free(stack);
}

int hf_pile_new(struct hf_view *view, struct hf_wait *asker,
		struct hf_pile **ret)
{
	struct hf_pile *pile = calloc(1, sizeof(*pile));
	struct stack *stack = calloc(1, sizeof(*stack));

	if (!pile || !stack) {
		free(pile);
		free(stack);
		return -ENOMEM;
	}
	stack->view = view;
	pile->stack = stack;
	pile->asker = asker;
	*ret = pile;
	return 0;
}

void hf_pile_free(struct hf_pile *pile)
{
	if (!pile)
		return;
	if (pile->errand)
		hf_errand_end(pile->errand);
	else
		stack_free(pile->stack);
	free(pile);
}

static int make_room(struct stack *stack)
{
	size_t cap = stack->cap ? 2 * stack->cap : 16;
	struct item *items;

	if (stack->n < stack->cap)
		return 0;
	items = reallocarray(stack->items, cap, sizeof(*items));
	if (!items)
		return -ENOMEM;
	stack->items = items;
	stack->cap = cap;
	return 0;
}

int hf_pile_add(struct hf_pile *pile, const struct hf_vertex *vertex)
{
	struct stack *stack = pile->stack;
	struct item item = {.root = vertex->root, .digest = vertex->raw.digest};

	if (make_room(stack) < 0)
		return -ENOMEM;
	item.path = strdup(vertex->path);
	if (!item.path)
		return -ENOMEM;
	if (vertex->bytes)
		item.bytes = hf_verified_ref(vertex->bytes);
	stack->items[stack->n++] = item;
	return 0;
}

static int read_one(struct hf_view *view, struct item *item)
{
	return item->bytes ? hf_bytes_read(item->bytes, &item->raw)
			   : hf_view_read(view, item->root, item->path,
					  &item->digest, NULL, &item->raw);
}

static void read_all(void *arg)
{
	struct stack *stack = arg;

	for (size_t i = 0; i < stack->n; i++) {
		struct item *item = &stack->items[i];

		item->error = read_one(stack->view, item);
		hf_pool_tick(stack->view->pool);
	}
}

int hf_pile_read(struct hf_pile *pile)
{
	struct stack *stack = pile->stack;
	int error = hf_errand_new(stack->view->pool, read_all, stack_free,
				  stack, pile->asker, &pile->errand);

	if (error == 0)
		return 0;
	/* It went with the errand. */
	pile->stack = NULL;
	return error;
}

int hf_pile_wait(struct hf_pile *pile)
{
	return hf_errand_wait(pile->errand);
}

int hf_pile_get(const struct hf_pile *pile, size_t i, const struct hf_buf **ret)
{
	const struct item *item = &pile->stack->items[i];

	*ret = &item->raw;
	return item->error;
}
