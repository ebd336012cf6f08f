/* main.c — the galena program. */
#include "base/err.h"

#include <stdio.h>

int main(void) {
    puts("galena " GALENA_VERSION);
    return 0;
}
