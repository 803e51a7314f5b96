#include "literals.h"

#include <stdlib.h>
#include <string.h>

/* Children of a node are kept in one hash table for all nodes, since most have
 * one child and a table of 256 for each would be all memory there is. */
struct edge {
	uint64_t key;			/* node << 8 | byte, plus 1; 0: free */
	uint32_t to;
};

struct output {
	struct output *next;
	unsigned tag;
};

struct node {
	struct output *outputs;
	uint32_t fail;
	uint32_t found;			/* next node on the way of failures that
					   has outputs; 0: none */
	uint32_t parent;
	unsigned char byte;
};

struct literals {
	struct arena *arena;
	struct node *nodes;
	size_t nnodes, node_cap;
	struct edge *edges;
	size_t nedges, edge_cap;	/* a power of two */
	uint32_t first[256];		/* children of the root */
};

static void
drop(void *arg)
{
	struct literals *l = arg;

	free(l->nodes);
	free(l->edges);
}

struct literals *
literals_new(struct arena *a)
{
	struct literals *l = arena_alloc(a, sizeof *l);

	l->arena = a;
	l->node_cap = 64;
	l->nodes = mem_alloc(l->node_cap * sizeof *l->nodes);
	memset(l->nodes, 0, sizeof *l->nodes);
	l->nnodes = 1;
	l->edge_cap = 128;
	l->edges = mem_alloc(l->edge_cap * sizeof *l->edges);
	memset(l->edges, 0, l->edge_cap * sizeof *l->edges);
	arena_defer(a, drop, l);
	return l;
}

static struct edge *
slot(struct edge *edges, size_t cap, uint64_t key)
{
	size_t at = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) &
	    (cap - 1);

	while (edges[at].key != 0 && edges[at].key != key)
		at = (at + 1) & (cap - 1);
	return &edges[at];
}

static uint32_t
child(const struct literals *l, uint32_t node, unsigned char byte)
{
	if (node == 0)
		return l->first[byte];
	return slot(l->edges, l->edge_cap,
	    ((uint64_t)node << 8 | byte) + 1)->to;
}

static void
grow_edges(struct literals *l)
{
	size_t cap = l->edge_cap * 2;
	struct edge *more = mem_alloc(cap * sizeof *more);

	memset(more, 0, cap * sizeof *more);
	for (size_t i = 0; i < l->edge_cap; i++)
		if (l->edges[i].key != 0)
			*slot(more, cap, l->edges[i].key) = l->edges[i];
	free(l->edges);
	l->edges = more;
	l->edge_cap = cap;
}

static uint32_t
add_child(struct literals *l, uint32_t node, unsigned char byte)
{
	uint32_t to = (uint32_t)l->nnodes;
	struct edge *e;

	if (l->nnodes == l->node_cap) {
		l->node_cap *= 2;
		l->nodes = mem_grow(l->nodes, l->node_cap * sizeof *l->nodes);
	}
	l->nodes[l->nnodes++] = (struct node){ .parent = node, .byte = byte };
	if (node == 0) {
		l->first[byte] = to;
		return to;
	}
	if (++l->nedges * 2 > l->edge_cap)
		grow_edges(l);
	e = slot(l->edges, l->edge_cap, ((uint64_t)node << 8 | byte) + 1);
	e->key = ((uint64_t)node << 8 | byte) + 1;
	e->to = to;
	return to;
}

void
literals_add(struct literals *l, struct slice text, unsigned tag)
{
	struct output *out;
	uint32_t node = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		uint32_t next = child(l, node, byte);

		node = next != 0 ? next : add_child(l, node, byte);
	}
	if (node == 0)
		return;
	for (out = l->nodes[node].outputs; out != NULL; out = out->next)
		if (out->tag == tag)
			return;
	out = arena_alloc(l->arena, sizeof *out);
	out->tag = tag;
	out->next = l->nodes[node].outputs;
	l->nodes[node].outputs = out;
}

static uint32_t
step(const struct literals *l, uint32_t node, unsigned char byte)
{
	uint32_t next = child(l, node, byte);

	while (next == 0 && node != 0) {
		node = l->nodes[node].fail;
		next = child(l, node, byte);
	}
	return next;
}

/* Depth first by number is not breadth first: nodes are ordered by depth. */
static uint32_t *
by_depth(struct literals *l)
{
	uint32_t *depth = arena_array(l->arena, l->nnodes, sizeof *depth);
	uint32_t *order = arena_array(l->arena, l->nnodes, sizeof *order);
	size_t *start, deepest = 0;

	for (size_t i = 1; i < l->nnodes; i++) {
		depth[i] = depth[l->nodes[i].parent] + 1;
		if (depth[i] > deepest)
			deepest = depth[i];
	}
	start = arena_array(l->arena, deepest + 2, sizeof *start);
	for (size_t i = 0; i < l->nnodes; i++)
		start[depth[i] + 1]++;
	for (size_t i = 1; i <= deepest; i++)
		start[i] += start[i - 1];
	for (size_t i = 0; i < l->nnodes; i++)
		order[start[depth[i]]++] = (uint32_t)i;
	return order;
}

void
literals_ready(struct literals *l)
{
	const uint32_t *order = by_depth(l);

	for (size_t i = 1; i < l->nnodes; i++) {
		struct node *n = &l->nodes[order[i]];

		n->fail = n->parent == 0 ? 0 :
		    step(l, l->nodes[n->parent].fail, n->byte);
		n->found = l->nodes[n->fail].outputs != NULL ? n->fail :
		    l->nodes[n->fail].found;
	}
}

void
literals_find(const struct literals *l, struct slice text,
    void (*found)(void *arg, unsigned tag), void *arg)
{
	uint32_t node = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint32_t at;

		node = step(l, node, (unsigned char)ascii_lower(text.ptr[i]));
		at = l->nodes[node].outputs != NULL ? node :
		    l->nodes[node].found;
		for (; at != 0; at = l->nodes[at].found)
			for (const struct output *o = l->nodes[at].outputs;
			    o != NULL; o = o->next)
				found(arg, o->tag);
	}
}
