/* frame.c — look-ups in a frame. */
#include "lead/frame.h"

ptrdiff_t frame_find(const struct frame *f, str name) {
    for (size_t c = 0; c < f->n_col; c++)
        if (str_equal(f->name[c], name))
            return (ptrdiff_t)c;
    return -1;
}

static uint64_t stir(uint64_t h, str s) { return (h ^ str_hash(s)) * 0x9e3779b97f4a7c15u + (h >> 29); }

uint64_t frame_fingerprint(const struct frame *f) {
    uint64_t h = f->n_row;
    for (size_t c = 0; c < f->n_col; c++) {
        h = stir(h, f->name[c]);
        for (size_t i = 0; i < f->n_row; i++)
            h = stir(h, f->cell[c][i]);
    }
    return h;
}
