/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs a fuzz target over the files that are named, and those in folders that are named: the corpus as a test, for any
 * compiler. */
#include "input.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#define LONGEST 65536

static unsigned replayed;

static void replay_file(const char *path)
{
    static uint8_t buffer[LONGEST];
    FILE *file = fopen(path, "rb");
    uint8_t *exact;
    size_t size;

    if (!file) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    size = fread(buffer, 1, sizeof(buffer), file);
    fclose(file);
    printf("%s\n", path); /* the last one is the one that failed */
    fflush(stdout);
    exact = malloc(size ? size : 1); /* as libFuzzer does: a read beyond the end is seen */
    MUST(exact);
    memcpy(exact, buffer, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    replayed++;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void replay_folder(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, by_name);

    for (int i = 0; i < count; i++) {
        char file[4096];

        snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            replay_file(file);
        }
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct stat status;

        if (stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode)) {
            replay_folder(argv[i]);
        } else {
            replay_file(argv[i]);
        }
    }
    printf("%u inputs\n", replayed);
    return replayed ? EXIT_SUCCESS : EXIT_FAILURE;
}
