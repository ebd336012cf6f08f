/* trees_file.c — a forest as JSON and back. */
#include "ml/trees.h"

#include <math.h>

/* The double with the fewest decimal digits that rounds to this float, so that files stay short and exact. */
static double shortest_double(float v) {
    for (int digits = 6; digits < 9; digits++) {
        char text[32];
        snprintf(text, sizeof text, "%.*g", digits, (double)v);
        double back = strtod(text, NULL);
        if ((float)back == v)
            return back;
    }
    return (double)v;
}

static void save_part(const struct trees *t, size_t p, struct json_writer *w) {
    uint32_t from = t->root[t->part[p]], to = t->root[t->part[p + 1]];
    json_open_object(w);
    json_put_number(w, STR("base"), t->base[p]);
    json_key(w, STR("nodes"));
    json_open_array(w);
    for (size_t k = t->part[p]; k < t->part[p + 1]; k++)
        json_integer(w, t->root[k + 1] - t->root[k]);
    json_close_array(w);
    json_key(w, STR("split")); /* twice the column, plus one when missing goes left; -1 for a leaf */
    json_open_array(w);
    for (uint32_t i = from; i < to; i++)
        json_integer(w, t->node[i].column < 0 ? -1 : 2 * (int64_t)t->node[i].column + t->node[i].missing_left);
    json_close_array(w);
    json_key(w, STR("value"));
    json_open_array(w);
    for (uint32_t i = from; i < to; i++)
        json_number(w, shortest_double(t->node[i].value));
    json_close_array(w);
    bool covered = false;
    for (uint32_t i = from; i < to; i++)
        covered |= t->node[i].cover > 0;
    if (covered) {
        json_key(w, STR("cover"));
        json_open_array(w);
        for (uint32_t i = from; i < to; i++)
            json_number(w, shortest_double(t->node[i].cover));
        json_close_array(w);
    }
    json_close_object(w);
}

void trees_save(const struct trees *t, struct json_writer *w) {
    json_open_array(w);
    for (size_t p = 0; p < t->n_part; p++)
        save_part(t, p, w);
    json_close_array(w);
}

/* The arrays of one part as read. */
struct part_text {
    double base;
    const struct json *nodes, *split, *value, *cover;
};

static err corrupt(const char *what) {
    return fail(ERR_CORRUPT, "trees_invalid", "the model's trees cannot be read: %s", what);
}

static bool is_array(const struct json *v) { return v && v->type == JSON_ARRAY; }

static err read_part(const struct json *v, struct part_text *out) {
    const struct json *base = json_get(v, STR("base"));
    out->nodes = json_get(v, STR("nodes"));
    out->split = json_get(v, STR("split"));
    out->value = json_get(v, STR("value"));
    out->cover = json_get(v, STR("cover"));
    if (!json_is_number(base) || !is_array(out->nodes) || !is_array(out->split) || !is_array(out->value))
        return corrupt("\"base\", \"nodes\", \"split\" or \"value\" is absent or of another type");
    if (out->split->count != out->value->count ||
        (out->cover && (!is_array(out->cover) || out->cover->count != out->split->count)))
        return corrupt("\"split\", \"value\" and \"cover\" are not equally long");
    out->base = json_number_of(base);
    return OK;
}

static err read_node(const struct part_text *p, uint32_t i, struct tree_node *out) {
    const struct json *split = &p->split->items[i], *value = &p->value->items[i],
                      *cover = p->cover ? &p->cover->items[i] : NULL;
    if (split->type != JSON_INTEGER || split->integer < -1 || split->integer > INT32_MAX)
        return corrupt("an entry of \"split\" is not -1 or a small whole number");
    if (!json_is_number(value) || (cover && !json_is_number(cover)))
        return corrupt("an entry of \"value\" or \"cover\" is not a number");
    double v = json_number_of(value), c = cover ? json_number_of(cover) : 0;
    if (!(fabs(v) < 3.4e38) || !(fabs(c) < 3.4e38))
        return corrupt("an entry of \"value\" or \"cover\" is too large");
    *out = (struct tree_node){.column = split->integer < 0 ? -1 : (int32_t)(split->integer / 2),
                              .missing_left = split->integer > 0 && split->integer % 2 == 1,
                              .value = (float)v,
                              .cover = (float)c};
    return OK;
}

/* Node counts of a part's trees to root[1..], each at least one, in all as many as there are nodes. */
static err read_counts(const struct part_text *p, uint32_t *root) {
    uint64_t left = p->split->count;
    for (uint32_t k = 0; k < p->nodes->count; k++) {
        const struct json *n = &p->nodes->items[k];
        if (n->type != JSON_INTEGER || n->integer < 1 || (uint64_t)n->integer > left)
            return corrupt("an entry of \"nodes\" is not a count of nodes that are there");
        left -= (uint64_t)n->integer;
        root[k + 1] = root[k] + (uint32_t)n->integer;
    }
    return left == 0 ? OK : corrupt("\"nodes\" does not add up");
}

static err count_all(const struct json *v, struct part_text *parts, struct trees *t) {
    for (uint32_t p = 0; p < v->count; p++) {
        TRY(read_part(&v->items[p], &parts[p]));
        t->n_tree += parts[p].nodes->count;
        t->n_node += parts[p].split->count;
    }
    return t->n_node <= TREES_MAX_NODE
               ? OK
               : fail(ERR_LIMIT, "trees_limit", "the model has more than %d tree nodes", TREES_MAX_NODE);
}

err trees_load(struct arena *a, const struct json *v, size_t d, struct trees **out) {
    if (!is_array(v) || v->count == 0)
        return corrupt("they are not an array of parts");
    struct trees *t = ARENA_NEW(a, struct trees);
    struct part_text *parts = ARENA_ARRAY(a, v->count, struct part_text);
    t->d = d;
    t->n_part = v->count;
    TRY(count_all(v, parts, t));
    double *base = ARENA_ARRAY(a, t->n_part, double);
    uint32_t *part = ARENA_ARRAY(a, t->n_part + 1, uint32_t), *root = ARENA_ARRAY(a, t->n_tree + 1, uint32_t);
    struct tree_node *node = ARENA_ARRAY(a, t->n_node, struct tree_node);
    for (uint32_t p = 0; p < v->count; p++) {
        base[p] = parts[p].base;
        part[p + 1] = part[p] + parts[p].nodes->count;
        uint32_t first = root[part[p]];
        TRY(read_counts(&parts[p], root + part[p]));
        for (uint32_t i = 0; i < parts[p].split->count; i++)
            TRY(read_node(&parts[p], i, &node[first + i]));
    }
    t->base = base;
    t->part = part;
    t->root = root;
    t->node = node;
    TRY(trees_finish(a, t));
    *out = t;
    return OK;
}
