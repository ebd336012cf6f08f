/* test_store_erase.c — a person is erased to the last byte; keys are rotated and everything stays readable. */
#include "base/file.h"
#include "store_fixture.h"

#include <dirent.h>
#include <sodium.h>

/* ---- the bytes of the database ---- */

static bool file_holds(struct store_fixture *f, const char *path, str needle) {
    struct arena *a = arena_new((size_t)1 << 30);
    str bytes;
    assert_ok(file_read_all(a, path, (size_t)512 << 20, &bytes));
    const bool holds = memmem(bytes.ptr, bytes.len, needle.ptr, needle.len) != NULL;
    arena_free(a);
    (void)f;
    return holds;
}

/* True when any file beside the database, its log included, holds the bytes. */
static bool disk_holds(struct store_fixture *f, str needle) {
    DIR *d = opendir(f->directory);
    assert_non_null(d);
    bool holds = false;
    for (struct dirent *e; (e = readdir(d)) && !holds;)
        if (e->d_name[0] != '.')
            holds = file_holds(f, str_format(f->a, "%s/%s", f->directory, e->d_name).ptr, needle);
    closedir(d);
    return holds;
}

static str copy_of(struct store_fixture *f, str s) { return str_copy(f->a, s); }

static void fill(struct store_fixture *f, size_t n) {
    struct new_lead *in = ARENA_ARRAY(f->a, n, struct new_lead);
    struct accept *c = NULL;
    for (size_t i = 0; i < n; i++) {
        in[i] = lead_of(str_format(f->a, "fill-%zu", i), str_format(f->a, "{\"n\":%zu,\"note\":\"neighbour\"}", i));
        in[i].email = str_format(f->a, "neighbour-%zu@example.org", i);
    }
    assert_ok(accept_leads(f, (struct accept_options){0}, in, n, &c));
}

struct person {
    str lead, key, email;
};

static struct person plant(struct store_fixture *f, int number) {
    struct new_lead in = lead_of(str_format(f->a, "person-%d", number),
                                 str_format(f->a, "{\"secret\":\"Planted Plaintext %d\",\"n\":1}", number));
    in.email = STR("Erase.Me@example.com");
    in.domain = STR("example.com");
    in.lease = true;
    struct accepted *l = accept_one(f, in);
    struct person p = {.lead = id_of(l), .key = copy_of(f, l->key)};
    assert_ok(store_index(f->store, f->a, STR("acme"), VAULT_INDEX_EMAIL, in.email, &p.email));
    return p;
}

static void test_nothing_personal_is_stored_in_plain(void **state) {
    struct store_fixture *f = fixture(state);
    const struct person p = plant(f, 1);
    assert_ok(
        store_outcome(f->store, STR("acme"), p.lead, 1, STR("meeting"), STR("test"), STR("{\"x\":\"Planted Plaintext\"}")));
    struct ticketed_finish *t = ARENA_NEW(f->a, struct ticketed_finish);
    t->c = (struct finish){.lease = {STR("acme"), p.lead, 1, 1, p.key},
                           .run = scored_run(f, LEAD_INGESTED, TIER_WARM, 1),
                           .pins = STR("{}"),
                           .cause = STR("accepted"),
                           .actor = STR("test"),
                           .timing = STR("{}"),
                           .snapshot = STR("{\"facts\":\"Planted Plaintext\"}"),
                           .arena = f->a};
    assert_ok(SUBMIT(finish, t, store_finish(f->store, f->sealer, &t->c)));
    assert_false(disk_holds(f, STR("Planted Plaintext")));
    assert_false(disk_holds(f, STR("rase.Me@example")));
    assert_false(disk_holds(f, STR("rase.me@example")));
    assert_false(disk_holds(f, STR("person-1")));
    assert_true(disk_holds(f, p.key)); /* the search finds what is there */
    assert_true(disk_holds(f, p.email));
}

static void check_erased(struct store_fixture *f, const struct person *p) {
    assert_false(disk_holds(f, p->key));
    assert_false(disk_holds(f, p->email));
    assert_false(disk_holds(f, STR("Planted Plaintext")));
    const struct lead_view v = look_at(f, p->lead);
    assert_true(v.erased);
    assert_int_equal(v.body.len, 0);
    assert_int_equal(v.outcome, RUN_CANCELLED);
}

static void test_erases_to_the_last_byte(void **state) {
    struct store_fixture *f = fixture(state);
    struct person p[3];
    for (int i = 0; i < 3; i++) {
        p[i] = plant(f, i);
    }
    size_t n = 0;
    assert_ok(store_erase(f->store, STR("acme"), (str){0}, STR("erase.me@EXAMPLE.com"), STR("test"), &n));
    assert_int_equal(n, 3);
    for (int i = 0; i < 3; i++)
        check_erased(f, &p[i]);
    assert_true(finish_is_stale(f, (struct lease){STR("acme"), p[0].lead, 1, 1, p[0].key},
                                scored_run(f, LEAD_INGESTED, TIER_HOT, 1)));
    assert_int_equal(lost_count(f), 0);
    assert_ok(store_audit_verify(f->reader, f->a, STR("acme"), &n));
    assert_int_equal(n, 3);
}

