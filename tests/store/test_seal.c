/* test_seal.c — cells: what is sealed opens only unaltered, where it was sealed, and within limits. */
#include "store/keys.h"
#include "store/seal.h"

#include "base/file.h"
#include "base/rng.h"

#include <sodium.h>
#include <sys/wait.h>
#include <unistd.h>

static const str acme = STR_INIT("acme"), lead = STR_INIT("lead-1");
static const struct seal_cell body = {STR_INIT("lead"), STR_INIT("body"), STR_INIT("7")};

struct fixture {
    struct arena *a;
    struct vault *vault;
    struct sealer *s;
    unsigned char wrapped[VAULT_LEAD_WRAPPED_BYTE], tenant[VAULT_TENANT_WRAPPED_BYTE];
};

static int setup(void **state) {
    struct arena *a = arena_new((size_t)1 << 30);
    struct fixture *f = ARENA_NEW(a, struct fixture);
    f->a = a;
    f->vault = vault_of(KEY_A);
    assert_ok(vault_tenant_new(f->vault, acme, f->tenant));
    assert_ok(sealer_new(f->vault, &f->s));
    assert_ok(sealer_lead_new(f->s, acme, lead, f->wrapped));
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    sealer_free(f->s);
    vault_close(f->vault);
    arena_free(f->a);
    return 0;
}

static str seal(struct fixture *f, struct seal_cell cell, str plain) {
    struct buf *out = buf_in(f->a, SEAL_PLAIN_BYTE + 1024);
    assert_ok(sealer_seal(f->s, cell, plain, out));
    assert_true(out->len <= plain.len + SEAL_OVERHEAD_BYTE);
    return buf_str(out);
}

static void expect_back(struct fixture *f, str plain) {
    str got;
    assert_ok(sealer_unseal(f->s, body, seal(f, body, plain), 0, f->a, &got));
    assert_true(str_equal(got, plain));
    assert_int_equal(got.ptr[got.len], '\0');
}

static str repeat(struct fixture *f, str piece, size_t n) {
    char *text = arena_alloc(f->a, n);
    for (size_t i = 0; i < n; i++)
        text[i] = piece.ptr[i % piece.len];
    return (str){text, n};
}

static str noise(struct fixture *f, size_t n, uint64_t seed) {
    struct rng r = rng_from_seed(seed);
    char *text = arena_alloc(f->a, n);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)rng_next(&r);
    return (str){text, n};
}

static void test_every_length_comes_back(void **state) {
    struct fixture *f = *state;
    for (size_t n = 0; n < 300; n++) {
        expect_back(f, repeat(f, STR("{\"person\":{\"email\":\"ada@example.com\"}},"), n));
        expect_back(f, noise(f, n, n));
    }
    for (size_t n = 65534; n < 65539; n++) { /* where the dictionary is left out */
        expect_back(f, repeat(f, STR("abcdefgh "), n));
        expect_back(f, noise(f, n, n));
    }
    expect_back(f, noise(f, 1 << 20, 1));
}

static void test_json_becomes_shorter_and_noise_hardly_longer(void **state) {
    struct fixture *f = *state;
    str text = repeat(f, STR("{\"first_name\":\"Ada\",\"last_name\":\"Byron\",\"email\":\"ada@example.com\"}"), 2000);
    assert_true(seal(f, body, text).len < 400);
    assert_int_equal(seal(f, body, noise(f, 2000, 3)).len, 2000 + SEAL_OVERHEAD_BYTE);
}

static void test_every_altered_byte_and_every_cut_is_noticed(void **state) {
    struct fixture *f = *state;
    const str texts[] = {STR("x"), repeat(f, STR("{\"email\":\"ada@example.com\"},"), 400)};
    str got = STR("untouched");
    for (size_t t = 0; t < 2; t++) {
        str sealed = seal(f, body, texts[t]);
        char *bytes = arena_copy(f->a, sealed.ptr, sealed.len);
        for (size_t i = 0; i < sealed.len; i++)
            for (unsigned bit = 0; bit < 8; bit++) {
                bytes[i] = (char)(bytes[i] ^ (1 << bit));
                assert_int_equal(sealer_unseal(f->s, body, (str){bytes, sealed.len}, 0, f->a, &got), ERR_CORRUPT);
                bytes[i] = (char)(bytes[i] ^ (1 << bit));
            }
        for (size_t n = 0; n < sealed.len; n++)
            assert_int_equal(sealer_unseal(f->s, body, (str){bytes, n}, 0, f->a, &got), ERR_CORRUPT);
        assert_str(got, "untouched");
        assert_ok(sealer_unseal(f->s, body, (str){bytes, sealed.len}, 0, f->a, &got));
        got = STR("untouched");
    }
}

