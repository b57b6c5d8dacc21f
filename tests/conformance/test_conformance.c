/* SPDX-License-Identifier: BSD-3-Clause */
/* Replays the scripts of this folder: conformance FOLDER [ROW...].  Each script is a test by its name; with rows
 * (P13, R7) only theirs run.  With CONFORMANCE_QUICK set no replay asks the kernel for asynchronous I/O, which takes it
 * 30 ms to give back. */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static GPtrArray *scripts;
static GArray *tests; /* of TTest: Check keeps pointers to them */

/* In pieces of 1..8 bytes, the descriptor with each piece of its message. */
static void every_chunking(const struct script *script, enum story_way way)
{
    for (uint32_t chunk = 1; chunk <= 8; chunk++) {
        uint32_t pieces = (8 + chunk - 1) / chunk;

        for (uint32_t piece = 0; piece < pieces; piece++) {
            struct replay replay = {.way = way, .chunk = chunk, .fd_piece = piece, .cut = -1};

            script_play(script, &replay);
            replay.fd_spread = true;
            script_play(script, &replay);
        }
    }
}

/* The server gone after each of its bytes. */
static void every_end(const struct script *script, enum story_way way, int32_t bytes)
{
    for (int32_t cut = 0; cut < bytes; cut++) {
        struct replay replay = {.way = way, .chunk = 1 + (uint32_t)cut % 8, .cut = cut};

        script_play(script, &replay);
    }
}

START_TEST(script_test)
{
    static const enum story_way ways[] = {STORY_ADOPT, STORY_CONNECT, STORY_FEED};
    const struct script *script = g_ptr_array_index(scripts, _i);
    bool real = !strstr(script->name, "-lost-") || can_lose_fds();

    for (int i = real ? 0 : STORY_FEED; i < 3; i++) {
        struct replay whole = {.way = ways[i], .chunk = 8, .untrusting = !g_getenv("CONFORMANCE_QUICK"), .cut = -1};
        int32_t bytes = script_play(script, &whole);

        every_end(script, ways[i], bytes);
        every_chunking(script, ways[i]);
    }
}
END_TEST

static bool wanted(const char *name, char **rows)
{
    for (char **row = rows; *row; row++) {
        if (g_str_has_prefix(name, *row) && name[strlen(*row)] == '-') {
            return true;
        }
    }
    return *rows == NULL;
}

static int by_name(const void *one, const void *other)
{
    return strcmp((*(struct script *const *)one)->name, (*(struct script *const *)other)->name);
}

static void load_all(const char *folder, char **rows)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (g_str_has_suffix(name, ".txt") && wanted(name, rows)) {
            char *path = g_build_filename(folder, name, NULL);

            g_ptr_array_add(scripts, script_load(path));
            g_free(path);
        }
    }
    g_clear_pointer(&dir, g_dir_close);
    g_ptr_array_sort(scripts, by_name);
}

static Suite *make_suite(void)
{
    Suite *suite = suite_create("conformance");

    g_array_set_size(tests, scripts->len);
    for (guint i = 0; i < scripts->len; i++) {
        const struct script *script = g_ptr_array_index(scripts, i);
        TTest *test = &g_array_index(tests, TTest, i);

        *test = (TTest){.name = script->name, .fn = script_test->fn, .file = __FILE__, .line = __LINE__};
        tcase_add_loop_test(suite_case(suite, script->name), test, (int)i, (int)i + 1);
    }
    return suite;
}

int main(int argc, char **argv)
{
    int status;

    if (argc < 2) {
        fprintf(stderr, "usage: %s FOLDER [ROW...]\n", argv[0]);
        return 2;
    }
    scripts = g_ptr_array_new_with_free_func((GDestroyNotify)script_free);
    tests = g_array_new(FALSE, TRUE, sizeof(TTest));
    load_all(argv[1], argv + 2);
    if (scripts->len == 0) {
        fprintf(stderr, "%s: no such scripts there\n", argv[1]);
        return 2;
    }
    status = suite_run(make_suite());
    g_ptr_array_free(scripts, TRUE);
    g_array_free(tests, TRUE);
    return status;
}
