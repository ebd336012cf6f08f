/* csv_priv.h — finding the bytes that matter to CSV, shared by the reader and the writer. */
#ifndef GALENA_BASE_CSV_PRIV_H
#define GALENA_BASE_CSV_PRIV_H

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { CSV_LANES = 16 };

/* Bit i: byte i of the CSV_LANES bytes at p ends a cell or is a quote. */
static inline unsigned csv_special(const char *p, char delimiter) {
#ifdef __SSE2__
    const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    const __m128i cell = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(delimiter)), _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
    const __m128i line = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\r')));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(cell, line));
#else
    unsigned mask = 0;
    for (unsigned i = 0; i < CSV_LANES; i++)
        mask |= (unsigned)(p[i] == delimiter || p[i] == '"' || p[i] == '\n' || p[i] == '\r') << i;
    return mask;
#endif
}

#endif
