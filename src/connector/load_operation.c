/* load_operation.c — reads what a connector can be asked: requests, mappings, pages. */
#include "connector/load_priv.h"

#include "net/http.h"

#include <stdlib.h>

static const char *const paging_names[] = {"none", "cursor", "page", "offset", "link", "next_url", NULL};
static const char *const answer_names[] = {"json", "text", "nothing", NULL};
static const char *const price_names[] = {"call", "hit", NULL};
static const char *const method_names[] = {"GET", "POST", "PUT", "PATCH", "DELETE", NULL};

static err load_needs(const struct loader *l, const struct json *v, struct connector_operation *op) {
    const struct json *list = json_get(v, STR("needs"));
    uint32_t n = list && list->type == JSON_ARRAY ? list->count : 0;
    const str **way = ARENA_ARRAY(l->arena, (size_t)n + 1, const str *);
    for (uint32_t i = 0; i < n; i++) {
        const struct json *item = &list->items[i];
        bool one = item->type == JSON_STRING;
        uint32_t count = one ? 1 : item->type == JSON_ARRAY ? item->count : 0;
        str *names = ARENA_ARRAY(l->arena, (size_t)count + 1, str);
        for (uint32_t k = 0; k < count; k++) {
            const struct json *name = one ? item : &item->items[k];
            if (name->type != JSON_STRING)
                return load_fault(l, name, "needs are names of inputs");
            names[k] = name->string;
        }
        way[i] = names;
    }
    op->needs = way;
    return OK;
}

static err load_identity(const struct loader *l, const struct json *v, struct connector_identity *out) {
    const struct json *who = json_get(v, STR("identity"));
    TRY(load_program(l, who, "name", &out->name));
    TRY(load_program(l, who, "domain", &out->domain));
    TRY(load_program(l, who, "country", &out->country));
    TRY(load_program(l, who, "email", &out->email));
    return load_program(l, who, "id", &out->id);
}

static err load_confidence(const struct loader *l, const struct json *v, struct connector_mapping *m) {
    const struct json *confidence = json_get(v, STR("confidence"));
    if (!confidence)
        return OK;
    if (json_is_number(confidence)) {
        m->confidence = json_number_of(confidence);
        if (!(m->confidence > 0 && m->confidence <= 1))
            return load_fault(l, confidence, "a confidence is above 0 and at most 1");
        return OK;
    }
    return load_program(l, v, "confidence", &m->certain);
}

/* "account.employees: .metrics.employees", or the same with unit, confidence and time in a map. */
static err load_mapping(const struct loader *l, const struct json_member *member, struct connector_mapping *m) {
    const struct json *v = &member->value;
    *m = (struct connector_mapping){.field = member->key, .confidence = 1, .line = member->line, .column = member->column};
    if (v->type == JSON_STRING)
        return program_parse(l->arena, l->group, v->string, l->file, v->line, v->column, &m->value);
    TRY(load_program(l, v, "value", &m->value));
    TRY(load_program(l, v, "observed", &m->observed));
    TRY(load_text(l, v, "unit", &m->unit));
    return load_confidence(l, v, m);
}

static err load_mappings(const struct loader *l, const struct json *v, struct connector_operation *op) {
    const struct json *map = json_get(v, STR("map"));
    if (!map)
        return OK;
    if (map->type != JSON_OBJECT || map->count > CONNECTOR_MAX_MAPPING)
        return load_fault(l, map, "map has at most %d fields", CONNECTOR_MAX_MAPPING);
    struct connector_mapping *list = ARENA_ARRAY(l->arena, map->count, struct connector_mapping);
    for (uint32_t i = 0; i < map->count; i++)
        TRY(load_mapping(l, &map->members[i], &list[i]));
    op->mapping = list;
    op->n_mapping = map->count;
    return OK;
}

static err load_pages(const struct loader *l, const struct json *v, struct connector_pages *p) {
    const struct json *pages = json_get(v, STR("pages"));
    int style = PAGING_NONE;
    *p = (struct connector_pages){.first = 1, .max_page = 1000};
    if (!pages)
        return OK;
    TRY(load_choice(l, pages, "style", paging_names, &style));
    p->style = (enum connector_paging)style;
    TRY(load_text(l, pages, "parameter", &p->parameter));
    TRY(load_text(l, pages, "size_parameter", &p->size_parameter));
    TRY(load_integer(l, pages, "size", 1, 100000, &p->size));
    TRY(load_integer(l, pages, "first", 0, 1, &p->first));
    TRY(load_integer(l, pages, "max_page", 1, 1000000, &p->max_page));
    TRY(load_program(l, pages, "cursor", &p->cursor));
    TRY(load_program(l, pages, "items", &p->items));
    TRY(load_program(l, pages, "more", &p->more));
    if ((p->style == PAGING_CURSOR || p->style == PAGING_NEXT_URL) && !p->cursor)
        return load_fault(l, pages, "pages by cursor or next_url say where it is: cursor");
    if ((p->style == PAGING_PAGE || p->style == PAGING_OFFSET) && !p->more && (!p->items || p->size == 0))
        return load_fault(l, pages, "pages by page or offset say when they end: more, or items and size");
    return OK;
}

static err load_body(const struct loader *l, const struct json *v, struct connector_operation *op) {
    TRY(load_program(l, v, "body", &op->body));
    TRY(load_parameters(l, v, "form", &op->form, &op->n_form));
    TRY(load_template(l, v, "text", &op->text));
    int forms = (op->body != NULL) + (op->n_form > 0) + (op->text.text.ptr != NULL);
    if (forms > 1)
        return load_fault(l, v, "an operation has one of body, form and text");
    op->body_form = op->body ? BODY_JSON : op->n_form > 0 ? BODY_FORM : op->text.text.ptr ? BODY_TEXT : BODY_NONE;
    op->body_type = op->body         ? STR("application/json")
                    : op->n_form > 0 ? STR("application/x-www-form-urlencoded")
                                     : STR("text/plain; charset=utf-8");
    return load_text(l, v, "body_type", &op->body_type);
}

