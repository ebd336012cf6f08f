/* frame.c — look-ups in a frame. */
#include "lead/frame.h"

ptrdiff_t frame_find(const struct frame *f, str name) {
    for (size_t c = 0; c < f->n_col; c++)
        if (str_equal(f->name[c], name))
            return (ptrdiff_t)c;
    return -1;
}