static void test_each_fault_has_its_name(void **state) {
    struct fixture *f = *state;
    str got, sealed = seal(f, body, STR("Ada Byron, Countess of Lovelace"));
    char *bytes = arena_copy(f->a, sealed.ptr, sealed.len);
    const struct {
        size_t at;
        char to;
        const char *slug;
    } cases[] = {{0, 0, "seal_form"}, {0, 2, "seal_version"}, {1, 3, "seal_version"}, {34, 0, "seal_altered"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char old = bytes[cases[i].at];
        bytes[cases[i].at] = cases[i].to ? cases[i].to : cases[i].at == 0 ? 0 : (char)~old;
        assert_fails(sealer_unseal(f->s, body, (str){bytes, sealed.len}, 0, f->a, &got), ERR_CORRUPT, cases[i].slug);
        bytes[cases[i].at] = old;
    }
    assert_fails(sealer_unseal(f->s, body, str_slice(sealed, 0, SEAL_OVERHEAD_BYTE - 1), 0, f->a, &got), ERR_CORRUPT,
                 "seal_form");
    assert_fails(sealer_unseal(f->s, body, sealed, 5, f->a, &got), ERR_LIMIT, "seal_large");
    assert_fails(sealer_seal(f->s, (struct seal_cell){STR(""), STR("x"), STR("")}, STR("x"), buf_in(f->a, 100)), ERR_INPUT,
                 "vault_name");
    assert_fails(sealer_seal(f->s, body, STR("x"), buf_in(f->a, 20)), ERR_LIMIT, "buffer_limit");
    str large = {arena_alloc(f->a, SEAL_PLAIN_BYTE + 1), SEAL_PLAIN_BYTE + 1};
    assert_fails(sealer_seal(f->s, body, large, buf_in(f->a, 100)), ERR_LIMIT, "seal_large");
}

static void test_cells_cannot_be_swapped(void **state) {
    struct fixture *f = *state;
    str got, sealed = seal(f, body, STR("Ada"));
    const struct seal_cell others[] = {{STR("lead"), STR("body"), STR("8")},
                                       {STR("lead"), STR("body"), STR("")},
                                       {STR("lead"), STR("bod"), STR("y7")},
                                       {STR("run"), STR("body"), STR("7")},
                                       {STR("leadb"), STR("ody"), STR("7")}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_fails(sealer_unseal(f->s, others[i], sealed, 0, f->a, &got), ERR_CORRUPT, "seal_moved");
    unsigned char second[VAULT_LEAD_WRAPPED_BYTE];
    assert_ok(sealer_lead_new(f->s, acme, STR("lead-2"), second));
    assert_fails(sealer_unseal(f->s, body, sealed, 0, f->a, &got), ERR_CORRUPT, "seal_key");
    /* The data key of lead-1 is not to be had under another name or tenant. */
    assert_fails(sealer_lead_open(f->s, acme, STR("lead-2"), lead_str(f->wrapped)), ERR_CORRUPT, "vault_forged");
    unsigned char beta[VAULT_TENANT_WRAPPED_BYTE];
    assert_ok(vault_tenant_new(f->vault, STR("beta"), beta));
    assert_fails(sealer_lead_open(f->s, STR("beta"), lead, lead_str(f->wrapped)), ERR_CORRUPT, "vault_forged");
    assert_fails(sealer_lead_open(f->s, STR("gamma"), lead, lead_str(f->wrapped)), ERR_ABSENT, "vault_tenant_unknown");
    assert_ok(sealer_lead_open(f->s, acme, lead, lead_str(f->wrapped)));
    assert_ok(sealer_unseal(f->s, body, sealed, 0, f->a, &got));
    assert_str(got, "Ada");
}

/* With the hints put right as well, the seal itself must refuse: they are for messages only. */
static void test_the_seal_does_not_rest_on_the_hints(void **state) {
    struct fixture *f = *state;
    struct seal_cell other = body;
    other.row = STR("8");
    str got, sealed = seal(f, body, STR("Ada")), model = seal(f, other, STR("Bob"));
    char *bytes = arena_copy(f->a, sealed.ptr, sealed.len);
    memcpy(bytes + 2, model.ptr + 2, 8);
    assert_fails(sealer_unseal(f->s, other, (str){bytes, sealed.len}, 0, f->a, &got), ERR_CORRUPT, "seal_altered");
}

static int by_bytes(const void *a, const void *b) { return memcmp(a, b, 24); }

static void test_nonces_are_distinct(void **state) {
    struct fixture *f = *state;
    enum { N = 10000 };
    unsigned char(*nonce)[24] = arena_array(f->a, N, 24);
    struct buf *out = buf_in(f->a, 4096);
    for (size_t i = 0; i < N; i++) {
        buf_clear(out);
        assert_ok(sealer_seal(f->s, body, STR("x"), out));
        memcpy(nonce[i], out->ptr + 10, 24);
    }
    qsort(nonce, N, 24, by_bytes);
    for (size_t i = 1; i < N; i++)
        assert_memory_not_equal(nonce[i - 1], nonce[i], 24);
}

/* Random bytes drawn ahead must not be used by a child and its parent alike. */
static void test_nonces_differ_after_fork(void **state) {
    struct fixture *f = *state;
    int ends[2];
    seal(f, body, STR("fills the pool"));
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct buf *out = buf_in(f->a, 4096);
        bool good = sealer_seal(f->s, body, STR("x"), out) == OK && write(ends[1], out->ptr + 10, 24) == 24;
        _exit(good ? 0 : 1);
    }
    str mine = seal(f, body, STR("x"));
    unsigned char theirs[24];
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(ends[0], theirs, sizeof theirs), 24);
    assert_memory_not_equal(mine.ptr + 10, theirs, sizeof theirs);
    close(ends[0]);
    close(ends[1]);
}

