/* asset.c — looks up embedded files. */
#include "base/asset.h"

#include "base/asset_priv.h"

str asset_get(str name) {
    for (const struct asset *x = assets; x->name; x++)
        if (str_equal(name, str_from(x->name)))
            return (str){x->begin, (size_t)(x->end - x->begin)};
    return (str){0};
}

const char *asset_name(size_t i) {
    size_t n = 0;
    while (assets[n].name && n < i)
        n++;
    return assets[n].name;
}
