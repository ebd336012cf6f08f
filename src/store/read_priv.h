/* read_priv.h — a reader of the store, between the two files that read. */
#ifndef GALENA_STORE_READ_PRIV_H
#define GALENA_STORE_READ_PRIV_H

#include "store/store_priv.h"

struct store_reader {
    struct store *store;
    struct db *db;
    struct sealer *sealer;
};

enum { LEAD_COLUMNS = 26 }; /* that all queries of leads begin with */

/* One of them; texts are copied into `a`. */
void store_read_lead_row(struct arena *a, struct db_row *row, struct lead_view *v);

/* Rows of any query into a growing array. */
struct rows {
    struct arena *a;
    void *item;
    size_t n, cap, size;
};
void *store_rows_add(struct rows *r);

#endif
