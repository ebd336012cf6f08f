/* config.c — flattens a YAML tree into settings. */
#include "cmd/config.h"

#include "base/file.h"
#include "base/yaml.h"

#include <ctype.h>
#include <stdlib.h>

enum { NAME_BYTE = 128 };

struct reader {
    struct settings *settings;
    struct arena *arena;
    const char *path;
};

static str scalar_text(struct arena *a, const struct json *v) {
    switch (v->type) {
    case JSON_STRING:
        return v->string;
    case JSON_BOOL:
        return v->boolean ? STR("true") : STR("false");
    case JSON_INTEGER:
        return str_format(a, "%lld", (long long)v->integer);
    case JSON_REAL:
        return str_format(a, "%.17g", v->real);
    default:
        return (str){0};
    }
}

static err apply_one(const struct reader *r, str name, const struct json *v) {
    char *origin = str_cstr(r->arena, str_format(r->arena, "%s, line %u", r->path, v->line));
    err rc = settings_apply(r->settings, origin, name, scalar_text(r->arena, v));
    return rc == OK ? OK : err_prefix(rc, "%s:%u:%u", r->path, v->line, v->column);
}

static err apply(const struct reader *r, str name, const struct json *v);

static err apply_group(const struct reader *r, str name, const struct json *v) {
    for (uint32_t i = 0; i < v->count; i++) {
        str key = v->members[i].key;
        char *dashed = str_cstr(r->arena, key);
        for (size_t k = 0; k < key.len; k++)
            if (dashed[k] == '_')
                dashed[k] = '-';
        str full = str_empty(name) ? str_from(dashed) : str_format(r->arena, "%.*s-%s", STR_ARG(name), dashed);
        TRY(apply(r, full, &v->members[i].value));
    }
    return OK;
}

static err apply(const struct reader *r, str name, const struct json *v) {
    if (v->type == JSON_OBJECT)
        return apply_group(r, name, v);
    if (v->type == JSON_NULL)
        return OK;
    if (v->type != JSON_ARRAY)
        return apply_one(r, name, v);
    for (uint32_t i = 0; i < v->count; i++)
        TRY(apply_one(r, name, &v->items[i]));
    return OK;
}

err config_apply_file(struct settings *s, struct arena *a, const char *path) {
    str text;
    const struct json *v;
    TRY(file_read_all(a, path, CONFIG_MAX_BYTE, &text));
    err rc = yaml_parse(a, text, NULL, &v);
    if (rc != OK)
        return err_prefix(rc, "%s", path);
    if (v->type == JSON_NULL)
        return OK;
    if (v->type != JSON_OBJECT)
        return fail(ERR_INPUT, "config_form", "%s: a configuration file is a list of \"name: value\"", path);
    const struct reader r = {s, a, path};
    return apply(&r, (str){0}, v);
}

static const char *variable_of(const char *setting, char name[NAME_BYTE]) {
    size_t n = 0;
    for (const char *from = "GALENA_"; *from;)
        name[n++] = *from++;
    for (; *setting && n + 1 < NAME_BYTE; setting++)
        name[n++] = *setting == '-' ? '_' : (char)toupper((unsigned char)*setting);
    name[n] = '\0';
    return name;
}

err config_apply_environment(struct settings *s, struct arena *a) {
    char name[NAME_BYTE];
    for (size_t p = 0; p < s->n_part; p++)
        for (size_t i = 0; i < s->part[p].n_setting; i++) {
            const char *setting = s->part[p].setting[i].name;
            const char *value = getenv(variable_of(setting, name));
            if (value)
                TRY(settings_apply(s, str_cstr(a, str_from(name)), str_from(setting), str_from(value)));
        }
    return OK;
}
