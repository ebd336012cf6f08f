/* bench_seal.c — the price of sealing leads: bench_seal [LEADS.jsonl] [ROUNDS]
 *
 * Each lead gets a data key that is wrapped by its tenant's key, its JSON is compressed and sealed, and two blind indexes
 * are made, as it is when a lead is accepted. Without a file, a made-up lead of 2 KB. Prints CPU time a lead, the parts of
 * it, and bytes. */
#include "base/clock.h"
#include "base/file.h"
#include "store/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 50000, MAX_LEADS = 100000, MAX_BYTE = 256 << 20, WARM_UP = 1000 };

struct bench {
    struct arena *a;
    struct vault *vault;
    struct sealer *sealer;
    const str *lead;
    size_t n_lead, rounds;
    struct buf *out;
};

static const struct seal_cell cell = {STR_INIT("lead"), STR_INIT("body"), STR_INIT("")};

static double cpu_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static err key_new(struct bench *b, size_t i, unsigned char *wrapped) {
    char id[32];
    int n = snprintf(id, sizeof id, "lead-%zu", i);
    return sealer_lead_new(b->sealer, STR("tenant"), (str){id, (size_t)n}, wrapped);
}

static err step_key(struct bench *b, size_t i) {
    unsigned char wrapped[VAULT_LEAD_WRAPPED_BYTE];
    return key_new(b, i, wrapped);
}

static err step_seal(struct bench *b, size_t i) {
    buf_clear(b->out);
    return sealer_seal(b->sealer, cell, b->lead[i % b->n_lead], b->out);
}

static err step_index(struct bench *b, size_t i) {
    unsigned char index[VAULT_INDEX_BYTE];
    char mail[64];
    int n = snprintf(mail, sizeof mail, "person.%zu@example.com", i);
    TRY(vault_index(b->vault, STR("tenant"), VAULT_INDEX_EMAIL, (str){mail, (size_t)n}, index));
    return vault_index(b->vault, STR("tenant"), VAULT_INDEX_DOMAIN, STR("example.com"), index);
}

static err step_all(struct bench *b, size_t i) {
    TRY(step_key(b, i));
    TRY(step_seal(b, i));
    return step_index(b, i);
}

static err step_open(struct bench *b, size_t i) {
    struct arena_mark mark = arena_mark(b->a);
    str plain;
    (void)i;
    TRY(sealer_unseal(b->sealer, cell, buf_str(b->out), 0, b->a, &plain));
    arena_rewind(b->a, mark);
    return OK;
}

static err measure(struct bench *b, const char *name, err (*step)(struct bench *, size_t)) {
    for (size_t i = 0; i < WARM_UP; i++)
        TRY(step(b, i));
    double start = cpu_us();
    for (size_t i = 0; i < b->rounds; i++)
        TRY(step(b, i));
    printf("%-34s %7.2f us\n", name, (cpu_us() - start) / (double)b->rounds);
    return OK;
}

static void print_sizes(struct bench *b) {
    double plain = 0, sealed = 0;
    for (size_t i = 0; i < b->n_lead; i++) {
        if (step_seal(b, i) != OK)
            return;
        plain += (double)b->lead[i].len;
        sealed += (double)b->out->len;
    }
    printf("%zu leads: %.0f bytes each, sealed %.0f, and %d for the wrapped key\n", b->n_lead, plain / (double)b->n_lead,
           sealed / (double)b->n_lead, VAULT_LEAD_WRAPPED_BYTE);
}

static str made_up(struct arena *a) {
    struct buf *out = buf_in(a, 4096);
    buf_add(out,
            STR("{\"person\":{\"first_name\":\"Ada\",\"last_name\":\"Byron\",\"email\":\"ada.byron@example.com\",\"title\":"
                "\"Head of Operations\"},\"company\":{\"name\":\"Example\",\"domain\":\"example.com\",\"employees\":250},"
                "\"custom\":{"));
    for (unsigned i = 0, x = 12345; out->len < 2000; i++) {
        x = x * 1664525u + 1013904223u;
        buf_add_format(out, "%s\"field_%u\":\"%08x %08x\"", i ? "," : "", i, x, x * 2654435761u);
    }
    buf_add(out, STR("}}"));
    return buf_str(out);
}

static err read_leads(struct bench *b, const char *path) {
    str *lead = ARENA_ARRAY(b->a, MAX_LEADS, str), text, line;
    b->lead = lead;
    if (!path) {
        lead[b->n_lead++] = made_up(b->a);
        return OK;
    }
    TRY(file_read_all(b->a, path, MAX_BYTE, &text));
    while (b->n_lead < MAX_LEADS && str_split(&text, '\n', &line))
        if (line.len > 0)
            lead[b->n_lead++] = line;
    return b->n_lead ? OK : fail(ERR_INPUT, "bench_empty", "%s holds no leads", path);
}

static err run(void *ctx) {
    struct bench *b = ctx;
    unsigned char wrapped[VAULT_TENANT_WRAPPED_BYTE];
    setenv("GALENA_BENCH_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 1);
    const struct vault_source source = {.kind = VAULT_ENVIRONMENT, .name = "GALENA_BENCH_KEY"};
    TRY(vault_open(&source, 1, &b->vault));
    TRY(vault_tenant_new(b->vault, STR("tenant"), wrapped));
    TRY(sealer_new(b->vault, &b->sealer));
    b->out = buf_in(b->a, MAX_BYTE);
    TRY(measure(b, "new data key, wrapped", step_key));
    TRY(measure(b, "compress and seal", step_seal));
    TRY(measure(b, "two blind indexes", step_index));
    TRY(measure(b, "all three: accepting a lead", step_all));
    TRY(measure(b, "unseal and decompress", step_open));
    print_sizes(b);
    sealer_free(b->sealer);
    vault_close(b->vault);
    return OK;
}

int main(int argc, char **argv) {
    struct bench b = {.a = arena_new((size_t)1 << 30), .rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : ROUNDS};
    if (!b.a)
        return 1;
    err rc = read_leads(&b, argc > 1 ? argv[1] : NULL);
    if (rc == OK)
        rc = arena_run(b.a, run, &b);
    if (rc != OK)
        fprintf(stderr, "bench_seal: %s\n", err_text());
    arena_free(b.a);
    return rc == OK ? 0 : 1;
}
