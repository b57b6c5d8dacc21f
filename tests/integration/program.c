/* SPDX-License-Identifier: BSD-3-Clause */
#include "program.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const char *program_path(const char *variable)
{
    const char *path = g_getenv(variable);

    ck_assert_msg(path, "%s is not set: it has to be the path of the program", variable);
    return path;
}

static void expect_status(int line, int wanted, int status, const char *said)
{
    ck_assert_msg(WIFEXITED(status), "line %d: ended by signal %d, said: %s", line, WTERMSIG(status), said);
    ck_assert_msg(WEXITSTATUS(status) == wanted, "line %d: exit status %d, not %d; said: %s", line, WEXITSTATUS(status),
                  wanted, said);
}

void program_run_at(int line, int status, const char *pattern, const char *const *argv)
{
    struct process *process = process_start(argv, -1);
    int ended = process_end(process, 0);
    const char *said = process_said(process);

    expect_status(line, status, ended, said);
    ck_assert_msg(g_regex_match_simple(pattern, said, G_REGEX_DOTALL, 0), "line %d: no \"%s\" in: %s", line, pattern,
                  said);
}

static void open_to_all(const char *folder)
{
    char *above = g_path_get_dirname(folder);

    ck_assert_int_eq(chmod(folder, 0755), 0);
    ck_assert_int_eq(chmod(above, 0755), 0);
    g_free(above);
}

static const char *const nobody[] = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
#define NOBODY_WORDS 4

/* Only root can become nobody, and nobody has to get at the program. */
static bool can_run(const char *program)
{
    const char *const argv[] = {nobody[0], nobody[1], nobody[2], nobody[3], program, "--version", NULL};
    struct process *process;
    bool can;

    if (geteuid() != 0) {
        printf("as nobody: skipped, only root can be somebody else\n");
        return false;
    }
    process = process_start(argv, -1);
    can = process_end(process, 0) == 0;
    if (!can) {
        printf("as nobody: skipped, %s", process_said(process));
    }
    return can;
}

bool program_run_as_nobody_at(int line, int status, const char *pattern, const char *const *argv)
{
    const char *words[32] = {NULL};
    uint32_t count = NOBODY_WORDS;

    if (!can_run(argv[0])) {
        return false;
    }
    open_to_all(test_folder());
    memcpy(words, nobody, sizeof(nobody));
    for (; *argv; argv++) {
        ck_assert_uint_lt(count, 31);
        words[count++] = *argv;
    }
    program_run_at(line, status, pattern, words);
    return true;
}

struct process *server_begin(const char *vectors)
{
    struct process *server = program_start(SERVER, "-F", "-v", "-S", test_path("s"), "-l", "64K", "-n", vectors);

    process_expect(server, "ready on .*/s \\(65536 bytes");
    return server;
}

struct process *client_begin(const char *id)
{
    struct process *client = program_start(CLIENT, "-S", test_path("s"));
    char *pattern = g_strdup_printf("^joined as %s, 65536 bytes of memory\n", id);

    process_expect(client, pattern);
    g_free(pattern);
    return client;
}

void client_does(struct process *client, const char *command, const char *pattern)
{
    char *line = g_strconcat(command, "\n", NULL);

    process_type(client, line);
    process_expect(client, pattern);
    g_free(line);
}

void process_expect_end(struct process *process, int signal, int status)
{
    int ended = process_end(process, signal);

    expect_status(0, status, ended, process_said(process));
}

static gint compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void expect_folder(const char *names)
{
    GDir *dir = g_dir_open(test_folder(), 0, NULL);
    GPtrArray *there = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    char *all;

    while ((name = g_dir_read_name(dir))) {
        g_ptr_array_add(there, g_strdup(name));
    }
    g_ptr_array_sort(there, compare);
    g_ptr_array_add(there, NULL);
    all = g_strjoinv(" ", (char **)there->pdata);
    ck_assert_str_eq(all, names);
    g_free(all);
    g_ptr_array_unref(there);
    g_dir_close(dir);
}