/* A cell made by hand, with libsodium alone, by the layout in the header. */
static void test_layout_is_the_documented_one(void **state) {
    struct fixture *f = *state;
    str got, sealed = seal(f, body, STR("short"));
    const unsigned char *w = f->wrapped, *c = (const unsigned char *)sealed.ptr;
    assert_int_equal(c[0], 1);
    assert_int_equal(c[1], 0); /* too short to compress */
    assert_int_equal(sealed.len, 5 + SEAL_OVERHEAD_BYTE);
    assert_int_equal(w[0], 1);
    assert_int_equal(w[1] | w[2] | w[3] | w[4], 1); /* the version of the tenant's key */
    assert_ok(sealer_unseal(f->s, body, sealed, 0, f->a, &got));
    assert_str(got, "short");
}

struct small_work {
    struct fixture *f;
    struct arena *small;
    str sealed;
};

static err unseal_in_small(void *ctx) {
    struct small_work *w = ctx;
    str got;
    return sealer_unseal(w->f->s, body, w->sealed, 0, w->small, &got);
}

static void test_a_full_arena_is_an_error_like_others(void **state) {
    struct fixture *f = *state;
    struct small_work w = {f, arena_new(64 * 1024), seal(f, body, repeat(f, STR("a"), 1 << 20))};
    assert_true(w.sealed.len < 1000); /* a megabyte in few bytes */
    assert_fails(arena_run(w.small, unseal_in_small, &w), ERR_LIMIT, "memory_limit");
    arena_free(w.small);
    expect_back(f, STR("still works"));
}

/* Destroying the data key is erasing: nothing of the plaintext is in what is left. */
static void test_no_plaintext_in_what_is_stored(void **state) {
    struct fixture *f = *state;
    str secret = STR("Ada Byron <ada@example.com> planted plaintext");
    str sealed = seal(f, body, str_format(f->a, "{\"note\":\"%s\",\"pad\":\"%064d\"}", secret.ptr, 7));
    for (size_t n = 4; n <= secret.len; n++)
        assert_true(str_find(sealed, str_slice(secret, n - 4, n)) < 0);
    assert_true(str_find((str){(const char *)f->wrapped, sizeof f->wrapped}, lead) < 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_length_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json_becomes_shorter_and_noise_hardly_longer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_altered_byte_and_every_cut_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_each_fault_has_its_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cells_cannot_be_swapped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_seal_does_not_rest_on_the_hints, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nonces_are_distinct, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nonces_differ_after_fork, setup, teardown),
        cmocka_unit_test_setup_teardown(test_layout_is_the_documented_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_full_arena_is_an_error_like_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_plaintext_in_what_is_stored, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
