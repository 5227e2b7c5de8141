#include "tools/order.h"

void hf_order_init(struct hf_order *order, const char *name,
		   struct hf_program *program, const char *undone)
{
	*order = (struct hf_order){
		.name = name,
		.program = program,
		.freezing = {.undone = undone, .hint = &order->hint},
	};
}

void hf_order_fini(struct hf_order *order)
{
	hf_hint_fini(&order->hint);
}

/* The name of an option about the document, or NULL. */
static const char *document_option(int code)
{
	switch (code) {
	case 'F':
		return "--format";
	case 'U':
		return "--url-prefix";
	case 'K':
		return "--key-prefix";
	case 'I':
		return "--integrity";
	default:
		return NULL;
	}
}

/* The exit status 0 of what was taken is: go on. */
static int go_on(int status)
{
	return status ? status : -1;
}

static int take_document(struct hf_order *order, const char *option,
			 const char *value)
{
	char *why = NULL;
	int r = hf_document_set(&order->document, option, value, &why);

	return go_on(r < 0 ? hf_program_refuse(HF_EXIT_USAGE, r, why) : 0);
}

int hf_order_take(struct hf_order *order, int code, const char *value)
{
	const char *option = document_option(code);

	if (option)
		return take_document(order, option, value);
	switch (code) {
	case 'o':
		hf_hint_add_option(&order->hint, value);
		return go_on(hf_program_add_option(order->program, value));
	case 'S':
		hf_hint_add_sources_from(&order->hint, value);
		return go_on(
			hf_program_add_sources_from(order->program, value));
	case 'm':
		order->manifest = value;
		return -1;
	case 'p':
		order->freezing.partial = true;
		return -1;
	case 'q':
		order->freezing.quiet = true;
		return -1;
	case 'v':
		hf_log_init(order->name, HF_LOG_INFO);
		return -1;
	default:
		return 0;
	}
}

int hf_order_take_sources(struct hf_order *order, const char *sources)
{
	if (sources)
		hf_hint_add_sources(&order->hint, sources);
	order->program->view.frozen = true;
	return go_on(hf_program_set_sources(order->program, sources));
}

bool hf_order_has_sources(const struct hf_order *order)
{
	return order->program->view.source.roots.n > 0;
}