/* Among many others, so that pages have been divided and filled anew, and after rotation and updates. */
static void test_erases_among_many(void **state) {
    struct store_fixture *f = fixture(state);
    size_t n = 0;
    fill(f, 400);
    struct person p = plant(f, 1);
    for (int i = 0; i < 4; i++) {
        struct new_lead in[500];
        struct accept *c = NULL;
        for (int k = 0; k < 500; k++) {
            in[k] = lead_of(str_format(f->a, "more-%d-%d", i, k), str_format(f->a, "{\"more\":%d,\"k\":%d}", i, k));
            in[k].email = str_format(f->a, "more-%d-%d@example.org", i, k);
            in[k].lease = true;
        }
        assert_ok(accept_leads(f, (struct accept_options){0}, in, 500, &c));
        for (int k = 0; k < 500; k += 25)
            assert_false(finish_is_stale(f, lease_born(&c->lead[k]), scored_run(f, LEAD_INGESTED, TIER_WARM, 1)));
    }
    struct new_lead in = lead_of(STR("person-1"), STR("{\"secret\":\"Planted Plaintext, longer than it was before\"}"));
    in.email = STR("Erase.Me@example.com");
    assert_int_equal(accept_one(f, in)->verdict, ACCEPT_UPDATED);
    assert_true(disk_holds(f, p.key));
    assert_ok(store_erase(f->store, STR("acme"), p.lead, (str){0}, STR("test"), &n));
    assert_int_equal(n, 1);
    check_erased(f, &p);
}

static void test_an_erased_lead_that_comes_again_is_new(void **state) {
    struct store_fixture *f = fixture(state);
    const struct person p = plant(f, 1);
    size_t n = 0;
    assert_ok(store_erase(f->store, STR("acme"), p.lead, (str){0}, STR("test"), &n));
    assert_false(str_equal(plant(f, 1).lead, p.lead));
    assert_fails(store_erase(f->store, STR("acme"), STR("nobody"), (str){0}, STR("test"), &n), ERR_ABSENT, "lead_unknown");
    assert_ok(store_erase(f->store, STR("acme"), (str){0}, STR("never@seen.com"), STR("test"), &n));
    assert_int_equal(n, 0);
}

/* ---- rotation ---- */

static void test_rotation_keeps_everything_readable(void **state) {
    struct store_fixture *f = fixture(state);
    struct person p[3];
    size_t n = 0;
    for (int i = 0; i < 3; i++)
        p[i] = plant(f, i);
    assert_false(finish_is_stale(f, (struct lease){STR("acme"), p[0].lead, 1, 1, p[0].key},
                                 scored_run(f, LEAD_INGESTED, TIER_WARM, 1)));
    assert_ok(store_rotate(f->store, true, STR("test"), &n));
    assert_int_equal(n, 1 + 3);
    const struct vault_source source = source_of(KEY_B);
    assert_ok(vault_master_add(f->vault, &source, true));
    assert_ok(store_rotate(f->store, false, STR("test"), &n));
    assert_int_equal(n, 2);
    /* A process that knows the new master only. */
    crash_and_reopen(f);
    struct vault *old = f->vault;
    f->vault = vault_of(KEY_B);
    store_close(f->store);
    sealer_free(f->sealer);
    assert_ok(sealer_new(f->vault, &f->sealer));
    f->store = fixture_open(f);
    assert_ok(store_reader_open(f->store, f->a, &f->reader));
    for (int i = 0; i < 3; i++)
        assert_true(str_starts(look_at(f, p[i].lead).body, STR("{\"secret\":\"Planted Plaintext")));
    struct score_view *score;
    assert_ok(store_scores(f->reader, f->a, STR("acme"), p[0].lead, &score, &n));
    assert_str(score[0].snapshot, "{\"facts\":\"private snapshot\"}");
    struct lead_filter filter = {.tenant = STR("acme"),
                                 .state = -1,
                                 .tier = -1,
                                 .outcome = -1,
                                 .run_status = -1,
                                 .email = STR("erase.me@example.com")};
    struct lead_view *v;
    str next;
    assert_ok(store_list(f->reader, f->a, &filter, &v, &n, &next));
    assert_int_equal(n, 3);
    assert_ok(store_audit_verify(f->reader, f->a, STR("acme"), &n));
    assert_int_equal(n, 2);
    /* A run that was leased before the rotation is found again and can be finished with its old key. */
    const struct claim *c = claim_runs(f, (struct claim_options){.most = 10, .suspects = true});
    assert_true(c->n > 0);
    assert_int_equal(plant(f, 0).lead.len, RUN_ID_BYTE);
    vault_close(old);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        STORE_SQLITE(test_nothing_personal_is_stored_in_plain),
        STORE_SQLITE(test_erases_to_the_last_byte),
        STORE_SQLITE(test_erases_among_many),
        STORE_BOTH(test_an_erased_lead_that_comes_again_is_new),
        STORE_BOTH(test_rotation_keeps_everything_readable),
    };
    return cmocka_run_group_tests_name("store erase", tests, fixture_group_begin, fixture_group_end);
}
