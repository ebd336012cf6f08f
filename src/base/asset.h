/* asset.h — files of share/ that are part of the program: schemas, profiles, templates, word lists.
 *
 * Which ones is said in share/meson.build; the build puts their bytes into the program (tools/embed.py). */
#ifndef GALENA_BASE_ASSET_H
#define GALENA_BASE_ASSET_H

#include "base/str.h"

/* The contents of share/NAME ("profiles/sample.yaml"), with a NUL behind them; ptr NULL when it is not embedded. */
str asset_get(str name);

/* Name of embedded file number i, or NULL beyond the last; in byte order. */
const char *asset_name(size_t i);

#endif
