/* What refers to what: chains and circles, beside a slow and simple search. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manifest/stats.h"

/* --- the references of a mount ------------------------------------------- */

static int parse(const char *text, struct hf_references *ret, char **why)
{
	*why = NULL;
	return hf_references_parse(text, strlen(text), "/m\n", ret, why);
}

static void reads_rows(void **state)
{
	struct hf_references references = {0};
	char *why;

	(void)state;
	assert_int_equal(
		parse("a\\tb.css\tc\\\\d.png\n#end\t1\t7\n", &references, &why),
		0);
	assert_int_equal(references.n, 1);
	assert_true(references.generation == 7);
	assert_string_equal(references.rows[0].path, "a\tb.css");
	assert_string_equal(references.rows[0].target, "c\\d.png");
	hf_references_fini(&references);
}

static void refuses_incomplete_references(void **state)
{
	static const char *const incomplete[] = {
		"",
		"a\tb\n",
		"a\tb\n#end\t2\t1\n",
		"a\n#end\t1\t1\n",
		"a\tb\tc\n#end\t1\t1\n",
		"a\\q\tb\n#end\t1\t1\n",
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(incomplete); i++) {
		struct hf_references references = {0};
		char *why;

		assert_int_equal(parse(incomplete[i], &references, &why),
				 -ENODATA);
		assert_string_equal(why, "/m\\n/.hashedfs/references is "
					 "incomplete; try again");
		free(why);
		hf_references_fini(&references);
	}
}

/* --- graphs -------------------------------------------------------------- */

#define MAX 10

/* Files "00", "01", ... and whether one refers to another. */
struct graph {
	size_t n;
	bool refers[MAX][MAX];
	bool reaches[MAX][MAX];
	struct hf_manifest manifest;
	struct hf_references references;
	struct hf_chains chains;
};

static void add_files(struct graph *graph)
{
	for (size_t i = 0; i < graph->n; i++) {
		char path[24];
		struct hf_manifest_row row = {
			.path = path, .name = path, .size = i};

		snprintf(path, sizeof(path), "%02zu", i);
		assert_int_equal(hf_manifest_add(&graph->manifest, &row), 0);
	}
}

static size_t number_of(const struct hf_manifest_row *row)
{
	return strtoul(row->path, NULL, 10);
}

static void find(struct graph *graph)
{
	add_files(graph);
	for (size_t i = 0; i < graph->n; i++)
		for (size_t k = 0; k < graph->n; k++)
			if (graph->refers[i][k])
				assert_int_equal(
					hf_references_add(
						&graph->references,
						graph->manifest.rows[i].path,
						graph->manifest.rows[k].path),
					0);
	assert_int_equal(hf_chains_find(&graph->manifest, &graph->references,
					&graph->chains),
			 0);
}

static void graph_fini(struct graph *graph)
{
	hf_chains_fini(&graph->chains);
	hf_references_fini(&graph->references);
	hf_manifest_fini(&graph->manifest);
}

/* Warshall. */
static void close_graph(struct graph *graph)
{
	memcpy(graph->reaches, graph->refers, sizeof(graph->refers));
	for (size_t k = 0; k < graph->n; k++)
		for (size_t i = 0; i < graph->n; i++)
			for (size_t j = 0; j < graph->n; j++)
				graph->reaches[i][j] |= graph->reaches[i][k] &&
							graph->reaches[k][j];
}

static bool in_circle(const struct graph *graph, size_t a, size_t b)
{
	return a == b || (graph->reaches[a][b] && graph->reaches[b][a]);
}

/* In files, a circle being one. */
static size_t longest_from(const struct graph *graph, size_t from)
{
	size_t longest = 1;

	for (size_t k = 0; k < graph->n; k++)
		if (graph->reaches[from][k] && !in_circle(graph, from, k) &&
		    longest_from(graph, k) + 1 > longest)
			longest = longest_from(graph, k) + 1;
	return longest;
}

static void assert_longest(const struct graph *graph)
{
	const struct hf_group *longest = &graph->chains.longest;
	size_t expected = 1;

	for (size_t i = 0; i < graph->n; i++)
		if (longest_from(graph, i) > expected)
			expected = longest_from(graph, i);
	assert_int_equal(longest->n, expected > 1 ? expected : 0);
	for (size_t i = 1; i < longest->n; i++) {
		size_t from = number_of(longest->rows[i - 1]);
		size_t to = number_of(longest->rows[i]);

		assert_true(graph->reaches[from][to]);
		assert_false(in_circle(graph, from, to));
	}
}

static void assert_circles(const struct graph *graph)
{
	const struct hf_groups *circles = &graph->chains.circles;
	size_t found = 0, expected = 0;

	for (size_t i = 0; i < graph->n; i++)
		expected += graph->reaches[i][i];
	for (size_t c = 0; c < circles->n; c++) {
		const struct hf_group *circle = &circles->items[c];

		found += circle->n;
		for (size_t i = 0; i < circle->n; i++)
			assert_true(in_circle(graph, number_of(circle->rows[0]),
					      number_of(circle->rows[i])));
		for (size_t i = 1; i < circle->n; i++)
			assert_true(circle->rows[i - 1] < circle->rows[i]);
		assert_true(!c ||
			    circles->items[c - 1].rows[0] < circle->rows[0]);
	}
	assert_int_equal(found, expected);
}

/* The largest first: those of the greatest number. */
static void assert_unreferenced(const struct graph *graph)
{
	const struct hf_group *group = &graph->chains.unreferenced;
	size_t n = 0;

	for (size_t k = graph->n; k-- > 0;) {
		bool referred = false;

		for (size_t i = 0; i < graph->n; i++)
			referred |= i != k && graph->refers[i][k];
		if (!referred) {
			assert_true(n < group->n);
			assert_int_equal(number_of(group->rows[n++]), k);
		}
	}
	assert_int_equal(group->n, n);
}

static void a_slow_search_agrees(void **state)
{
	(void)state;
	srandom(1);
	for (int round = 0; round < 3000; round++) {
		struct graph graph = {.n = 1 + (size_t)random() % MAX};
		long density = 1 + random() % 12;

		for (size_t i = 0; i < graph.n; i++)
			for (size_t k = 0; k < graph.n; k++)
				graph.refers[i][k] =
					random() % 12 < density && random() % 2;
		find(&graph);
		close_graph(&graph);
		assert_longest(&graph);
		assert_circles(&graph);
		assert_unreferenced(&graph);
		graph_fini(&graph);
	}
}

/* A chain may be as long as it likes. */
static void a_long_chain(void **state)
{
	enum { LENGTH = 100000 };
	struct graph graph = {0};

	(void)state;
	for (int i = 0; i < LENGTH; i++) {
		char path[16], target[16];
		struct hf_manifest_row row = {.path = path, .name = path};

		snprintf(path, sizeof(path), "%06d.css", i);
		snprintf(target, sizeof(target), "%06d.css", i + 1);
		assert_int_equal(hf_manifest_add(&graph.manifest, &row), 0);
		assert_int_equal(
			hf_references_add(&graph.references, path, target), 0);
	}
	assert_int_equal(hf_chains_find(&graph.manifest, &graph.references,
					&graph.chains),
			 0);
	/* The last one leads to what is not there. */
	assert_int_equal(graph.chains.references, LENGTH - 1);
	assert_int_equal(graph.chains.longest.n, LENGTH);
	assert_int_equal(graph.chains.unreferenced.n, 0);
	graph_fini(&graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_rows),
		cmocka_unit_test(refuses_incomplete_references),
		cmocka_unit_test(a_slow_search_agrees),
		cmocka_unit_test(a_long_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