static err load_price(const struct loader *l, const struct json *v, struct connector_operation *op) {
    const struct json *price = json_get(v, STR("price"));
    int per = PRICE_PER_CALL;
    TRY(load_integer(l, price, "micro", 0, INT64_C(1000000000000), &op->price_micro));
    TRY(load_choice(l, price, "per", price_names, &per));
    op->price_per = (enum connector_price_per)per;
    return OK;
}

static err load_request(const struct loader *l, const struct json *v, struct connector_operation *op) {
    int method = 0;
    TRY(load_choice(l, v, "method", method_names, &method));
    op->method = str_from(method_names[method]);
    TRY(load_template(l, v, "url", &op->url));
    TRY(load_text(l, v, "base", &op->base));
    bool known = op->base.len == 0;
    for (size_t i = 0; i < l->connector->n_base; i++)
        known = known || str_equal(l->connector->base[i].name, op->base);
    if (!known)
        return load_fault(l, json_get(v, STR("base")), "base is none of the names in base_url");
    if (!str_starts(op->url.text, STR("/")) && !str_starts(op->url.text, STR("{setting.")) && op->url.text.len > 0)
        return load_fault(l, json_get(v, STR("url")), "url begins with / or with a setting");
    TRY(load_parameters(l, v, "query", &op->query, &op->n_query));
    TRY(load_parameters(l, v, "headers", &op->header, &op->n_header));
    for (size_t i = 0; i < op->n_header; i++)
        if (!http_token(op->header[i].name))
            return load_fault(l, json_get(v, STR("headers")), "%.*s is no name of a header field",
                              STR_ARG(op->header[i].name));
    return load_body(l, v, op);
}

static err load_operation(const struct loader *l, const struct json_member *member, struct connector_operation *op) {
    const struct json *v = &member->value;
    int answer = ANSWER_JSON;
    int64_t cache_s = 0, timeout_ms = 10000;
    *op = (struct connector_operation){.name = member->key, .title = member->key, .batch = 1};
    TRY(load_text(l, v, "title", &op->title));
    TRY(load_request(l, v, op));
    TRY(load_choice(l, v, "answer", answer_names, &answer));
    op->answer = (enum connector_answer_form)answer;
    TRY(load_bool(l, v, "writes", &op->writes));
    op->idempotent = !op->writes;
    TRY(load_bool(l, v, "idempotent", &op->idempotent));
    TRY(load_integer(l, v, "batch", 1, 100000, &op->batch));
    TRY(load_integer(l, v, "cache_s", 0, 366 * 86400, &cache_s));
    TRY(load_integer(l, v, "timeout_ms", 100, 600000, &timeout_ms));
    op->cache_ms = cache_s * 1000;
    op->timeout_ms = timeout_ms;
    TRY(load_needs(l, v, op));
    TRY(load_price(l, v, op));
    TRY(load_rules(l, json_get(v, STR("classify")), &op->rule, &op->n_rule));
    TRY(load_program(l, v, "each", &op->each));
    TRY(load_identity(l, v, &op->identity));
    TRY(load_program(l, v, "observed", &op->observed));
    TRY(load_mappings(l, v, op));
    TRY(load_program(l, v, "result", &op->result));
    return load_pages(l, v, &op->pages);
}

err load_operations(struct loader *l, const struct json *root) {
    const struct json *v = json_get(root, STR("operations"));
    if (!v || v->type != JSON_OBJECT || v->count == 0 || v->count > CONNECTOR_MAX_OPERATION)
        return load_fault(l, v ? v : root, "operations is a map of 1 to %d", CONNECTOR_MAX_OPERATION);
    struct connector_operation *list = ARENA_ARRAY(l->arena, v->count, struct connector_operation);
    for (uint32_t i = 0; i < v->count; i++)
        TRY(load_operation(l, &v->members[i], &list[i]));
    l->connector->operation = list;
    l->connector->n_operation = v->count;
    return OK;
}

err connector_operation(const struct connector *c, str name, const struct connector_operation **out) {
    for (size_t i = 0; i < c->n_operation; i++)
        if (str_equal(c->operation[i].name, name)) {
            *out = &c->operation[i];
            return OK;
        }
    return fail(ERR_ABSENT, "connector_no_operation", "%.*s has no operation \"%.*s\"", STR_ARG(c->name), STR_ARG(name));
}

static int by_text(const void *a, const void *b) { return str_compare(*(const str *)a, *(const str *)b); }

void connector_fields(struct arena *a, const struct connector *c, const struct connector_operation *op, str **field,
                      size_t *n) {
    size_t all = 0, kept = 0;
    for (size_t i = 0; i < c->n_operation; i++)
        all += op && op != &c->operation[i] ? 0 : c->operation[i].n_mapping;
    str *list = ARENA_ARRAY(a, all, str);
    all = 0;
    for (size_t i = 0; i < c->n_operation; i++)
        for (size_t k = 0; k < c->operation[i].n_mapping && (!op || op == &c->operation[i]); k++)
            list[all++] = c->operation[i].mapping[k].field;
    if (all > 0)
        qsort(list, all, sizeof *list, by_text);
    for (size_t i = 0; i < all; i++)
        if (kept == 0 || !str_equal(list[kept - 1], list[i]))
            list[kept++] = list[i];
    *field = list;
    *n = kept;
}
