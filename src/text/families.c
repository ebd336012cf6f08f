/* families.c — reads the families of words. */
#include "text/families_priv.h"

#include "base/asset.h"

enum { FAMILIES = 32, WORDS = 4096 };

const struct families *families_load(struct arena *a) {
    struct families *f = ARENA_NEW(a, struct families);
    str text = asset_get(STR("lexicons/roles.txt")), line, word;
    unsigned family = 0;
    word_list_init(&f->words, a);
    f->of = ARENA_ARRAY(a, WORDS, uint32_t);
    while (family < FAMILIES && str_split(&text, '\n', &line)) {
        if (line.len == 0 || line.ptr[0] == '#' || !str_split(&line, ':', &word))
            continue;
        while (str_split(&line, ' ', &word))
            if (word.len > 0 && f->words.n < WORDS)
                f->of[word_list_add(&f->words, word)] |= UINT32_C(1) << family;
        family++;
    }
    return f;
}

uint32_t families_of(const struct families *f, str word) {
    const uint32_t at = word_list_find(&f->words, word);
    return at == WORD_UNKNOWN ? 0 : f->of[at];
}
