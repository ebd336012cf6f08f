/* asset_priv.h — the table that tools/embed.py generates. */
#ifndef GALENA_BASE_ASSET_PRIV_H
#define GALENA_BASE_ASSET_PRIV_H

struct asset {
    const char *name;        /* NULL ends the table */
    const char *begin, *end; /* *end is a NUL */
};

extern const struct asset assets[];

#endif
