/* replay.c — feeds every file below the given folders to a fuzz target: the corpus as a regression test. */
#include "target.h"

#include <ftw.h>

static int run_file(const char *path, const struct stat *info, int type, struct FTW *where) {
    (void)where;
    if (type != FTW_F)
        return 0;
    FILE *f = fopen(path, "rb");
    size_t size = (size_t)info->st_size;
    uint8_t *data = malloc(size + 1); /* of the input's own size, so that the address sanitizer notices reads past its end */
    if (!f || !data || fread(data, 1, size, f) != size) {
        fprintf(stderr, "%s: cannot be read\n", path);
        abort();
    }
    fclose(f);
    uint8_t *exact = realloc(data, size > 0 ? size : 1);
    fprintf(stderr, "%s\n", path); /* the last name printed is the one that failed */
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (nftw(argv[i], run_file, 16, FTW_PHYS) != 0) {
            fprintf(stderr, "%s: cannot be read\n", argv[i]);
            return 1;
        }
    return argc > 1 ? 0 : 1;
}
